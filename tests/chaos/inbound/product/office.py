"""The office of an experiment: makes rows and does what colleagues do, a line of JSON each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.db import transaction  # noqa: E402  models load only after Django is set up

from benchmarks.workers.protocol import answer_questions  # noqa: E402
from credits.models import PersonCredit  # noqa: E402
from credits.returns import new_reference, queue_return  # noqa: E402
from credits.services import queue_credit_push, save_credit  # noqa: E402
from persons.models import Person  # noqa: E402
from tests.chaos.inbound.product.broken import prepare  # noqa: E402
from tests.factories import (  # noqa: E402
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.notifications.rows import prematch  # noqa: E402

Rows = Mapping[str, Any]


def answer(question: Rows) -> object:
    """`do` names one of the functions below, the rest are its arguments."""
    told = dict(question)
    with transaction.atomic():
        return DOES[told.pop("do")](**told)


def persons(*, keys: list[str]) -> int:
    """Persons with these numbers, none of them linked."""
    made = [PersonFactory.build(distributor_person_id=key) for key in keys]
    return len(Person.objects.bulk_create(made))


def credits(*, keys: list[str], ean: str, per_person: int = 20, organisation: str = "") -> int:
    """Person credits with these numbers, of persons at one school."""
    given = {"organisation_id": organisation} if organisation else {}
    school = SchoolFactory(**given)
    made: list[PersonCredit] = []
    for start in range(0, len(keys), per_person):
        place = SchoolPersonFactory(school=school, person__distributor_person_id=f"P{keys[start]}")
        made += [
            PersonCreditFactory.build(
                school_person=place, distributor_person_credit_id=key, ean=ean
            )
            for key in keys[start : start + per_person]
        ]
    return len(PersonCredit.objects.bulk_create(made))


def told(*, users: dict[str, str]) -> int:
    """Notifications as the door stores them: the portal linked these persons."""
    return len([prematch(key, user) for key, user in users.items()])


def push(*, keys: list[str]) -> int:
    """Send these person credits; what they need goes before them."""
    for credit in PersonCredit.objects.filter(distributor_person_credit_id__in=keys):
        queue_credit_push(credit=credit)
    return len(keys)


def order_instead(*, keys: list[str], ean: str) -> int:
    """Another book for these credits, and send that."""
    for credit in PersonCredit.objects.filter(distributor_person_credit_id__in=keys):
        credit.ean = ean
        save_credit(credit=credit, push=True)
    return len(keys)


def give_back(*, keys: list[str]) -> int:
    """Return these credits to Edu-iX."""
    for credit in PersonCredit.objects.filter(distributor_person_credit_id__in=keys):
        queue_return(credit=credit, reference=new_reference(), reason="Wrong book")
    return len(keys)


DOES: Final[Mapping[str, Callable[..., object]]] = {
    "persons": persons,
    "credits": credits,
    "told": told,
    "push": push,
    "order_instead": order_instead,
    "give_back": give_back,
}

if __name__ == "__main__":
    prepare()
    answer_questions(answer)
