"""Notifications that come twice, late, in the wrong order, again, or never."""

from __future__ import annotations

import pytest

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .endpoint import Endpoint, text_of
from .samples import person, school_credit


@pytest.fixture
def told(notifying: SandboxServer) -> SandboxServer:
    """P1 and the school credit S1, both known to the endpoint; nothing waits."""
    caller = Caller(notifying)
    caller.call("createPerson", person=person())
    caller.call("createSchoolCredit", schoolCredit=school_credit())
    assert notifying.control.wait_until_quiet()
    return notifying


def links(endpoint: Endpoint) -> list[str | None]:
    """The userIDs that arrived, in order of arrival."""
    return [text_of(body, "userID") for body in endpoint.bodies("prematchChanged")]


def journal(sandbox: SandboxServer) -> list[tuple[int, str, str]]:
    return [
        (row.attempt, row.outcome, row.trouble)
        for row in sandbox.control.deliveries()
        if row.operation == "prematchChanged"
    ]


def test_a_duplicate_arrives_twice(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("duplicate", "prematchChanged")

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1", "u1"]
    assert journal(told) == [(1, "accepted", "duplicate")] * 2


def test_a_late_one_arrives_after_what_is_newer(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("late", "prematchChanged", seconds=0.5)

    told.control.link("P1", "u1")
    wait_until_held(told)
    told.control.unlink("P1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == [None, "u1"]
    assert journal(told) == [(1, "held back", "late"), (1, "accepted", ""), (1, "accepted", "late")]


def test_a_late_one_arrives_alone_when_nothing_is_newer(
    told: SandboxServer, endpoint: Endpoint
) -> None:
    told.control.trouble("late", "prematchChanged", seconds=0.2)

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1"]


def test_one_out_of_order_waits_for_the_next_and_then_follows_it(
    told: SandboxServer, endpoint: Endpoint
) -> None:
    told.control.trouble("out_of_order", "prematchChanged")

    told.control.link("P1", "u1")
    wait_until_held(told)
    assert links(endpoint) == []
    told.control.link("P1", "u2")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u2", "u1"]


def test_one_out_of_order_does_not_wait_for_ever(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("out_of_order", "prematchChanged", seconds=0.1)

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1"]


def test_a_lost_one_is_never_sent(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("lost", "prematchChanged")

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == []
    assert journal(told) == [(1, "lost", "lost")]


def test_a_dropped_one_is_sent_again(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("dropped", "prematchChanged", times=2)

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1"]
    assert journal(told) == [
        (1, "unreachable", "dropped"),
        (2, "unreachable", "dropped"),
        (3, "accepted", ""),
    ]


def test_one_taken_for_refused_arrives_and_comes_again(
    told: SandboxServer, endpoint: Endpoint
) -> None:
    told.control.trouble("refused", "prematchChanged")

    told.control.link("P1", "u1")

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1", "u1"]
    assert journal(told) == [(1, "refused", "refused"), (2, "accepted", "")]


def test_a_trouble_of_one_notification_leaves_the_other_alone(
    told: SandboxServer, endpoint: Endpoint
) -> None:
    told.control.trouble("lost", "prematchChanged")

    told.control.notify("specificationChanged", "S1")

    assert told.control.wait_until_quiet()
    assert len(endpoint.bodies("specificationChanged")) == 2


def test_a_held_one_leaves_with_the_present_state_after_a_restart(
    told: SandboxServer, endpoint: Endpoint
) -> None:
    told.control.trouble("out_of_order", "prematchChanged", seconds=1)
    told.control.link("P1", "u1")
    wait_until_held(told)

    told.stop()
    told.start()

    assert told.control.wait_until_quiet()
    assert links(endpoint) == ["u1"]


def test_a_reset_forgets_what_is_held(told: SandboxServer, endpoint: Endpoint) -> None:
    told.control.trouble("late", "prematchChanged", seconds=0.2)
    told.control.link("P1", "u1")
    wait_until_held(told)

    told.control.reset()

    assert told.control.wait_until_quiet()
    assert links(endpoint) == []


def wait_until_held(sandbox: SandboxServer) -> None:
    """Until the notifier holds a message back, and has put that down."""
    for _ in range(1000):
        held = [row for row in sandbox.control.deliveries() if row.outcome == "held back"]
        if held and all(row.due > 0 for row in sandbox.control.rows("outgoing")):
            return
        sandbox.control.wait_until_quiet(0.005)
    raise AssertionError("nothing was held back")
