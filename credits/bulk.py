"""What `queue_credit_push` queues, for many credits at once."""

from __future__ import annotations

from django.db.models import QuerySet

from backoffice.jobs.queueing import Wanted
from backoffice.outbox.models import key_of
from credits.models import PersonCredit, SchoolCredit
from persons.imports import person_push, school_person_push
from persons.models import SchoolPerson
from persons.services import NEEDS_PUSH, chain_of


def person_credit_pushes(credits: QuerySet[PersonCredit]) -> list[Wanted]:
    """These credits, behind the persons and persons at a school that Edu-iX lacks the newest of."""
    places = SchoolPerson.objects.filter(
        pk__in=credits.order_by().values("school_person")
    ).select_related("person")
    persons = {place.person_id: place.person for place in places}
    behind = [
        place
        for place in places
        if place.push_state in NEEDS_PUSH or place.person.push_state in NEEDS_PUSH
    ]
    return [
        *(person_push(each) for each in persons.values() if each.push_state in NEEDS_PUSH),
        *map(school_person_push, behind),
        *(_credit_push(credit) for credit in credits.select_related("school_person")),
    ]


def _credit_push(credit: PersonCredit) -> Wanted:
    return Wanted(
        "person_credit.push",
        key_of("person_credit", credit.pk),
        chain_of(credit.school_person.person_id),
        credit.distributor_person_credit_id,
        requires=key_of("schoolperson", credit.school_person_id),
    )


def school_credit_pushes(credits: QuerySet[SchoolCredit]) -> list[Wanted]:
    """These credits; each is a chain of its own."""
    return [
        Wanted("school_credit.push", key, key, credit.distributor_school_credit_id)
        for credit in credits
        if (key := key_of("school_credit", credit.pk))
    ]
