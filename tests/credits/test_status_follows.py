"""The stored status follows the facts, whoever writes them: each service, sender and notification.

A colleague, the sender, the portal and the publisher act in a random order on two persons and a
school credit that the sandbox knows as well; after every act each stored status is the one that
the pure function computes from the row.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.outbox.again import take_back
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message
from credits.dependants import remove_credits
from credits.end_dates import change_end_dates
from credits.models import PersonCredit, SchoolCredit
from credits.returns import CannotReturn, left_of, queue_return
from credits.services import (
    AnyCredit,
    facts_of,
    queue_credit_fetch,
    queue_credit_push,
    save_credit,
)
from credits.status import stored_status
from notifications.applying import apply_waiting
from persons.changes import NotPossible
from persons.effects import apply_change
from persons.models import Person, PersonChange, SchoolPerson
from persons.services import save_person
from tests.factories import PersonCreditFactory, PersonFactory, SchoolCreditFactory
from tests.notifications.rows import due_now, prematch, specification
from tests.outbox.conftest import gateway, sandbox
from tests.persons.given import delete, delete_from_school, merge, the_school

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED_POSTAL_CODE = "9999 XX"  # the sandbox refuses the person, so what hangs on it waits
ACTS = 40


class Play:
    """Rows of a small office and all that can happen to them."""

    def __init__(self, seed: int, gateway: Gateway) -> None:
        self.random, self.gateway = random.Random(seed), gateway  # noqa: S311  no secret
        school = the_school()
        for postal_code in ("3011 AB", REFUSED_POSTAL_CODE):
            credit = PersonCreditFactory(
                school_person__school=school, school_person__person__postal_code=postal_code
            )
            PersonCreditFactory(school_person=credit.school_person, ean="9789001234579")
        SchoolCreditFactory(school=school, amount=5)
        self.acts: list[Callable[[], object]] = [
            self.order,
            self.push,
            self.send,
            self.fetch,
            self.edit_pool,
            self.edit_credit,
            self.edit_person,
            self.link,
            self.link,
            self.told_by_publisher,
            self.give_back,
            self.give_licences_back,
            self.give_up_a_message,
            self.other_end_date,
        ]
        self.seldom: list[Callable[[], object]] = [self.merge, self.delete, self.take_from_school]
        self.send_all()

    def act(self) -> str:
        acts = self.seldom if self.random.random() < 0.04 else self.acts
        chosen = self.random.choice(acts)
        with suppress(CannotReturn, NotPossible):
            chosen()
        return chosen.__name__

    def credit(self) -> AnyCredit:
        kept = PersonCredit.objects.exclude(push_state="deleted").order_by("pk")
        rows: list[AnyCredit] = [*kept.select_related("school_person"), *SchoolCredit.objects.all()]
        return self.random.choice(rows)

    def person(self) -> Person:
        return self.random.choice(list(Person.objects.exclude(push_state="deleted").order_by("pk")))

    def order(self) -> None:
        """Something new for somebody: what was given back never comes to life again."""
        places = SchoolPerson.objects.exclude(push_state="deleted").order_by("pk")
        credit = PersonCreditFactory(school_person=self.random.choice(list(places)))
        queue_credit_push(credit=credit)
        self.send()

    def push(self) -> None:
        queue_credit_push(credit=self.credit())

    def send_all(self) -> None:
        for credit in PersonCredit.objects.order_by("pk"):
            queue_credit_push(credit=credit)
        queue_credit_push(credit=SchoolCredit.objects.get())
        self.send()

    def send(self) -> None:
        Message.objects.active().update(due_at=timezone.now())
        drain_once(gateway=self.gateway)

    def fetch(self) -> None:
        queue_credit_fetch(credit=self.credit())
        self.send()

    def edit_credit(self) -> None:
        credit = self.credit()
        credit.credit_start_date += timedelta(days=1)
        save_credit(credit=credit, push=self.random.random() < 0.5)

    def edit_pool(self) -> None:
        """More or fewer licences, never fewer than were given back."""
        pool = SchoolCredit.objects.get()
        pool.amount = max(pool.returned, self.random.randint(1, 6))
        save_credit(credit=pool, push=True)

    def edit_person(self) -> None:
        person = self.person()
        person.eck_id = self.random.choice(["", f"{person.pk:0128d}"])
        if self.random.random() < 0.3:
            person.postal_code = self.random.choice(["3011 AB", REFUSED_POSTAL_CODE])
        save_person(person=person, push=self.random.random() < 0.5)

    def link(self) -> None:
        key = self.person().distributor_person_id
        eck_id = self.random.choice([None, f"{key:0>128}"])
        prematch(key, self.random.choice(["", f"elo-{key}"]), eck_id)
        self.apply()

    def told_by_publisher(self) -> None:
        codes = self.random.choice([(), (None,), (117,), (117, None)])
        state = "Returned" if self.random.random() < 0.1 else "Active"
        specification(str(self.credit()), *codes, state=state)
        self.apply()

    def apply(self) -> None:
        for _ in range(2):  # a step backwards asks Edu-iX first
            due_now()
            apply_waiting()
            self.send()

    def give_back(self) -> None:
        queue_return(credit=self.credit(), reference=uuid4().hex, reason="Vakwissel")

    def give_licences_back(self) -> None:
        pool = SchoolCredit.objects.get()
        left = max(1, left_of(pool))
        queue_return(credit=pool, reference=uuid4().hex, reason="Over", amount=left)
        self.send()

    def give_up_a_message(self) -> None:
        message = Message.objects.open().order_by("pk").first()
        if message is not None:
            take_back(message=message)

    def other_end_date(self) -> None:
        credit = self.credit()
        end = date(2027, 7, self.random.randint(1, 31))
        change_end_dates(model=type(credit), pks=[credit.pk], new_end=end, reason="Verlenging")

    def merge(self) -> None:
        kept = list(Person.objects.exclude(push_state="deleted").order_by("pk"))
        if len(kept) == 2:
            merge(*self.random.sample(kept, 2))
            self.send()

    def delete(self) -> None:
        if Person.objects.exclude(push_state="deleted").count() > 1:
            delete(self.person())
            self.send()

    def take_from_school(self) -> None:
        places = SchoolPerson.objects.exclude(push_state="deleted").order_by("pk")
        if places.count() > 1:
            delete_from_school(self.random.choice(list(places)))
            self.send()


def stale() -> list[str]:
    """The credits whose stored status is not the one of their facts."""
    found = []
    person_credits = PersonCredit.objects.select_related("school_person__person")
    rows: list[AnyCredit] = [*person_credits, *SchoolCredit.objects.all()]
    for row in rows:
        right = "" if row.push_state == "deleted" else stored_status(facts_of(row)).value
        if row.status != right:
            found.append(f"{row}: stored {row.status!r}, facts say {right!r}")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_after_every_act_the_stored_status_is_the_one_of_the_facts(
    gateway: Gateway, seed: int
) -> None:
    play = Play(seed, gateway)
    done, seen = [], Counter[str]()

    for _ in range(ACTS):
        done.append(play.act())
        assert stale() == [], done[-5:]
        seen.update(PersonCredit.objects.values_list("status", flat=True))

    # not a play in which nothing happens
    assert len(seen) >= 6, seen


def test_an_eck_id_also_serves_who_is_merged_into_its_person() -> None:
    credit = PersonCreditFactory(push_state="in_sync", status="waiting_for_prematch")
    gone, kept = credit.school_person.person, PersonFactory(eck_id="e" * 128)
    change = PersonChange.objects.create(
        kind=PersonChange.Kind.MERGE, person=gone, other=kept, reason="Dubbel", token="t"
    )

    apply_change(change, timezone.now())

    assert stale() == []
    assert PersonCredit.objects.get().status == "waiting_for_publisher"


def test_a_deleted_credit_stands_in_no_list_by_status() -> None:
    credit = PersonCreditFactory(push_state="waiting", status="waiting")

    remove_credits([credit.school_person_id], timezone.now())

    credit.refresh_from_db()
    assert (credit.push_state, credit.status) == ("deleted", "")
    with pytest.raises(ValueError, match="no status"):
        stored_status(facts_of(credit))
