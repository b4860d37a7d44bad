"""Counting what was refused."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connections

from notifications import refusals
from notifications.models import Refusal
from notifications.refusals import MAX_SENDERS, Counts

pytestmark = pytest.mark.django_db(transaction=True)


def add(counts: Counts, source: str = "203.0.113.1", times: int = 1) -> None:
    for _ in range(times):
        counts.add(status=500, code=2, reason="login", source=source)


def total() -> int:
    return sum(Refusal.objects.values_list("count", flat=True))


def test_a_minute_of_one_sender_is_one_row() -> None:
    counts = Counts()

    add(counts, times=5)
    counts.flush()
    add(counts, times=2)
    counts.flush()

    assert total() == 7
    assert Refusal.objects.count() <= 2  # two when the minute turned meanwhile


def test_a_flood_of_senders_does_not_flood_the_table() -> None:
    counts = Counts()

    for number in range(3000):
        add(counts, source=f"2001:db8::{number:x}")
        if number % 1000 == 999:
            counts.flush()

    assert Refusal.objects.count() <= 2 * (MAX_SENDERS + 1)  # the minute may turn meanwhile
    assert total() == 3000


def test_counting_never_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts()
    database_answers = threading.Event()
    monkeypatch.setattr(refusals, "write", lambda _taken: database_answers.wait(30))

    add(counts, times=1000)

    assert not database_answers.is_set()  # and yet we are here
    database_answers.set()


def test_what_could_not_be_written_is_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts()

    def down(_taken: Any) -> None:
        raise OperationalError("down")

    add(counts, times=3)
    with monkeypatch.context() as patch:
        patch.setattr(refusals, "write", down)
        counts.flush()
    add(counts)
    counts.flush()

    assert total() == 4


def test_one_line_a_flush_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    counts = Counts()
    add(counts, times=1000)
    add(counts, source="203.0.113.2")

    with caplog.at_level(logging.WARNING):
        counts.flush()

    (record,) = [row for row in caplog.records if row.name == "notifications.refusals"]
    assert vars(record)["reasons"] == {"login": 1001}
    assert vars(record)["senders"] == 2


def test_it_is_written_by_itself_within_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the timer that other tests switch off
    monkeypatch.setattr(refusals, "FLUSH_SECONDS", 0.05)
    counts = Counts()
    add(counts, times=3)

    deadline = time.monotonic() + 10
    while total() < 3 and time.monotonic() < deadline:
        time.sleep(0.02)

    assert total() == 3


def test_processes_that_count_at_once_lose_nothing() -> None:
    def work() -> None:
        counts = Counts()
        for _ in range(10):
            add(counts)
            counts.flush()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert total() == 40
