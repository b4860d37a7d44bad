"""A door that answers first and stores a moment later, as one does who trusts a queue in memory."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from backoffice.wsgi import application
from notifications import door
from notifications.store import DatabaseProblem, Received
from tests.chaos.inbound.broken import put_in_place

__all__ = ["application"]

LATER_SECONDS: Final = 0.3

_waiting: queue.SimpleQueue[tuple[float, Received]] = queue.SimpleQueue()


def _put(understand: Callable[[], Received]) -> Received:
    received = understand()
    _waiting.put((time.monotonic() + LATER_SECONDS, received))
    return received


def _work() -> None:
    while True:
        due, received = _waiting.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            _store(lambda received=received: received)
        except DatabaseProblem:  # it was answered: nobody is left to tell
            continue


_store = put_in_place(door, "store", _put)
threading.Thread(target=_work, daemon=True).start()
