"""Two at once, late workers, second mishaps: what could lose a message or send it twice."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox import stops
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState, ServiceState
from backoffice.outbox.settling import Result, rescue, settle
from backoffice.outbox.trying import claim_due, deliver
from credits.models import PersonCredit
from persons.models import Person
from persons.services import (
    queue_person_push,
    queue_school_person_push,
    record_prematch,
    save_person,
)
from tests.at_once import at_once
from tests.eduix.test_exchange import partner, response, sends
from tests.factories import PersonFactory, SchoolFactory, SchoolPersonFactory
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = Result(Attempt.Outcome.REFUSED, Message.Status.REFUSED, code=-4967, text="no")


def test_an_answer_of_nul_bytes_costs_no_sender() -> None:
    people = [PersonFactory() for _ in range(6)]
    for person in people:
        queue_person_push(person=person)
    with partner(sends(response(b"\0" * 16))) as address:
        config = SandboxServer()
        gateway = gateway_for(config, EDUIX_PROFILE_URL=address, EDUIX_CREDIT_URL=address)
        drainer = Drainer(connections=2, gateway=gateway)

        drainer.run(until=lambda: False, seconds=2)

    assert drainer.is_idle
    assert not Message.objects.filter(status="sending").exists()
    assert Attempt.objects.exclude(outcome="open").exists()


def test_saving_while_sending_never_deadlocks(gateway: Gateway) -> None:
    people = [PersonFactory() for _ in range(3)]
    end = time.monotonic() + 4

    def edit() -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            for one in people:
                person = Person.objects.get(pk=one.pk)
                person.surname = f"Nummer {number}"
                save_person(person=person, push=True)

    def send() -> None:
        Drainer(connections=3, gateway=gateway).run(
            until=lambda: time.monotonic() > end, seconds=20
        )

    problems = at_once(edit, send)
    drain_once(gateway=gateway)

    assert problems == []
    assert not Message.objects.open().exists()
    for one in people:
        found = gateway.get_person(distributor_person_id=one.distributor_person_id)
        assert found is not None
        assert found.person.surname == Person.objects.get(pk=one.pk).surname


def test_a_follower_queued_during_a_refusal_waits_for_it() -> None:
    for _ in range(15):
        school_person = SchoolPersonFactory()
        queue_person_push(person=school_person.person)
        [message] = claim_due(1)

        problems = at_once(
            lambda m=message: settle(m, REFUSED, []),  # type: ignore[misc]
            lambda s=school_person: queue_school_person_push(school_person=s),  # type: ignore[misc]
        )

        assert problems == []
        follower = Message.objects.get(operation="schoolperson.push", chain=message.chain)
        assert (follower.status, follower.waits_for_id) == ("waiting", message.pk)
        Message.objects.all().delete()


def test_a_worker_past_its_lease_sends_nothing(gateway: Gateway, sandbox: SandboxServer) -> None:
    queue_person_push(person=PersonFactory())
    [old] = claim_due(1)
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert rescue(timezone.now()) == 1
    [new] = claim_due(1)
    deliver(new, gateway)
    calls = len(sandbox.control.ledger())

    result = deliver(old, gateway)

    assert result is None
    assert len(sandbox.control.ledger()) == calls
    assert Message.objects.get().status == "done"


def test_two_lost_answers_and_two_edits_are_no_conflict_with_ourselves(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory(surname="Een")
    queue_person_push(person=person)
    sandbox.control.trouble("cut", "createPerson")
    drain_once(gateway=gateway)
    for surname in ("Twee", "Drie"):
        person = Person.objects.get()
        person.surname = surname
        save_person(person=person)
        if surname == "Twee":
            sandbox.control.trouble("drop_reply", "createPerson")
        drain_once(gateway=gateway)

    assert Message.objects.get().status == "done"
    found = gateway.get_person(distributor_person_id=person.distributor_person_id)
    assert found is not None
    assert found.person.surname == "Drie"


def test_a_living_session_of_one_service_does_not_forgive_the_other_its_refusals(
    sandbox: SandboxServer,
) -> None:
    gateway = gateway_for(sandbox)
    credit = gateway_for(sandbox, EDUIX_PASSWORD="wrong")
    gateway.credit = credit.credit
    school = SchoolFactory(organisation_id=SCHOOL["organisationID"])
    from credits.services import queue_credit_push
    from tests.factories import SchoolCreditFactory

    queue_credit_push(credit=SchoolCreditFactory(school=school))
    for _ in range(6):
        queue_person_push(person=PersonFactory())
        Message.objects.update(due_at=timezone.now())
        vars(gateway.credit._session._store)["_failed"] = None
        stops._noted.clear()
        drain_once(gateway=gateway)

    assert stops.is_stopped()
    assert ServiceState.objects.get(service=stops.SERVICE).login_tries == stops.LOGIN_TRIES


def test_a_message_with_nothing_to_send_does_not_lift_the_stop(gateway: Gateway) -> None:
    refused = Result(Attempt.Outcome.REFUSED, Message.Status.QUEUED, code=2, is_login_refused=True)
    for _ in range(3):
        stops.take_note(refused)
    person = PersonFactory()
    queue_person_push(person=person)
    Person.objects.all().delete()
    [message] = claim_due(1)
    stops._noted.clear()

    deliver(message, gateway)

    assert stops.is_stopped()


def test_saving_an_edit_leaves_what_came_in_meanwhile() -> None:
    PersonFactory(push_state=PushState.IN_SYNC)
    read_before = Person.objects.get()
    record_prematch(
        person=Person.objects.get(), user_id="portal-1", eck_id="e" * 128, at=timezone.now()
    )

    read_before.first_name = "Noor"
    save_person(person=read_before)

    now = Person.objects.get()
    assert (now.first_name, now.user_id, now.eck_id) == ("Noor", "portal-1", "e" * 128)
    assert now.push_state == PushState.CHANGED


def test_saving_without_a_change_changes_nothing() -> None:
    PersonFactory(push_state=PushState.IN_SYNC)
    histories = Person.history.count()

    save_person(person=Person.objects.get())

    assert Person.objects.get().push_state == PushState.IN_SYNC
    assert Person.history.count() == histories


def test_a_record_that_edu_ix_lost_is_for_a_colleague(gateway: Gateway) -> None:
    person = PersonFactory(registered_at=timezone.now(), push_state=PushState.IN_SYNC)
    message = queue_person_push(person=person)
    Message.objects.filter(pk=message.pk).update(status="uncertain", ask_first=True)

    drain_once(gateway=gateway)

    person.refresh_from_db()
    assert person.push_state == PushState.CONFLICT


def test_a_waiting_message_whose_cause_is_gone_is_taken_up_again() -> None:
    school_person = SchoolPersonFactory()
    queue_school_person_push(school_person=school_person)
    [message] = claim_due(1)
    settle(message, REFUSED, [])
    Message.objects.filter(pk=message.pk).delete()

    follower = queue_school_person_push(school_person=school_person)

    assert follower.status == Message.Status.QUEUED


def test_what_must_go_first_becomes_as_urgent_as_what_follows() -> None:
    school_person = SchoolPersonFactory()
    queue_person_push(person=school_person.person, priority=Message.Priority.BULK)

    queue_school_person_push(school_person=school_person)

    assert set(Message.objects.values_list("priority", flat=True)) == {0}


def test_a_login_that_hangs_uses_up_no_leases(sandbox: SandboxServer) -> None:
    for _ in range(8):
        queue_person_push(person=PersonFactory())
    sandbox.control.trouble("hang", "login", seconds=1.5, times=1)
    gateway = gateway_for(sandbox)
    gateway.profile._client._transport._total_seconds = 1.0

    drain_once(gateway=gateway, connections=4)

    assert not Attempt.objects.filter(outcome="uncertain").exists()
    assert not Attempt.objects.filter(outcome="lost").exists()
    assert PersonCredit.objects.count() == 0
