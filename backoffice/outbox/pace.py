"""How much a drainer may have in hand, and how many of its threads call at once.

By how long calls take, what they cost, and whether the partner falters.
"""

from __future__ import annotations

import time
from typing import Final

AHEAD: Final = 2  # messages claimed per connection, so that a free one never waits for a claim
# Larger claims cost less each, and hold nothing up while calls are short: (seconds, ahead).
AHEAD_OF_FAST: Final = ((0.02, 24), (0.2, 4))
SLOWER_SECONDS: Final = 1.0  # between two halvings of the calls at once
# Of a processor, by the calls alone. With more threads than keep it busy, they wait for each other,
# and whoever claims and writes down results waits for all of them.
BUSY: Final = 0.5
EASY: Final = 0.4
LEAST_AT_ONCE: Final = 4
LOOK_SECONDS: Final = 0.05  # between two changes of the threads that call
LATE_SECONDS: Final = 0.5  # a call that lasts longer costs no processor, and another may begin
LONGEST_WAIT: Final = 2.0  # seconds for the last one of a claim; what is urgent waits as long


class Pace:
    """Of one drainer; its threads share it."""

    def __init__(self, connections: int) -> None:
        self.allowed = float(connections)  # calls at once that the partner can take
        self.call_seconds = 1.0  # how long a call takes lately
        self.call_cpu = 0.0  # seconds of processor time that it costs
        self.at_once = connections  # threads that may call
        self._enough = connections  # of those whose calls are not late
        self._began = [0.0] * connections  # the call of each thread; 0 between two of them
        self._connections = connections
        self._slowed_at = self._looked_at = 0.0

    @property
    def capacity(self) -> int:
        """How many messages may be claimed at once; few where each call takes long."""
        if self.allowed < self._connections:
            return max(1, int(self.allowed))
        ahead = (more for seconds, more in AHEAD_OF_FAST if self.call_seconds < seconds)
        return self._connections * next(ahead, AHEAD)

    def begin(self, number: int) -> None:
        """The thread of this number begins a call."""
        self._began[number] = time.monotonic()

    def end(self, number: int, cpu: float) -> None:
        """Its call is over, and took so much of a processor: moving averages."""
        seconds, self._began[number] = time.monotonic() - self._began[number], 0.0
        self.call_seconds += (seconds - self.call_seconds) / 16
        self.call_cpu += (cpu - self.call_cpu) / 16

    def look(self) -> bool:
        """Fewer threads where calls keep the processor busy, more where they do not.

        Calls that hang count for nothing: a few of them must not hold up all others. Whether
        `at_once` changed.
        """
        now, before = time.monotonic(), self.at_once
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        busy = self._enough * self.call_cpu / max(self.call_seconds, 1e-6)
        if busy > BUSY:
            self._enough = min(self._enough, max(LEAST_AT_ONCE, self._enough * 3 // 4))
        elif busy < EASY:
            self._enough = min(self._connections, self._enough + max(1, self._enough // 4))
        late = sum(1 for began in self._began if 0.0 < began < now - LATE_SECONDS)
        self.at_once = min(self._connections, self._enough + late)
        return self.at_once != before

    def is_overtaken(self, waiting: int) -> bool:
        """Whether so many were claimed while calls were short, and have become too many since."""
        takes = waiting * self.call_seconds / self._connections
        return takes > LONGEST_WAIT and waiting > 2 * self.capacity

    def slow_down(self) -> bool:
        """Half as many calls at once; False when that was a moment ago.

        All calls under way tell of one trouble.
        """
        now = time.monotonic()
        if now - self._slowed_at <= SLOWER_SECONDS:
            return False
        self._slowed_at, self.allowed = now, max(1.0, self.allowed / 2)
        return True

    def speed_up(self) -> None:
        """One call at once more with each round of good answers."""
        more = self.allowed + 1 / max(self.allowed, 1.0)
        self.allowed = min(float(self._connections), more)
