"""How a measured process is spoken to: a line of JSON in, a line of JSON out, until input ends."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import highest_memory_mb, percentile


@dataclass(frozen=True)
class Sent:
    """One measured run; CPU of this process alone, memory at its highest."""

    messages: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    memory_mb: float | None


class Stopwatch:
    """Wall and CPU time of one run."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._begun = time.perf_counter()
        self._seconds = self._cpu_seconds = 0.0

    def stop(self) -> None:
        """The run has ended; what follows is not measured."""
        self._seconds = time.perf_counter() - self._begun
        self._cpu_seconds = time.process_time() - self._cpu

    def sent(self, messages: int, milliseconds: Sequence[float]) -> Sent:
        """The run, with the time that each message took."""
        return Sent(
            messages=messages,
            seconds=self._seconds,
            p50_ms=percentile(milliseconds, 0.50),
            p99_ms=percentile(milliseconds, 0.99),
            cpu_seconds=self._cpu_seconds,
            memory_mb=highest_memory_mb(),
        )


def answer_questions(run: Callable[[Mapping[str, Any]], Any]) -> None:
    """Answer each line on standard input until there are no more."""
    for line in sys.stdin:
        found = run(json.loads(line))
        print(json.dumps(asdict(found) if isinstance(found, Sent) else found), flush=True)
