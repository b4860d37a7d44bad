"""Comparing with Edu-iX over a real socket: what differs, is gone, is extra, is taken over."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.rows import Entry
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Drift
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Held, Message, PushState
from credits.models import PersonCredit, SchoolCredit
from credits.senders import person_credit_record, school_credit_record
from credits.services import queue_credit_push
from persons.comparing import (
    cancel_run,
    compare_selection,
    person_check,
    queue_check,
    school_check,
    start_run,
)
from persons.models import Person, School, SchoolPerson
from persons.senders import person_record, school_person_record
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.outbox.conftest import SCHOOL, gateway, gateway_for, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def credit(school: School, gateway: Gateway) -> PersonCredit:
    """A credit with its person, both equal to Edu-iX."""
    made = PersonCreditFactory(school_person__school=school)
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    made.refresh_from_db()
    assert made.push_state == PushState.IN_SYNC
    return made


def changed(sandbox: SandboxServer, kind: str, key: str, **fields: str) -> None:
    """Change a row behind our back."""
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row: Any = store.tables[kind].get(key)
        store.tables[kind].put(replace(row, fields={**row.fields, **fields}))


def removed(sandbox: SandboxServer, kind: str, key: str) -> None:
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        store.tables[kind].remove(key)


def copied(sandbox: SandboxServer, kind: str, key: str, to: str, **fields: str) -> None:
    """Add a row that we do not know, like one that we do."""
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row: Any = store.tables[kind].get(key)
        store.tables[kind].put(replace(row, key=to, fields={**row.fields, **fields}))


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


# --- many ---------------------------------------------------------------------------------------


def test_a_handful_is_asked_at_once_and_more_becomes_a_run(db: None) -> None:
    persons = PersonFactory.create_batch(21)

    assert compare_selection(person_ids=[persons[0].pk], organisation_ids=[]) is None
    run = compare_selection(person_ids=[one.pk for one in persons], organisation_ids=[])

    assert run is not None
    assert run.total == 21
    assert Message.objects.count() == 1


def test_a_run_ends_and_says_how_far_it_came(credit: PersonCredit, gateway: Gateway) -> None:
    run = start_run()

    drain_once(gateway=gateway)

    run.refresh_from_db()
    assert (run.status, run.total, run.answered, run.failed) == ("done", 2, 2, 0)
    assert not run.items.exists()


def test_a_run_never_overtakes_what_a_colleague_waits_for(
    credit: PersonCredit, gateway: Gateway
) -> None:
    start_run()
    from persons.comparing import continue_runs

    continue_runs()

    assert set(Message.objects.open().values_list("priority", flat=True)) == {Message.Priority.BULK}


def test_a_stopped_run_asks_nothing_more(credit: PersonCredit, gateway: Gateway) -> None:
    run = start_run()
    from persons.comparing import continue_runs

    continue_runs()

    assert cancel_run(run=run)

    assert not Message.objects.open().exists()
    assert not cancel_run(run=run)


def test_the_same_seed_draws_the_same_persons(credit: PersonCredit) -> None:
    PersonFactory.create_batch(40, registered_at=timezone.now(), push_state="in_sync")

    first, second, other = (start_run(sample=5, seed=seed) for seed in (7, 7, 8))

    assert first.person_ids == second.person_ids
    assert len(first.person_ids) == 5
    assert other.person_ids != first.person_ids


def test_a_run_waits_while_edu_ix_is_down_and_goes_on_afterwards(
    credit: PersonCredit, gateway: Gateway
) -> None:
    run = start_run()
    nobody = gateway_for(
        SandboxServer(),
        EDUIX_PROFILE_URL="http://127.0.0.1:9/soap",
        EDUIX_CREDIT_URL="http://127.0.0.1:9/soap",
    )

    drain_once(gateway=nobody)
    run.refresh_from_db()
    assert (run.status, run.answered) == ("running", 0)

    Message.objects.update(due_at=timezone.now())
    drain_once(gateway=gateway)
    run.refresh_from_db()
    assert (run.status, run.answered) == ("done", 2)


def test_a_person_whose_sending_is_put_off_does_not_keep_a_run_open(
    credit: PersonCredit, gateway: Gateway
) -> None:
    put_off = queue_person_push(person=credit.school_person.person)
    Message.objects.filter(pk=put_off.pk).update(due_at=timezone.now() + timedelta(days=1))

    run = start_run()
    drain_once(gateway=gateway)

    run.refresh_from_db()
    assert (run.status, run.answered, run.failed) == ("done", 1, 1)
    assert list(Message.objects.open()) == [put_off]


# --- 100 differences of 8 kinds -----------------------------------------------------------------

Change = Callable[[SandboxServer, Any], tuple[str, str]]


def _spoil_person(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, surname="Anders")
    return ("differs", f"person:{person.pk}")


def _spoil_place(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    key = credit.school_person.distributor_school_person_id
    changed(sandbox, "schoolperson", key, role="Teacher")
    return ("differs", f"schoolperson:{credit.school_person_id}")


def _spoil_credit(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    key = credit.distributor_person_credit_id
    changed(sandbox, "personCredit", key, creditEndDate="2027-01-31")
    return ("differs", f"person_credit:{credit.pk}")


def _lose_person(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    removed(sandbox, "person", credit.school_person.person.distributor_person_id)
    return ("gone", f"person:{credit.school_person.person_id}")


def _lose_credit(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    removed(sandbox, "personCredit", credit.distributor_person_credit_id)
    return ("gone", f"person_credit:{credit.pk}")


def _add_credit(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    key = credit.distributor_person_credit_id
    copied(sandbox, "personCredit", key, f"X{key}", distributorPersonCreditID=f"X{key}")
    return ("extra", f"X{key}")


def _return_credit(sandbox: SandboxServer, credit: PersonCredit) -> tuple[str, str]:
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row = store.person_credits.get(credit.distributor_person_credit_id)
        assert row is not None
        store.person_credits.put(replace(row, returned=1))
    return ("taken_over", f"person_credit:{credit.pk}")


def _spoil_school_credit(sandbox: SandboxServer, credit: SchoolCredit) -> tuple[str, str]:
    changed(sandbox, "schoolCredit", credit.distributor_school_credit_id, contactName="Hr. Vos")
    return ("differs", f"school_credit:{credit.pk}")


PERSONAL: tuple[Change, ...] = (
    _spoil_person,
    _spoil_place,
    _spoil_credit,
    _lose_person,
    _lose_credit,
    _add_credit,
    _return_credit,
)


def made_equal(school: School, gateway: Gateway, persons: int) -> list[PersonCredit]:
    """Persons with a place and a credit, the same with us and at Edu-iX.

    By the gateway and not through the outbox: how they came there is not what is tested.
    """
    record = gateway.get_school(organisation_id=school.organisation_id)
    assert record is not None
    School.objects.store(record, at=timezone.now())
    credits = [PersonCreditFactory(school_person__school=school) for _ in range(persons)]
    for credit in credits:
        gateway.create_person(person_record(credit.school_person.person))
        gateway.create_school_person(school_person_record(credit.school_person))
        gateway.create_person_credit(person_credit_record(credit))
    for model in (Person, SchoolPerson, PersonCredit):
        accepted(model)
    return credits


def accepted(model: Any) -> None:
    now = timezone.now()
    model.objects.update(push_state=PushState.IN_SYNC, registered_at=now, push_changed_at=now)


def drift_is_found_exactly(school: School, sandbox: SandboxServer, persons: int) -> None:
    """Of 100 changes behind our back exactly those 100 are found, and no equal row."""
    patient = gateway_for(sandbox)
    credits = made_equal(school, patient, persons)
    pools = [SchoolCreditFactory(school=school) for _ in range(16)]
    for pool in pools:
        patient.create_school_credit(school_credit_record(pool))
    accepted(SchoolCredit)
    chance = random.Random(13)  # noqa: S311  a repeatable choice
    unlucky = chance.sample(credits, 88)
    expected = {
        PERSONAL[number % len(PERSONAL)](sandbox, credit) for number, credit in enumerate(unlucky)
    }
    expected |= {_spoil_school_credit(sandbox, credit) for credit in chance.sample(pools, 12)}
    assert len(expected) == 100

    run = start_run()
    drain_once(gateway=patient)
    patient.close()

    run.refresh_from_db()
    assert (run.status, run.answered) == ("done", persons + 1)
    reported = {
        (one.what, one.label if one.what == "extra" else one.subject)
        for one in Drift.objects.filter(run=run)
    }
    assert reported == expected


@pytest.fixture
def quiet(sandbox: SandboxServer) -> SandboxServer:
    """No portal links and no publisher answers meanwhile: those would be differences too."""
    sandbox.pace = 100_000.0
    return sandbox


@pytest.mark.timeout(300)  # some 700 calls over a real socket
def test_a_hundred_differences_are_found_among_a_few_hundred_equal_rows(
    school: School, quiet: SandboxServer
) -> None:
    drift_is_found_exactly(school, quiet, persons=100)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_differences_are_found_among_two_thousand_equal_rows(
    school: School, quiet: SandboxServer
) -> None:
    drift_is_found_exactly(school, quiet, persons=750)


def test_a_person_at_two_schools_is_asked_once_for_a_school(
    credit: PersonCredit, school: School
) -> None:
    SchoolPersonFactory(person=credit.school_person.person, school=school)

    run = start_run(organisation_id=school.organisation_id)

    assert run.total == 2
