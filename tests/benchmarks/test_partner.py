from __future__ import annotations

import pytest

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Child
from benchmarks.envelopes import create_person
from benchmarks.load import Job, Outcome, run
from benchmarks.partner import CREATED, LOGGED_IN, NOT_SERVED, Counts, answer
from benchmarks.workshop import Workshop


@pytest.fixture
def partner(workshop: Workshop) -> tuple[Child, list[int]]:
    """One port that answers at once, one that waits 30 ms."""
    environ = workshop.environ("sqlite://:memory:")
    child = workshop.start("partner", ["-m", "benchmarks.partner", "0", "30"], environ)
    return child, child.read()["ports"]


def push(port: int, count: int) -> Outcome:
    path = endpoint_path("profile")
    return run(Job(port, path, create_person(), "K", connections=8, requests=count))


def test_each_port_counts_its_own_persons(partner: tuple[Child, list[int]]) -> None:
    child, (fast, slow) = partner

    push(fast, 40)
    push(slow, 16)

    counts = child.ask({})
    assert counts[str(fast)] == {"logins": 0, "creates": 40, "others": 0, "keys": 40}
    assert counts[str(slow)] == {"logins": 0, "creates": 16, "others": 0, "keys": 16}


def test_a_person_that_comes_twice_shows(partner: tuple[Child, list[int]]) -> None:
    child, (fast, _slow) = partner

    push(fast, 10)
    push(fast, 10)

    assert child.ask({})[str(fast)] == {"logins": 0, "creates": 20, "others": 0, "keys": 10}


def test_the_slow_port_lets_every_call_wait_but_not_in_a_row(
    partner: tuple[Child, list[int]],
) -> None:
    _child, (_fast, slow) = partner

    outcome = push(slow, 64)  # eight times over eight connections

    assert outcome.p50_ms >= 30
    assert outcome.seconds < 64 * 0.030  # the least that one after the other would take


def test_only_logins_and_persons_are_served() -> None:
    counts = Counts()

    assert answer(b"<x:loginRequest/>", counts) == LOGGED_IN
    assert answer(b"<x:createPersonRequest/>", counts) == CREATED
    assert answer(b"<x:getPersonRequest/>", counts) == NOT_SERVED
    assert counts.as_json() == {"logins": 1, "creates": 1, "others": 1, "keys": 0}
