"""What the parts share: the day, tokens, plans, and what must be told."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import time_machine

from backoffice.eduix_sandbox.options import SandboxOptions
from backoffice.eduix_sandbox.publishers import Publishers
from backoffice.eduix_sandbox.rows import Person
from backoffice.eduix_sandbox.schools import Schools
from backoffice.eduix_sandbox.sessions import Sessions
from backoffice.eduix_sandbox.store import Store
from backoffice.eduix_sandbox.world import World


def world(**options: Any) -> World:
    return World(
        options=SandboxOptions(**options),
        store=Store(),
        schools=Schools([]),
        publishers=Publishers(),
        sessions=Sessions(minutes=1, calls=None),
    )


def test_the_day_is_the_one_in_the_netherlands() -> None:
    with time_machine.travel(datetime(2026, 7, 31, 22, 30, tzinfo=UTC)):
        assert world().today().isoformat() == "2026-08-01"


def test_tokens_repeat_with_the_seed() -> None:
    assert world(seed=1).token("a", "b") == world(seed=1).token("a", "b")
    assert world(seed=1).token("a", "b") != world(seed=2).token("a", "b")
    assert len(world().token("a")) == 16


def test_planning_again_replaces_what_was_planned() -> None:
    one = world(pace=2)

    one.later("link", "1", 10)
    one.later("link", "1", 30)
    one.later("correct", "personCredit:C1", 1, amount=1, part="R1")
    one.later("correct", "personCredit:C1", 1, amount=1, part="R2")

    keys = [event.key for event in one.store.events]
    corrected = "correct:personCredit:C1"
    assert keys == ["link:1", f"{corrected}:R1", f"{corrected}:R2"]
    (link, *_) = one.store.events
    assert 58 < link.due - time.time() <= 60


def test_one_notification_per_subject_waits_with_the_number_of_its_reasons() -> None:
    one = world(endpoint="http://127.0.0.1:1/")
    person = Person("P1", 7, {})

    one.tell_about_person(person)
    one.tell_about_person(person)

    (waiting,) = one.store.outgoing
    assert (waiting.operation, waiting.subject, waiting.version) == ("prematchChanged", "7", 2)


def test_without_an_endpoint_nothing_waits_to_be_told() -> None:
    one = world()

    one.tell_about_person(Person("P1", 7, {}))

    assert len(one.store.outgoing) == 0
