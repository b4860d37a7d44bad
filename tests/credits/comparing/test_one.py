"""One person or school credit beside what Edu-iX holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.rows import Entry
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Drift
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Held, Message, PushState
from credits.models import PersonCredit
from credits.services import queue_credit_push
from persons.comparing import queue_check
from persons.fetching import person_check, school_check
from persons.models import Person, School
from tests.credits.comparing.conftest import changed, copied, removed
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
)

pytestmark = pytest.mark.django_db


def check(person: Person, gateway: Gateway) -> None:
    queue_check(wanted=person_check(person.pk, person.distributor_person_id))
    drain_once(gateway=gateway)


def found() -> list[tuple[str, str, list[str]]]:
    return [(one.what, one.kind, one.columns) for one in Drift.objects.order_by("kind", "pk")]


def test_equal_rows_are_no_difference_and_what_edu_ix_holds_is_kept(
    credit: PersonCredit, gateway: Gateway
) -> None:
    person = credit.school_person.person

    check(person, gateway)

    assert found() == []
    held = Held.objects.get(subject=f"person:{person.pk}")
    assert held.is_there
    assert held.values["surname"] == "Berg"
    assert Held.objects.filter(subject=f"schoolperson:{credit.school_person_id}").exists()
    assert Held.objects.filter(subject=f"person_credit:{credit.pk}").exists()


def test_a_field_changed_there_is_found_and_nothing_of_ours_changes(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, postalCode="9711 AA")

    check(person, gateway)

    assert found() == [("differs", "person", ["postal_code"])]
    person.refresh_from_db()
    assert (person.postal_code, person.push_state) == ("3011 AB", PushState.IN_SYNC)


def test_a_person_that_is_gone_is_one_difference_however_much_hangs_under_it(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    removed(sandbox, "person", person.distributor_person_id)

    check(person, gateway)

    assert found() == [("gone", "person", [])]
    assert not Held.objects.get(subject=f"person_credit:{credit.pk}").is_there


def test_a_credit_that_only_they_have_is_found_and_forgotten_when_it_goes(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    key = credit.distributor_person_credit_id
    copied(sandbox, "personCredit", key, "X1", distributorPersonCreditID="X1")

    check(person, gateway)

    assert found() == [("extra", "person_credit", [])]
    held = Held.objects.get(label="X1")
    assert held.values["ean"] == credit.ean

    removed(sandbox, "personCredit", "X1")
    check(person, gateway)

    assert found() == []
    assert not Held.objects.filter(label="X1").exists()


def test_what_only_edu_ix_tells_is_taken_over_and_said(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row = store.person_credits.get(credit.distributor_person_credit_id)
        assert row is not None
        store.person_credits.put(
            replace(row, returned=1, specification=(Entry(1),), specified_on="2026-11-02")
        )

    check(credit.school_person.person, gateway)

    credit.refresh_from_db()
    assert credit.person_product_state == "Returned"
    assert credit.specification_state == "Specified"
    assert found() == [
        ("taken_over", "person_credit", ["person_product_state", "specification_state"])
    ]


def test_our_own_unsent_change_is_no_difference(credit: PersonCredit, gateway: Gateway) -> None:
    person = credit.school_person.person
    Person.objects.filter(pk=person.pk).update(surname="Anders", push_state=PushState.CHANGED)

    check(person, gateway)

    assert found() == []


def test_a_row_accepted_after_the_question_is_not_judged_by_its_answer(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, postalCode="9711 AA")
    later = timezone.now() + timedelta(minutes=1)
    Person.objects.filter(pk=person.pk).update(push_changed_at=later)

    check(person, gateway)

    assert found() == []


def test_a_school_credit_gone_and_one_extra_are_found_with_their_school(
    school: School, gateway: Gateway, sandbox: SandboxServer
) -> None:
    kept, gone = SchoolCreditFactory.create_batch(2, school=school)
    for one in (kept, gone):
        queue_credit_push(credit=one)
    drain_once(gateway=gateway)
    key = kept.distributor_school_credit_id
    copied(sandbox, "schoolCredit", key, "X2", distributorSchoolCreditID="X2")
    removed(sandbox, "schoolCredit", gone.distributor_school_credit_id)
    changed(sandbox, "schoolCredit", key, amount="31")

    queue_check(wanted=school_check(school.organisation_id))
    drain_once(gateway=gateway)

    assert sorted(one for one in found() if one[1] == "school_credit") == [
        ("differs", "school_credit", ["amount"]),
        ("extra", "school_credit", []),
        ("gone", "school_credit", []),
    ]


def test_a_refused_question_holds_nothing_up(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    sandbox.control.trouble("fault", "getPerson", code=3768)
    check(person, gateway)
    asked = Message.objects.get(operation="person.check")
    assert asked.status == Message.Status.REFUSED

    another = PersonCreditFactory(school_person=credit.school_person, ean="9789006234561")
    queue_credit_push(credit=another)
    drain_once(gateway=gateway)

    another.refresh_from_db()
    assert another.push_state == PushState.IN_SYNC
