"""What telling a specification brings about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backoffice.explanations.models import UnknownCode
from credits.models import SchoolCredit
from credits.services import record_specification
from persons.services import record_prematch, save_person
from tests.factories import PersonCreditFactory, ProductFactory, SchoolCreditFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def test_a_code_nobody_explained_is_counted_once_for_each_credit_that_gets_it() -> None:
    ProductFactory(ean="9789001234562", publisher="Noorderlicht")
    credits = [PersonCreditFactory(ean="9789001234562") for _ in range(2)]

    for credit in credits:
        for _ in range(2):
            record_specification(credit=credit, state="Fault", code=117, response_id="", at=NOW)
            credit.refresh_from_db()

    unknown = UnknownCode.objects.get()
    assert (unknown.code, unknown.publisher, unknown.count) == (117, "Noorderlicht", 2)


def test_the_date_is_the_day_in_amsterdam() -> None:
    credit = PersonCreditFactory(push_state="in_sync")

    record_specification(credit=credit, state="Specified", code=None, response_id="R1", at=NOW)

    credit.refresh_from_db()
    assert str(credit.specification_state_date) == "2026-11-22"
    assert credit.status == "usable"
    assert not UnknownCode.objects.exists()


def test_a_school_credit_keeps_how_many_were_specified() -> None:
    credit = SchoolCreditFactory(push_state="in_sync")

    record_specification(
        credit=credit, state="Specified", code=None, response_id="", at=NOW, specified=12
    )

    assert SchoolCredit.objects.get().specified == 12


def test_a_credit_stops_waiting_for_prematch_when_its_person_gets_an_eck_id() -> None:
    credit = PersonCreditFactory(push_state="in_sync", status="waiting_for_prematch")
    person = credit.school_person.person

    person.eck_id = "e" * 128
    save_person(person=person)

    credit.refresh_from_db()
    assert credit.status == "waiting_for_publisher"


def test_a_credit_waits_again_when_the_portal_unlinks_its_person() -> None:
    credit = PersonCreditFactory(push_state="in_sync", school_person__person__user_id="u-1")

    record_prematch(person=credit.school_person.person, user_id="", eck_id=None, at=NOW)

    credit.refresh_from_db()
    assert credit.status == "waiting_for_prematch"
