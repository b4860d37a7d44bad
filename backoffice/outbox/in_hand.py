"""Messages that a drainer has claimed and that wait for a connection to be free."""

from __future__ import annotations

import queue
import threading
from typing import Any, Final

from backoffice.outbox.models import Message

LAST: Final = 1_000_000  # after every priority


class InHand:
    """Safe to share between threads; urgent ones pass others here too."""

    def __init__(self) -> None:
        # By priority, key and fence: one that was taken over and claimed anew may stand here twice.
        self._jobs: queue.PriorityQueue[tuple[int, int, int, Message | None, Any]] = (
            queue.PriorityQueue()
        )
        self._changed = threading.Condition()
        self._at_once = LAST

    def __len__(self) -> int:
        return self._jobs.qsize()

    def put(self, message: Message, prepared: Any) -> None:
        """Let it be sent by the next thread that is free."""
        self._jobs.put((message.priority, message.pk, message.fence, message, prepared))

    def let(self, threads: int) -> None:
        """From now on only the first so many threads may take one; the others wait."""
        with self._changed:
            self._at_once = threads
            self._changed.notify_all()

    def take(self, number: int) -> tuple[Message | None, Any]:
        """Wait for the next one and what was prepared of it; no message when a thread must end.

        `number` is that of the thread, from 0.
        """
        if number >= self._at_once:
            with self._changed:
                self._changed.wait_for(lambda: number < self._at_once)
        return self._jobs.get()[3:]

    def take_all(self) -> list[Message]:
        """All that nobody has begun."""
        left: list[Message] = []
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return left
            if job[3] is None:  # this one ends a thread, and so do all behind it
                self._jobs.put(job)
                return left
            left.append(job[3])

    def end(self, threads: int) -> None:
        """Let so many threads end, when all messages are taken."""
        self.let(threads)
        for number in range(threads):
            self._jobs.put((LAST, number, 0, None, None))
