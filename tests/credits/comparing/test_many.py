"""Runs over many rows, and every kind of difference among equal ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Drift
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit, SchoolCredit
from credits.senders import person_credit_record, school_credit_record
from persons.comparing import (
    cancel_run,
    compare_selection,
    start_run,
)
from persons.models import Person, School, SchoolPerson
from persons.senders import person_record, school_person_record
from persons.services import queue_person_push
from tests.credits.comparing.conftest import changed, copied, removed
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)
from tests.outbox.conftest import gateway_for

pytestmark = pytest.mark.django_db


# --- many ----------------------------------------------------------------------------------------


def test_a_handful_is_asked_at_once_and_more_becomes_a_job(db: None) -> None:
    PersonFactory.create_batch(21)
    pks = Person.objects.values_list("pk", flat=True)

    assert compare_selection(person_ids=list(pks[:1]), title="Compare") is None
    assert Message.objects.get().priority == Message.Priority.INTERACTIVE
    job = compare_selection(person_ids=pks, title="Compare")

    assert job is not None
    assert (job.kind, job.total) == ("fetch", 21)
    # Fewer than 200 are asked before the page opens.
    assert Message.objects.count() == 21


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
    Message.objects.filter(pk=put_off.pk).update(due_at=timezone.now() + timedelta(hours=1))

    run = start_run()
    drain_once(gateway=gateway)

    run.refresh_from_db()
    assert (run.status, run.answered, run.failed) == ("done", 1, 1)
    assert list(Message.objects.open()) == [put_off]


# --- 100 differences of 8 kinds ------------------------------------------------------------------


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


def test_a_person_at_two_schools_is_asked_once_for_a_school(
    credit: PersonCredit, school: School
) -> None:
    SchoolPersonFactory(person=credit.school_person.person, school=school)

    run = start_run(organisation_id=school.organisation_id)

    assert run.total == 2
