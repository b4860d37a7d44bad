"""What tests and the control pages may ask of a running sandbox, in Python."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from .notifier import Delivery, Notifier
from .prematch import link, unlink
from .rows import LedgerRow, Person
from .timetable import Timetable
from .troubles import Trouble, trouble_from
from .world import World


class ControlError(ValueError):
    """An order that cannot be followed; the text says why, in one line."""


class UnknownKeyError(ControlError):
    """An order about a person or credit that is not there."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"there is no {what} {key}")
        self.key = key


class Controls:
    """Look into the sandbox and make things happen; safe from any thread."""

    def __init__(self, world: World, timetable: Timetable, notifier: Notifier) -> None:
        self._world = world
        self._timetable = timetable
        self._notifier = notifier

    def ledger(
        self,
        *,
        operation: str = "",
        subject: str = "",
        applied: bool | None = None,
        since: int = 0,
    ) -> list[LedgerRow]:
        """The calls with a number above `since`, narrowed; oldest first."""
        return [
            row
            for row in self._world.store.ledger()[since:]
            if operation in {"", row.operation}
            and subject in {"", row.subject}
            and applied in {None, row.applied}
        ]

    def state(self) -> dict[str, Any]:
        """Counts of everything, and what is waiting."""
        store = self._world.store
        with store.lock:
            specified = [
                credit.specification_state
                for table in (store.person_credits, store.school_credits)
                for credit in table
            ]
            return {
                "persons": len(store.persons),
                "linked": sum(bool(person.user_id) for person in store.persons),
                "schoolpersons": len(store.schoolpersons),
                "personCredits": len(store.person_credits),
                "schoolCredits": len(store.school_credits),
                "specified": specified.count("Specified"),
                "faults": specified.count("Fault"),
                "schools": len(self._world.schools),
                "sessions": self._world.sessions.count(),
                "logins": self._world.sessions.logins,
                "calls": len(store.ledger()),
                "events": len(store.events),
                "outgoing": sum(not row.dead for row in store.outgoing),
                "givenUp": sum(row.dead for row in store.outgoing),
                "troubles": [asdict(trouble) for trouble in self._world.troubles.waiting()],
            }

    def rows(self, kind: str) -> list[Any]:
        """All rows of one kind: person, schoolperson, personCredit, schoolCredit, event, …"""
        tables = self._world.store.tables
        if kind not in tables:
            raise ControlError(f"kind must be one of {', '.join(tables)}")
        with self._world.store.lock:
            return list(tables[kind])

    def deliveries(self) -> list[Delivery]:
        """Attempts to deliver notifications, oldest first."""
        return self._notifier.deliveries()

    def reset(self) -> None:
        """Forget everything but the schools, sessions and troubles included."""
        self._world.store.clear()
        self._world.sessions.expire()
        self._world.troubles.clear()
        self._notifier.forget()

    def expire_sessions(self, service: str = "") -> int:
        """End the sessions of one service or of both; returns how many."""
        return self._world.sessions.expire(service)

    def trouble(self, kind: str, operation: str = "*", **order: Any) -> Trouble:
        """Order a trouble for the next calls; raises `TroubleError`. See `troubles.KINDS`."""
        trouble = trouble_from({"kind": kind, "operation": operation, **order})
        self._world.troubles.add(trouble)
        return trouble

    def note_visitor(self, method: str) -> None:
        """Write down that somebody followed a redirect: service "elsewhere", not applied."""
        store = self._world.store
        with store.change():
            store.write_down(
                LedgerRow(0, "", "elsewhere", method, "", "", "", applied=False, trouble="redirect")
            )

    def clear_troubles(self) -> None:
        self._world.troubles.clear()

    def notify(self, operation: str, key: str) -> None:
        """Send a prematchChanged of a person or a specificationChanged of a credit now."""
        store = self._world.store
        with store.change():
            if operation == "prematchChanged":
                self._world.tell_about_person(self._person(key))
                return
            if operation != "specificationChanged":
                raise ControlError(f"there is no notification {operation}")
            for kind in ("personCredit", "schoolCredit"):
                if credit := store.credits(kind).get(key):
                    self._world.tell_about_credit(kind, credit)
                    return
            raise UnknownKeyError("credit", key)

    def link(self, person: str, user_id: str = "") -> str:
        """Let the portal link a person at once; returns the userID."""
        with self._world.store.change():
            row = self._person(person)
            holder = self._world.store.persons.first("user", user_id)
            if holder is not None and holder.key != row.key:
                raise ControlError(f"userID {user_id} belongs to another person")
            return link(self._world, row, user_id).user_id

    def unlink(self, person: str) -> None:
        """Let the portal take its userID back from a person at once."""
        with self._world.store.change():
            unlink(self._world, self._person(person))

    def hurry(self) -> int:
        """Let everything that is planned happen now; returns how much that is."""
        return self._timetable.hurry()

    def wait_until_quiet(self, seconds: float = 5.0, *, hurry: bool = False) -> bool:
        """Wait until nothing is planned and nothing must be delivered; False when time is up."""
        store = self._world.store
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if hurry:
                self.hurry()
            with store.lock:
                if not len(store.events) and all(row.dead for row in store.outgoing):
                    return True
            time.sleep(0.01)
        return False

    def _person(self, key: str) -> Person:
        person = self._world.store.persons.get(key)
        if person is None:
            raise UnknownKeyError("person", key)
        return person
