"""S14: neither the time nor the bytes of an answer tell what is wrong with a login."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from statistics import fmean, variance
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.product.broken import BROKEN

HIGHEST_T: Final = 4.5
KEPT: Final = 0.9  # of each class: the slowest were disturbed by something else
ROUNDS: Final = 3  # a busy machine may make a difference once, our code would each time
NAME: Final = "eduix-notifier"
SECRET: Final = "q7RmX2vN8kLw5YtB3pZc9HsD6fGj4aQe1uVxK0nTzMrW8yPbE5hJd2LgC7sAF3mU"  # noqa: S105  made up


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """Up to three rounds; the promise is broken when each of them finds a difference."""
    samples = size.of(20_000, smoke=3000, quick=8000)
    outcome = Outcome()
    found: list[str] = []
    for number in range(ROUNDS):
        times, answers = _measured(workshop, samples, number, broken)
        outcome.tried += sum(map(len, times.values()))
        if len({tuple(answer) for answer in answers}) != 1:
            outcome.violations.append(f"the answers differ: {answers}")
        t, pair = max(
            (abs(welch(times[a], times[b])), f"{a} and {b}") for a, b in combinations(times, 2)
        )
        mean = fmean(value for values in times.values() for value in values) / 1000
        outcome.remarks.append(f"|t| up to {t:.1f} ({pair}), {mean:.1f} µs each")
        if t < HIGHEST_T:
            return outcome
        found.append(f"{pair} take another time: |t| = {t:.1f}")
    outcome.violations += found
    return outcome


def _measured(
    workshop: Workshop, samples: int, seed: int, broken: str
) -> tuple[dict[str, list[int]], list[list[str]]]:
    """Nanoseconds and answers by class, from a process of its own; no table is needed."""
    environ = workshop.environ(
        f"sqlite:///{workshop.folder / 'none.sqlite3'}",
        NOTIFICATION_CREDENTIALS=f"{NAME}:{SECRET}",
        **{BROKEN: broken},
    )
    arguments = ["-m", "tests.chaos.inbound.product.timing", str(samples), str(seed)]
    child = workshop.start("timing", arguments, environ)
    try:
        times: dict[str, list[int]] = child.read()
        answers: object = child.read()
        assert isinstance(answers, list)
        return times, answers
    finally:
        workshop.stop(child)


def welch(one: Sequence[int], other: Sequence[int]) -> float:
    """Welch's t of two samples without their slowest tail."""
    first, second = _without_tail(one), _without_tail(other)
    error = math.sqrt(variance(first) / len(first) + variance(second) / len(second))
    return (fmean(first) - fmean(second)) / error if error else math.inf


def _without_tail(values: Sequence[int]) -> list[int]:
    return sorted(values)[: int(len(values) * KEPT)]


EXPERIMENTS: Final = (
    Experiment(
        name="S14",
        promise="Neither time nor bytes of an answer tell what is wrong with a login",
        run=run,
        control=partial(run, broken="logins sign by sign"),
        broken="the first wrong sign ends the comparison",
    ),
)
