"""What was claimed and cannot go soon is given back, as it was before its claim."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox import clock, delivery
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Attempt, Message, key_of
from backoffice.outbox.settling import Result, give_back, rescue
from backoffice.outbox.trying import claim_due
from persons.models import Person
from persons.services import save_person
from tests.outbox.conftest import gateway_for
from tests.outbox.test_together import queued

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = "http://127.0.0.1:9/soap/4.1/profile"  # the discard port: nothing listens


def begun(sandbox: SandboxServer) -> int:
    return len(sandbox.control.ledger(operation="createPerson"))


def states() -> set[tuple[Any, ...]]:
    return set(Message.objects.values_list("status", "tries", "ask_first", "lease_until"))


def test_at_a_stop(gateway: Gateway, sandbox: SandboxServer) -> None:
    queued(40)
    sandbox.control.trouble("delay", "createPerson", times=40, seconds=0.4)
    drainer = Drainer(connections=2, gateway=gateway)
    running = threading.Thread(target=drain_in_thread, args=(drainer,))
    running.start()
    until = time.monotonic() + 20
    while not begun(sandbox) and time.monotonic() < until:
        time.sleep(0.02)

    drainer.stop()
    running.join(20)

    made = begun(sandbox)
    assert 0 < made < 40
    assert Message.objects.filter(status="done").count() == made
    left = Message.objects.exclude(status="done")
    assert set(left.values_list("status", "tries", "lease_until")) == {("queued", 0, None)}
    assert Attempt.objects.count() == made
    assert Person.objects.filter(push_state="queued").count() == 40 - made


def drain_in_thread(drainer: Drainer) -> None:
    drainer.run(until=lambda: False)
    connections.close_all()


def test_what_must_ask_first_still_must() -> None:
    queued(2)
    Message.objects.update(status="uncertain", ask_first=True, tries=3, sent_digest="before")

    give_back(claim_due(2))

    assert states() == {("uncertain", 3, True, None)}
    assert set(Message.objects.values_list("sent_digest", flat=True)) == {"before"}
    assert set(Person.objects.values_list("push_state", flat=True)) == {"uncertain"}
    assert not Attempt.objects.exists()


def test_what_another_has_taken_meanwhile_is_left_alone() -> None:
    [first, second] = queued(2)
    claimed = claim_due(2)
    Message.objects.filter(subject=key_of("person", first.pk)).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert rescue(clock.lease_now()) == 1
    [taken] = claim_due(1)

    give_back(claimed)

    now = Message.objects.get(subject=key_of("person", first.pk))
    assert (now.status, now.fence, now.tries) == ("sending", taken.fence, 2)
    assert now.attempts.filter(outcome="open", fence=taken.fence).count() == 1
    assert Message.objects.get(subject=key_of("person", second.pk)).status == "queued"


def test_what_was_edited_meanwhile_goes_out_once_with_the_new_data(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    [person] = queued(1)
    claimed = claim_due(1)
    person.surname = "Anders"
    save_person(person=person, push=True)

    give_back(claimed)
    drainer = Drainer(connections=1, gateway=gateway)
    drainer.run(until=lambda: drainer.is_idle and drainer.counts.sent >= 1, seconds=20)

    assert states() == {("done", 0, False, None)}
    found = gateway.get_person(distributor_person_id=person.distributor_person_id)
    assert found is not None
    assert found.person.surname == "Anders"
    assert begun(sandbox) == 1


def test_when_edu_ix_cannot_be_reached(sandbox: SandboxServer) -> None:
    """Calls were short, so very many are claimed; only what had begun meets the closed door."""
    queued(60)
    drainer = fast(gateway_for(sandbox, EDUIX_PROFILE_URL=NOBODY))

    drainer.run(until=lambda: drainer.is_idle, seconds=20)

    assert 0 < Attempt.objects.count() < 12  # 60 without; on a slow machine some ask again
    assert set(Message.objects.values_list("status", flat=True)) == {"queued"}
    assert Message.objects.filter(tries=0).count() > 48


def test_when_answers_cannot_be_read(gateway: Gateway) -> None:
    """Fewer calls at once, also of what was claimed before."""
    queued(60)
    drainer = fast(gateway)
    assert drainer._start() == 60

    drainer._finish([Result(Attempt.Outcome.UNCERTAIN, Message.Status.UNCERTAIN)], ended=0)

    assert states() == {("queued", 0, False, None)}
    assert drainer.is_idle
    assert drainer._start() == 2


def test_when_calls_suddenly_take_long(
    gateway: Gateway, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what a colleague asks for would wait until all of that is over."""
    queued(60)
    sandbox.control.trouble("delay", "createPerson", times=60, seconds=1.5)
    drainer = fast(gateway)
    given: list[int] = []

    def noted(messages: Sequence[Message]) -> None:
        given.append(len(messages))
        give_back(messages)
        drainer.stop()

    monkeypatch.setattr(delivery, "give_back", noted)

    drainer.run(until=lambda: drainer.is_idle)

    assert given  # else all 60 went first
    assert given[0] > 40


def fast(gateway: Gateway) -> Drainer:
    """One whose calls took no time lately, with room for all that is queued."""
    drainer = Drainer(connections=4, gateway=gateway)
    drainer._pace.call_seconds = 0.001
    return drainer


def test_when_they_cannot_be_prepared(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that was waited for too long: nothing of these was begun, nobody need ask."""
    queued(3)

    def locked(_messages: Sequence[Message]) -> dict[int, Any]:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(delivery, "prepare_together", locked)
    drainer = Drainer(connections=2, gateway=gateway)

    assert drainer._round() == 0

    assert drainer.is_idle
    assert states() == {("queued", 0, False, None)}
    assert not Attempt.objects.exists()


def test_a_message_that_was_taken_over_and_claimed_anew_waits_beside_its_old_claim(
    gateway: Gateway, sandbox: SandboxServer, settings: Any
) -> None:
    """Neither of the two can be told from the other by the priority and the key alone."""
    queued(1)
    drainer = Drainer(connections=2, gateway=gateway)
    settings.EDUIX_LEASE_SECONDS = 0
    assert drainer._start() == 1
    Person.objects.update(surname="Anders")
    assert rescue(clock.lease_now()) == 1
    settings.EDUIX_LEASE_SECONDS = 100

    assert drainer._start() == 1

    drainer.run(until=lambda: drainer.is_idle, seconds=20)
    assert states() == {("done", 0, False, None)}
    assert begun(sandbox) == 1
