"""Deliveries of the same moment: each is answered for itself, whoever wrote it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection

from notifications.models import Notification
from notifications.payload import Content
from notifications.statements import Row, Table
from notifications.store import Received, row_of
from notifications.together import MOST_TOGETHER, WRITERS, Together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def together() -> Iterator[Together]:
    made = Together()
    yield made
    made.close()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each INSERT had."""
    sizes: list[int] = []
    insert = Table.insert

    def counted(self: Table, rows: Sequence[Row]) -> None:
        sizes.append(len(rows))
        insert(self, rows)

    monkeypatch.setattr(Table, "insert", counted)
    return sizes


class Gate:
    """Holds back the INSERTs of all connections until it is opened; then others have gathered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived, self._open = threading.Semaphore(0), threading.Event()
        insert = Table.insert

        def held(table: Table, rows: Sequence[Row]) -> None:
            self.arrived.release()
            assert self._open.wait(20)
            insert(table, rows)

        monkeypatch.setattr(Table, "insert", held)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(batches: list[int], monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def row(subject: str, *, length: int = 10) -> Row:
    content = Content("prematchChanged", subject, {"user_id": subject})
    return row_of(
        Received(
            raw=b"<a/>",
            sha256="0" * 64,
            length=length,
            content_type="text/xml",
            user="eduix",
            source="127.0.0.1",
            at=datetime(2026, 8, 1, 12, 0, 0, 123456, tzinfo=UTC),
            content=content,
        )
    )


class Delivery(threading.Thread):
    """One thread that stores one row, and what it was told."""

    def __init__(self, together: Together, understand: Callable[[], Row]) -> None:
        super().__init__(daemon=True)
        self._together, self._understand = together, understand
        self.problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._together.store(self._understand)
        except BaseException as problem:
            self.problem = problem

    def told(self) -> BaseException | None:
        self.join(20)
        assert not self.is_alive()
        return self.problem


def busy(together: Together, gate: Gate) -> list[Delivery]:
    """Every connection has something to write, and waits at the gate."""
    first = []
    for number in range(WRITERS):
        first.append(Delivery(together, lambda number=number: row(f"first-{number}")))  # type: ignore[misc]  # a default
        assert gate.arrived.acquire(timeout=20)
    return first


def gathered(together: Together, number: int) -> None:
    """So many wait for a connection."""
    pause = threading.Event()
    for _ in range(2000):
        if len(together._to_write) >= number:
            return
        pause.wait(0.01)
    raise AssertionError("they do not gather")


def test_who_waits_at_the_same_moment_is_written_at_once(
    together: Together, gate: Gate, batches: list[int]
) -> None:
    first = busy(together, gate)
    others = [Delivery(together, lambda n=n: row(f"C-{n}")) for n in range(7)]  # type: ignore[misc]  # a default
    gathered(together, 7)
    gate.open()

    assert [one.told() for one in (*first, *others)] == [None] * (len(first) + 7)
    assert max(batches) == 7
    assert Notification.objects.count() == len(first) + 7


def test_a_row_that_cannot_be_stored_costs_no_other_its_place(
    together: Together, gate: Gate
) -> None:
    first = busy(together, gate)
    good = [Delivery(together, lambda n=n: row(f"C-{n}")) for n in range(3)]  # type: ignore[misc]  # a default
    poison = Delivery(together, lambda: row("C-poison", length=-1))
    gathered(together, 4)
    gate.open()

    assert isinstance(poison.told(), IntegrityError)
    assert [one.told() for one in (*first, *good)] == [None] * (len(first) + 3)
    stored = set(Notification.objects.values_list("subject", flat=True))
    assert {"C-0", "C-1", "C-2"} <= stored
    assert "C-poison" not in stored


def test_what_cannot_be_understood_is_told_to_its_own_sender_at_once(
    together: Together, gate: Gate
) -> None:
    def broken() -> Row:
        raise LookupError("not this one")

    first = busy(together, gate)
    stranger = Delivery(together, broken)

    assert isinstance(stranger.told(), LookupError)  # although nothing can be written now
    gate.open()
    assert [one.told() for one in first] == [None] * len(first)


def test_a_thousand_at_once_are_each_stored_once(together: Together, batches: list[int]) -> None:
    start = threading.Barrier(16)

    def deliver(lane: int) -> None:
        start.wait(20)
        for number in range(63):
            together.store(lambda: row(f"{lane}-{number}"))  # noqa: B023  called before the next

    lanes = [threading.Thread(target=deliver, args=(lane,)) for lane in range(16)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join(60)

    subjects = list(Notification.objects.values_list("subject", flat=True))
    assert len(subjects) == len(set(subjects)) == 16 * 63
    assert sum(batches) == 16 * 63
    assert max(batches) <= MOST_TOGETHER


def test_the_row_is_what_came_in(together: Together) -> None:
    together.store(lambda: row("C-\N{LATIN SMALL LETTER E WITH DIAERESIS}'\\%s$1"))

    stored = Notification.objects.get()
    assert stored.subject == "C-\N{LATIN SMALL LETTER E WITH DIAERESIS}'\\%s$1"
    assert bytes(stored.raw) == b"<a/>"
    assert stored.parsed == {"user_id": stored.subject}
    assert (stored.flags, stored.tries, stored.claim, stored.traceback) == ([], 0, "", "")
    assert stored.received_at == datetime(2026, 8, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (stored.source, stored.verdict) == ("127.0.0.1", Notification.Verdict.WAITING)


def test_behind_a_pooler_nothing_is_prepared(
    together: Together, postgresql: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    together.store(lambda: row("C-1"))
    table = next(one for one in together._free or () if one._connection is not None)
    table.connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    together.store(lambda: row("C-2"))

    with table.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'store%%'")
        [prepared] = cursor.fetchone()
    assert Notification.objects.count() == 2
    assert prepared <= 1
