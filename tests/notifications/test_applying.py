"""The worker: claims, order, failures, and two of them side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from credits.models import SchoolCredit
from credits.services import record_specification
from notifications import applying, taking_over
from notifications.applying import LEASE, MAX_TRIES, apply_waiting, release_matched
from notifications.history import History
from notifications.models import Notification
from notifications.services import apply_unmatched
from persons.models import Person
from persons.services import record_prematch
from tests.factories import PersonCreditFactory, PersonFactory, SchoolCreditFactory
from tests.notifications.rows import due_now, prematch, specification, verdicts

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_later_one_waits_while_another_worker_has_the_earlier() -> None:
    PersonFactory(distributor_person_id="K-1")
    earlier = prematch("K-1", "a")
    elsewhere = Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=1)
    later = prematch("K-1", "b")

    apply_waiting()
    before = verdicts(earlier, later)
    applying._apply(elsewhere[0], History())
    due_now()
    apply_waiting()

    assert before == ["waiting", "waiting"]
    assert verdicts(earlier, later) == ["applied", "applied"]
    assert Person.objects.get().user_id == "b"


# --- unmatched ----------------------------------------------------------------------------------


def test_an_unknown_subject_waits_and_is_applied_when_it_appears() -> None:
    rows = [prematch("K-9", "a"), specification("C-9", None), prematch("K-9", "b")]
    apply_waiting()
    before = verdicts(*rows)
    PersonFactory(distributor_person_id="K-9")
    PersonCreditFactory(distributor_person_credit_id="C-9")

    apply_waiting()

    assert before == ["unmatched"] * 3
    assert verdicts(*rows) == ["applied"] * 3
    assert Person.objects.get(distributor_person_id="K-9").user_id == "b"


def test_the_sweep_walks_past_those_that_stay_unmatched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "SWEEP", 3)
    for number in range(10):
        prematch(f"K-{number}")
    apply_waiting()
    SchoolCreditFactory(distributor_school_credit_id="K-8")
    PersonFactory(distributor_person_id="K-8")
    after, rounds = 0, 0

    while not Notification.objects.filter(verdict="waiting").exists():
        after = release_matched(after=after)
        rounds += 1
        assert rounds < 10

    assert Notification.objects.get(verdict="waiting").subject == "K-8"


# --- failures -----------------------------------------------------------------------------------


def test_one_that_fails_is_tried_five_times_and_then_given_up(
    broken: Callable[[], None],
) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    seen = []

    for _ in range(MAX_TRIES + 2):
        apply_waiting()
        row.refresh_from_db()
        seen.append((row.verdict, row.tries, row.due_at is None))
        due_now()

    assert seen == [
        *[("failed", number, False) for number in range(1, MAX_TRIES)],
        *[("dead", MAX_TRIES, True)] * 3,
    ]
    assert "the handler is broken" in row.traceback


def test_the_next_try_comes_later_each_time(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    waits = []

    for _ in range(MAX_TRIES - 1):
        apply_waiting()
        row.refresh_from_db()
        assert row.due_at is not None
        waits.append((row.due_at - timezone.now()).total_seconds())
        apply_waiting()
        due_now()

    assert waits == sorted(waits)
    assert waits[0] > 5


def test_one_that_fails_does_not_hold_up_the_others(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    PersonCreditFactory(distributor_person_credit_id="C-1")
    poison, other = prematch("K-1"), specification("C-1", None)

    apply_waiting()

    assert verdicts(poison, other) == ["failed", "applied"]


def test_nothing_of_a_failed_try_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    credit = PersonCreditFactory(distributor_person_credit_id="C-1")

    def half(**arguments: Any) -> None:
        record_specification(**arguments)
        raise RuntimeError("after writing")

    monkeypatch.setattr(taking_over, "record_specification", half)
    row = specification("C-1", None)

    apply_waiting()

    credit.refresh_from_db()
    assert credit.specification_state == ""
    assert verdicts(row) == ["failed"]


def test_a_worker_that_is_killed_leaves_its_work_to_the_next() -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    taken = Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=10)

    apply_waiting()
    while_leased = verdicts(row)
    due_now()
    apply_waiting()

    assert [notification.pk for notification in taken] == [row.pk]
    assert while_leased == ["waiting"]
    assert verdicts(row) == ["applied"]


def test_a_worker_that_wakes_up_late_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1", "a")
    asleep = Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=1)[0]
    due_now()
    apply_waiting()
    Person.objects.update(user_id="seen")

    verdict = applying._apply(asleep, History())

    assert verdict is None
    assert verdicts(row) == ["applied"]
    assert Person.objects.get().user_id == "seen"


def test_one_that_kills_the_worker_each_time_is_given_up_and_spares_the_others() -> None:
    PersonFactory(distributor_person_id="K-1")
    PersonFactory(distributor_person_id="K-2")
    poison = prematch("K-1")
    others = [prematch("K-2", str(number)) for number in range(3)]
    Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=10)  # killed: all of them

    for _ in range(MAX_TRIES):  # killed: each time at the first
        due_now()
        Notification.objects.take_again(now=timezone.now(), lease=LEASE)
    Notification.objects.exclude(pk=poison.pk).update(due_at=timezone.now())
    Notification.objects.filter(pk=poison.pk).update(due_at=timezone.now())
    apply_waiting()

    poison.refresh_from_db()
    assert (poison.verdict, poison.reason) == ("dead", "stopped_the_worker")
    assert verdicts(*others) == ["applied"] * 3


# --- workers side by side -----------------------------------------------------------------------


def test_two_workers_apply_everything_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str]] = []
    original = record_prematch

    def counted(**arguments: Any) -> None:
        calls.append((arguments["person"].distributor_person_id, arguments["user_id"]))
        original(**arguments)

    monkeypatch.setattr(taking_over, "record_prematch", counted)
    subjects = [f"K-{number}" for number in range(12)]
    for subject in subjects:
        PersonFactory(distributor_person_id=subject)
    for turn in range(5):
        for subject in subjects:
            prematch(subject, f"u{turn}")
    problems: list[BaseException] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(40):
                apply_waiting(7)
                due_now_in_turn()
        except BaseException as problem:  # shown by the assertion below
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert set(Notification.objects.values_list("verdict", flat=True)) == {"applied"}
    assert sorted(calls) == sorted(
        (subject, f"u{turn}") for subject in subjects for turn in range(5)
    )
    assert set(Person.objects.values_list("user_id", flat=True)) == {"u4"}


def due_now_in_turn() -> None:
    """Those that only wait for their turn need not wait a second in a test."""
    Notification.objects.filter(reason="in_turn", claim="").update(due_at=timezone.now())


def test_a_subject_that_appears_in_the_same_moment_is_never_missed() -> None:
    for round_ in range(15):
        key = f"K-{round_}"
        row = prematch(key, "a")
        barrier = threading.Barrier(2)

        def create(key: str = key, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            PersonFactory(distributor_person_id=key)
            connections.close_all()

        thread = threading.Thread(target=create)
        thread.start()
        barrier.wait()
        apply_waiting()
        thread.join()
        apply_waiting()

        assert verdicts(row) == ["applied"]


def test_the_worker_of_the_outbox_applies_notifications() -> None:
    from backoffice.outbox.registry import background

    assert apply_waiting in background


def test_school_credits_and_persons_that_do_not_exist_are_left_alone() -> None:
    invalid = prematch("K-1")
    Notification.objects.filter(pk=invalid.pk).update(verdict="invalid")
    PersonFactory(distributor_person_id="K-1")

    assert apply_waiting() == 0
    assert verdicts(invalid) == ["invalid"]
    assert SchoolCredit.objects.count() == 0


def test_a_subject_that_appears_while_it_is_looked_for_is_found_by_the_next_look(
    postgresql: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections: one has seen that there is no such person and has not said so yet; the
    other one makes the person and looks for what waits for it, and sees nothing."""
    row = prematch("K-1", "a")
    looked, may_say = threading.Event(), threading.Event()
    original = taking_over.take_over

    def slow(**arguments: Any) -> taking_over.Outcome:
        outcome = original(**arguments)
        looked.set()
        assert may_say.wait(20)
        return outcome

    monkeypatch.setattr(applying, "take_over", slow)

    def work() -> None:
        apply_waiting()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    assert looked.wait(20)
    PersonFactory(distributor_person_id="K-1")
    release_matched(after=0)
    released = apply_unmatched(kind="prematchChanged", subjects=["K-1"])
    may_say.set()
    thread.join()
    before = verdicts(row)
    monkeypatch.undo()

    apply_waiting()

    assert (released, before) == (0, ["unmatched"])
    assert verdicts(row) == ["applied"]
    assert Person.objects.get().user_id == "a"
