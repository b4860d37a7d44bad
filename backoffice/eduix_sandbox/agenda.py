"""Keys with a moment: a queue that hands out each key when its moment has come."""

from __future__ import annotations

import heapq
import threading
import time


class Agenda:
    """Blocks the taker until the soonest key is due; safe for several takers.

    Moments are Unix times, since they outlive a restart in the state file.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._condition = threading.Condition()
        self._closed = False

    def add(self, key: str, due: float) -> None:
        with self._condition:
            heapq.heappush(self._heap, (due, key))
            self._condition.notify()

    def take(self) -> str | None:
        """The next key that is due; None once the agenda is closed."""
        with self._condition:
            while not self._closed:
                wait = self._heap[0][0] - time.time() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[1]
                self._condition.wait(wait)
            return None

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
