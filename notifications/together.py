"""Deliveries that come at the same moment are read one after the other and stored by one INSERT.

A commit waits for the disk, and a statement costs hardly more for ten rows than for one. Reading
costs twice as much in a thread that has just been woken as in one that goes on with the next. So
whoever comes while somebody reads, or while all connections write, waits; the next one whose turn
it is takes all who wait. A delivery that comes alone waits for nobody.

It also keeps connections few: the server has a thread for every slow sender, the database one
connection for every batch that is under way.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from django.db.utils import Error, InterfaceError, OperationalError

from notifications.statements import Row, Table

logger = logging.getLogger(__name__)

MOST_TOGETHER: Final = 64
# With two, each commit carries half as much: measured, one is as fast on any disk, and faster
# where the disk is quick.
WRITERS: Final = 1
# A database that hangs must not take every thread of the server with it: the office needs some.
MAX_WAITING: Final = 64
MAX_SECONDS: Final = 2.0


class Overloaded(Exception):
    """So many wait for the database already that this one must come back later."""


class Step(enum.Enum):
    """What a thread does next, when it is not writing."""

    WAIT = enum.auto()
    READ = enum.auto()
    DONE = enum.auto()


class Entry:
    """One delivery on its way through; `turn` is released when its thread has a next step."""

    __slots__ = ("is_late", "next", "problem", "row", "turn", "understand")

    def __init__(self, understand: Callable[[], Row]) -> None:
        self.understand = understand
        self.row: Row = ()
        self.problem: BaseException | None = None
        self.is_late = False  # too many were waiting for the database before it
        self.next: Step | Table = Step.WAIT
        self.turn = threading.Lock()  # cheaper than an Event
        self.turn.acquire()

    def go(self, step: Step | Table) -> None:
        """Wake its thread for this step; called once for each time that it waits."""
        self.next = step
        self.turn.release()


class Together:
    """Those who read, those who write and those who wait; one for each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._to_read: deque[Entry] = deque()
        self._to_write: deque[Entry] = deque()
        self._is_read = False  # somebody reads
        self._free: list[Table] | None = None

    def store(self, understand: Callable[[], Row]) -> None:
        """Let a delivery be understood and its row be stored and committed, with others.

        Raises what `understand` raises, a database error, or `Overloaded`.
        """
        entry = Entry(understand)
        with self._lock:
            step: Step | Table = Step.WAIT if self._is_read else Step.READ
            if self._is_read:
                self._to_read.append(entry)
            self._is_read = True
        while step is not Step.DONE:
            if step is Step.WAIT:
                step = self._wait(entry)
            elif step is Step.READ:
                step = self._read(entry)
            else:
                step = self._write(entry, step)
        if entry.problem is not None:
            raise entry.problem

    def close(self) -> None:
        """Close the connections that nobody uses now; the next row opens another."""
        with self._lock:
            for table in self._free or ():
                table.close()

    def _wait(self, entry: Entry) -> Step | Table:
        if entry.turn.acquire(timeout=MAX_SECONDS):
            return entry.next
        with self._lock:
            if entry.is_late and entry in self._to_write:
                self._to_write.remove(entry)
                raise Overloaded
        entry.turn.acquire()  # it is among the first, or being written: that has an end
        return entry.next

    def _read(self, own: Entry) -> Step | Table:
        """Understand our own and those that wait, then see to it that somebody writes them."""
        with self._lock:
            batch = _with(own, self._to_read)
        for entry in batch:
            try:
                entry.row = entry.understand()
            except BaseException as problem:  # the border: it is raised in its own thread
                entry.problem = problem
        good = [entry for entry in batch if entry.problem is None]
        with self._lock:
            reader = self._to_read.popleft() if self._to_read else None
            self._is_read = reader is not None
            writer, table = self._writer(good)
        if reader is not None:
            reader.go(Step.READ)
        for entry in batch[1:]:
            if entry.problem is not None:  # a refusal needs no database
                entry.go(Step.DONE)
        if own.problem is None and writer is own and table is not None:
            return table
        if writer is not None and table is not None:
            writer.go(table)
        return Step.WAIT if own.problem is None else Step.DONE

    def _writer(self, good: Sequence[Entry]) -> tuple[Entry | None, Table | None]:
        """Put these among those to be written; who writes at once, if a connection is free."""
        free = self._begin() if self._free is None else self._free
        writer, table = (good[0], free.pop()) if good and free else (None, None)
        for entry in good:
            if entry is not writer:
                entry.is_late = len(self._to_write) >= MAX_WAITING
                self._to_write.append(entry)
        return writer, table

    def _begin(self) -> list[Table]:
        self._free = [Table() for _ in range(WRITERS)]
        return self._free

    def _write(self, own: Entry, table: Table) -> Step:
        """Write our own row and those that wait, then pass the connection on."""
        with self._lock:
            batch = _with(own, self._to_write)
        try:
            _insert(table, batch)
        finally:
            with self._lock:
                heir = self._to_write.popleft() if self._to_write else None
                if heir is None and self._free is not None:
                    self._free.append(table)
            if heir is not None:
                heir.go(table)
            for entry in batch[1:]:
                entry.go(Step.DONE)
        return Step.DONE


def _with(own: Entry, waiting: deque[Entry]) -> list[Entry]:
    number = min(MOST_TOGETHER - 1, len(waiting))
    return [own, *(waiting.popleft() for _ in range(number))]


def _insert(table: Table, batch: Sequence[Entry]) -> None:
    """Each is stored afterwards or has its problem; nothing is raised here."""
    try:
        table.insert([entry.row for entry in batch])
    except (OperationalError, InterfaceError) as problem:
        # Not tried again: whether they were stored is not known.
        _tell(batch, problem)
    except Error as problem:
        if len(batch) == 1:
            _tell(batch, problem)
            return
        logger.warning("notifications_stored_one_by_one", extra={"count": len(batch)})
        for entry in batch:  # one that cannot be stored must not cost the others their place
            _insert(table, [entry])
    except BaseException as problem:  # the border: whoever waits for us must hear of it
        _tell(batch, problem)


def _tell(batch: Sequence[Entry], problem: BaseException) -> None:
    for entry in batch:
        entry.problem = problem


together: Final = Together()
