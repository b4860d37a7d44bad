"""The state of the sandbox: tables, ledger, one lock, and changes that happen wholly or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .rows import (
    Credit,
    Event,
    LedgerRow,
    Outgoing,
    Person,
    Reference,
    SchoolPerson,
    credit_from_json,
    to_json,
)
from .statefile import StateFile
from .tables import Table


class Store:
    """Read and write inside `with store.change():`, which holds the lock.

    What happens inside is kept in the file (when there is one) before the block ends; an
    exception takes all of it back.
    """

    def __init__(self, file: StateFile | None = None) -> None:
        self.lock = threading.RLock()
        self._file = file
        self._journal: list[tuple[Table[Any], str, Any]] = []
        self._written_down: list[LedgerRow] = []
        self._ledger: list[LedgerRow] = []
        self._listeners: dict[str, Callable[[list[str]], None]] = {}
        self._depth = 0
        self._make_tables()
        if file is not None:
            self._load(file)

    def _make_tables(self) -> None:
        journal = self._journal
        self.persons: Table[Person] = Table(
            "person",
            lambda data: Person(**data),
            journal,
            profile=lambda row: str(row.profile_id),
            user=lambda row: row.user_id,
            eck=lambda row: row.eck_id,
        )
        self.schoolpersons: Table[SchoolPerson] = Table(
            "schoolperson",
            lambda data: SchoolPerson(**data),
            journal,
            person=lambda row: row.person,
            organisation=lambda row: row.organisation,
        )
        self.person_credits: Table[Credit] = Table(
            "personCredit",
            credit_from_json,
            journal,
            schoolperson=lambda row: row.fields["distributorSchoolPersonID"],
        )
        self.school_credits: Table[Credit] = Table(
            "schoolCredit",
            credit_from_json,
            journal,
            organisation=lambda row: row.fields["organisationID"],
        )
        self.references: Table[Reference] = Table("reference", lambda d: Reference(**d), journal)
        self.events: Table[Event] = Table("event", lambda data: Event(**data), journal)
        self.outgoing: Table[Outgoing] = Table("outgoing", lambda d: Outgoing(**d), journal)

    @property
    def tables(self) -> dict[str, Table[Any]]:
        """All tables by the kind of their rows."""
        tables: list[Table[Any]] = [
            self.persons,
            self.schoolpersons,
            self.person_credits,
            self.school_credits,
            self.references,
            self.events,
            self.outgoing,
        ]
        return {table.kind: table for table in tables}

    def credits(self, kind: str) -> Table[Credit]:
        """The credits of kind "personCredit" or "schoolCredit"."""
        return {"personCredit": self.person_credits, "schoolCredit": self.school_credits}[kind]

    def _load(self, file: StateFile) -> None:
        tables = self.tables
        for kind, data in file.rows():
            row = tables[kind].load(data)
            tables[kind].restore(row.key, row)
        self._ledger = [LedgerRow(**data) for data in file.ledger()]

    def subscribe(self, kind: str, listener: Callable[[list[str]], None]) -> None:
        """Tell the listener, after every change, the keys of this kind that were touched.

        It is called with the lock held and must be quick.
        """
        self._listeners[kind] = listener

    def unsubscribe(self, kind: str) -> None:
        self._listeners.pop(kind, None)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, keep what was changed, take all of it back on an exception."""
        with self.lock:
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._keep()
            except BaseException:
                self._take_back()
                raise
            finally:
                self._depth -= 1

    @property
    def has_changes(self) -> bool:
        """Whether rows were touched inside the present change."""
        return bool(self._journal)

    def _keep(self) -> None:
        changed = {(table.kind, key): table for table, key, _ in self._journal}
        if self._file is not None and (changed or self._written_down):
            rows = ((kind, key, table.get(key)) for (kind, key), table in changed.items())
            self._file.write(
                [(kind, key, None if row is None else to_json(row)) for kind, key, row in rows],
                [(row.number, to_json(row)) for row in self._written_down],
            )
        self._journal.clear()
        self._written_down.clear()
        for kind, listener in self._listeners.items():
            if keys := [key for changed_kind, key in changed if changed_kind == kind]:
                listener(keys)

    def _take_back(self) -> None:
        for table, key, old in reversed(self._journal):
            table.restore(key, old)
        self._journal.clear()
        del self._ledger[len(self._ledger) - len(self._written_down) :]
        self._written_down.clear()

    def write_down(self, row: LedgerRow) -> LedgerRow:
        """Add a call to the ledger; its number and time are given here."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        numbered = replace(row, number=len(self._ledger) + 1, at=now)
        self._ledger.append(numbered)
        self._written_down.append(numbered)
        return numbered

    def ledger(self) -> list[LedgerRow]:
        """All calls so far, oldest first."""
        with self.lock:
            return list(self._ledger)

    def clear(self) -> None:
        """Forget everything, in the file too."""
        with self.lock:
            if self._file is not None:
                self._file.clear()
            for table in self.tables.values():
                for row in table:
                    table.restore(row.key, None)
            self._ledger.clear()

    def close(self) -> None:
        with self.lock:
            if self._file is not None:
                self._file.close()
