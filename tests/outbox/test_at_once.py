"""How many threads call at once: fewer where calls only cost processor, all where they wait."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox import delivery, pace
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.in_hand import InHand
from backoffice.outbox.models import Attempt, Message
from backoffice.outbox.pace import LATE_SECONDS, LEAST_AT_ONCE, Pace
from backoffice.outbox.trying import attempt
from tests.outbox.test_together import queued

A_WHILE = 300  # calls, with a look after each


class Clock:
    """In the place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.0)
    return clock


def after(of_drainer: Pace, clock: Clock, *, seconds: float, cpu: float) -> int:
    """Threads that may call after a while of such calls."""
    for _ in range(A_WHILE if of_drainer.at_once else 0):
        of_drainer.begin(0)
        clock.now += seconds
        of_drainer.end(0, cpu)
        of_drainer.look()
    return of_drainer.at_once


def test_calls_that_the_partner_answers_at_once_need_few_threads(clock: Clock) -> None:
    assert after(Pace(32), clock, seconds=0.015, cpu=0.0004) < 32
    assert after(Pace(32), clock, seconds=0.002, cpu=0.0004) == LEAST_AT_ONCE


def test_calls_that_wait_for_the_partner_need_them_all(clock: Clock) -> None:
    assert after(Pace(32), clock, seconds=0.05, cpu=0.0004) == 32


def test_all_call_again_when_the_partner_becomes_slower(clock: Clock) -> None:
    of_drainer = Pace(32)
    assert after(of_drainer, clock, seconds=0.002, cpu=0.0004) == LEAST_AT_ONCE

    assert after(of_drainer, clock, seconds=0.05, cpu=0.0004) == 32


def test_for_each_call_that_hangs_another_may_begin(clock: Clock) -> None:
    """Their end is not waited for: it may be half a minute away."""
    of_drainer = Pace(32)
    after(of_drainer, clock, seconds=0.002, cpu=0.0004)

    counts = []
    for number in range(1, 32):
        of_drainer.begin(number)
        clock.now += LATE_SECONDS + 0.1
        of_drainer.look()
        counts.append(of_drainer.at_once)

    assert counts[:3] == [LEAST_AT_ONCE + 1, LEAST_AT_ONCE + 2, LEAST_AT_ONCE + 3]
    assert counts[-1] == 32
    for number in range(1, 32):
        of_drainer.end(number, 0.0004)
    assert after(of_drainer, clock, seconds=0.002, cpu=0.0004) == LEAST_AT_ONCE


@pytest.mark.parametrize("connections", [0, 1, 2, 3])
def test_a_handful_of_threads_is_never_too_many(connections: int, clock: Clock) -> None:
    assert after(Pace(connections), clock, seconds=0.001, cpu=0.001) == connections


def test_threads_that_may_not_take_one_do_so_as_soon_as_they_may() -> None:
    in_hand = InHand()
    in_hand.let(1)
    in_hand.put(Message(pk=1), "first")
    in_hand.put(Message(pk=2), "second")
    taken: list[Any] = []
    second = threading.Thread(target=lambda: taken.append(in_hand.take(1)[1]))

    second.start()
    second.join(0.2)
    waits = second.is_alive()
    mine = in_hand.take(0)[1]
    in_hand.let(2)
    second.join(10)

    assert (waits, mine, taken) == (True, "first", ["second"])


def test_at_the_end_those_that_wait_end_too() -> None:
    in_hand = InHand()
    in_hand.let(1)
    ended: list[Any] = []
    threads = [
        threading.Thread(target=lambda number=number: ended.append(in_hand.take(number)[0]))
        for number in range(3)
    ]
    for thread in threads:
        thread.start()

    in_hand.end(3)

    for thread in threads:
        thread.join(10)
    assert ended == [None, None, None]


@pytest.mark.django_db(transaction=True)
def test_everything_goes_out_through_the_few_that_may_call(
    gateway: Gateway, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(40)
    drainer = Drainer(connections=8, gateway=gateway)
    drainer._waiting.let(2)
    monkeypatch.setattr(drainer._pace, "look", lambda: False)
    lock = threading.Lock()
    now, most = 0, 0
    original = attempt

    def counted(*arguments: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            return original(*arguments)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(delivery, "attempt", counted)

    drainer.run(until=lambda: drainer.is_idle, seconds=60)

    assert Message.objects.filter(status="done").count() == 40
    assert len(sandbox.control.ledger(operation="createPerson")) == 40
    assert 1 <= most <= 2


@pytest.mark.django_db(transaction=True)
def test_calls_that_hang_do_not_hold_up_the_others(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    """With the few threads of a partner that answered at once a moment ago."""
    queued(30)
    hanging = 6.0
    sandbox.control.trouble("delay", "createPerson", times=4, seconds=hanging)
    drainer = Drainer(connections=8, gateway=gateway)
    drainer._pace._enough = drainer._pace.at_once = LEAST_AT_ONCE
    drainer._pace.call_seconds, drainer._pace.call_cpu = 0.002, 0.0004
    drainer._waiting.let(LEAST_AT_ONCE)

    drainer.run(until=lambda: drainer.is_idle, seconds=hanging - 1)

    assert Message.objects.filter(status="done").count() == 30
    ends = Attempt.objects.exclude(finished_at=None).order_by("finished_at")
    finished = [end.timestamp() for end in ends.values_list("finished_at", flat=True) if end]
    assert finished[29] - finished[0] > 3  # the four that hung were the last
    assert finished[25] - finished[0] < 3
