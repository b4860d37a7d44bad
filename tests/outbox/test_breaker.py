"""A partner that cannot be reached: all rest, one asks, and all goes on at once afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox import breaker, stops
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, ServiceState
from persons.services import queue_person_push
from tests.factories import PersonFactory
from tests.outbox.conftest import gateway_for

pytestmark = pytest.mark.django_db(transaction=True)

GONE = "http://127.0.0.1:9/soap/4.1/profile"  # the discard port: nothing listens


def row() -> ServiceState:
    return ServiceState.objects.get(service=stops.SERVICE)


def queued(number: int) -> None:
    for _ in range(number):
        queue_person_push(person=PersonFactory())


@pytest.fixture
def nowhere(sandbox: SandboxServer) -> Any:
    made = gateway_for(sandbox, EDUIX_PROFILE_URL=GONE)
    yield made
    made.close()


def test_failures_together_count_as_one_and_the_pause_grows() -> None:
    pauses = []
    for expected in (1, 2, 3):
        seen = [breaker.note_unreachable() for _ in range(5)]
        assert {one.failures for one in seen} == {expected}
        until = row().pause_until
        assert until is not None
        pauses.append(until - timezone.now())
        ServiceState.objects.update(pause_until=timezone.now() - timedelta(seconds=1))

    assert pauses == sorted(pauses)
    assert pauses[-1] <= timedelta(seconds=breaker.LONGEST_PAUSE * 1.2)


def test_since_when_it_is_gone_stays_until_it_answers() -> None:
    breaker.note_unreachable()
    since = row().unreachable_since
    ServiceState.objects.update(pause_until=None)
    breaker.note_unreachable()
    assert row().unreachable_since == since

    seen = breaker.note_reachable()

    assert (seen.failures, seen.pause_until, row().unreachable_since) == (0, None, None)


def test_all_workers_rest_and_only_one_message_asks(nowhere: Gateway) -> None:
    queued(12)
    first = Drainer(connections=4, gateway=nowhere)
    first.run(until=lambda: first.counts.later > 0 and first.is_idle, seconds=20)
    tried = Attempt.objects.count()
    assert row().failures == 1

    second = Drainer(connections=4, gateway=nowhere)
    second.run(until=lambda: True, seconds=5)
    assert Attempt.objects.count() == tried, "another worker tried during the pause"

    ServiceState.objects.update(pause_until=timezone.now())
    second = Drainer(connections=4, gateway=nowhere)
    second.run(until=lambda: second.counts.later > 0 and second.is_idle, seconds=20)
    assert Attempt.objects.count() == tried + 1, "more than one message asked"
    assert row().failures == 2


def test_of_many_workers_one_has_the_turn_to_ask() -> None:
    queued(3)
    breaker.note_unreachable()
    assert not breaker.take_turn(timezone.now()), "the rest is not over"
    Message.objects.update(due_at=timezone.now() + timedelta(minutes=15), tries=7)
    after = timezone.now() + timedelta(seconds=60)

    turns = [breaker.take_turn(after) for _ in range(3)]

    assert turns == [True, False, False]
    assert row().failures == 2
    assert (row().pause_until or after) > after
    assert Message.objects.due(after).exists()


def test_without_anything_to_send_nobody_takes_a_turn() -> None:
    breaker.note_unreachable()

    assert not breaker.take_turn(timezone.now() + timedelta(seconds=60))
    assert row().failures == 1


def test_when_it_is_back_all_go_at_once(nowhere: Gateway, gateway: Gateway) -> None:
    queued(6)
    drainer = Drainer(connections=3, gateway=nowhere)
    drainer.run(until=lambda: drainer.counts.later >= 3 and drainer.is_idle, seconds=20)
    Message.objects.filter(tries__gt=0).update(due_at=timezone.now() + timedelta(minutes=15))
    ServiceState.objects.update(pause_until=timezone.now())

    back = Drainer(connections=3, gateway=gateway)
    back.run(until=lambda: back.counts.accepted >= 6 and back.is_idle, seconds=30)

    assert set(Message.objects.values_list("status", flat=True)) == {"done"}
    assert row().failures == 0


def test_a_colleague_who_says_try_now_ends_the_pause(gateway: Gateway) -> None:
    queued(2)
    breaker.note_unreachable()
    Message.objects.update(due_at=timezone.now() + timedelta(minutes=15), tries=7)
    drainer = Drainer(connections=2, gateway=gateway)
    drainer.run(until=lambda: True, seconds=3)
    assert drainer.counts.sent == 0

    stops.resume()
    drainer = Drainer(connections=2, gateway=gateway)
    drainer.run(until=lambda: drainer.counts.accepted >= 2 and drainer.is_idle, seconds=20)

    assert set(Message.objects.values_list("status", flat=True)) == {"done"}


def test_saying_try_now_leaves_what_was_put_off_for_another_reason() -> None:
    queued(2)
    later = timezone.now() + timedelta(minutes=15)
    locked, refused = Message.objects.order_by("pk")
    Message.objects.filter(pk=locked.pk).update(due_at=later, code=-11)
    Message.objects.filter(pk=refused.pk).update(due_at=later, code=-2)

    stops.resume()

    due = dict(Message.objects.values_list("pk", "due_at"))
    assert due[locked.pk] == later
    assert due[refused.pk] < later


def test_a_try_by_hand_does_not_wait_for_the_pause(gateway: Gateway) -> None:
    queued(1)
    breaker.note_unreachable()

    drain_once(gateway=gateway)

    assert Message.objects.get().status == "done"
    assert row().failures == 0


def test_a_partner_that_falters_gets_fewer_calls_and_later_more_again(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    queued(40)
    sandbox.control.trouble("unavailable", "createPerson", times=4)
    drainer = Drainer(connections=8, gateway=gateway)
    lowest = 8.0

    def over() -> bool:
        nonlocal lowest
        lowest = min(lowest, drainer._pace.allowed)
        Message.objects.filter(status="uncertain").update(due_at=timezone.now())
        return drainer.is_idle and not Message.objects.active().exists()

    drainer.run(until=over, seconds=60)

    assert set(Message.objects.values_list("status", flat=True)) == {"done"}
    assert lowest < 8
    assert drainer._pace.allowed > lowest
