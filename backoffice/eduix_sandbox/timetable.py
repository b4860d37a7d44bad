"""The clock of the sandbox: a thread that lets planned events happen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .agenda import Agenda
from .prematch import link_when_due
from .rows import Event
from .specify import correct, specify
from .world import World

logger = logging.getLogger(__name__)

HAPPENINGS: Final[dict[str, Callable[[World, Event], None]]] = {
    "link": link_when_due,
    "specify": specify,
    "correct": correct,
}


class Timetable:
    """Runs the events of the store when they are due, one at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._agenda = Agenda()
        self._thread = threading.Thread(target=self._run, name="sandbox-timetable", daemon=True)
        world.store.subscribe("event", self._note)

    def start(self) -> None:
        with self._world.store.lock:
            self._note([event.key for event in self._world.store.events])
        self._thread.start()

    def stop(self) -> None:
        self._world.store.unsubscribe("event")
        self._agenda.close()
        self._thread.join(timeout=2)

    def hurry(self) -> int:
        """Make everything that is planned due at once; returns how much that is."""
        with self._world.store.change():
            events = list(self._world.store.events)
            for event in events:
                self._world.store.events.put(replace(event, due=0.0))
        return len(events)

    def _note(self, keys: list[str]) -> None:
        for key in keys:
            if event := self._world.store.events.get(key):
                self._agenda.add(key, event.due)

    def _run(self) -> None:
        while (key := self._agenda.take()) is not None:
            try:
                self._let_happen(key)
            except Exception:  # a thread's border: the next event must still happen
                logger.exception("sandbox_event_failed", extra={"event_key": key})

    def _let_happen(self, key: str) -> None:
        with self._world.store.change():
            event = self._world.store.events.get(key)
            # Planned anew in the meantime: its own place in the agenda is still to come.
            if event is None or event.due > time.time():
                return
            self._world.store.events.remove(key)
            HAPPENINGS[event.kind](self._world, event)
