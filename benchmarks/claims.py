"""Claims: what taking work from the outbox costs, in a short queue and in one of a million.

On PostgreSQL: one worker claims in each queue in turn, then four claim together until all is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.children import Child
from benchmarks.figures import PRODUCT, Figure, Ratio, Row, Table
from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, Workshop

SHORT: Final = 1_000
LONG: Final = 1_000_000
LONG_QUICK: Final = 5_000
TOGETHER: Final = 128  # as the drainer takes where calls are short
WORKERS: Final = 4
EACH: Final = 5_000  # messages that each of the four takes on the average
EACH_QUICK: Final = 200
MOST_DEARER: Final = 1.5
LEAST_RATE: Final = 10_000.0


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """Two tables; none without PostgreSQL, where production runs."""
    if POSTGRESQL not in workshop.kinds:
        return
    is_quick = scale.rounds <= 2
    yield _in_queues(workshop, scale, LONG_QUICK if is_quick else LONG)
    yield _many_workers(workshop, scale, EACH_QUICK if is_quick else EACH)


def _in_queues(workshop: Workshop, scale: Scale, long: int) -> Table:
    queues = {length: _worker(workshop) for length in (SHORT, long)}
    for length, worker in queues.items():
        worker.ask({"do": "fill", "count": length})
    rows = {length: Row(PRODUCT, f"a claim among {length:,}") for length in queues}
    for number in range(scale.rounds):
        for length in scale.in_turn(list(queues), number):
            told = queues[length].ask({"do": "claim_and_put_back", "limit": TOGETHER, "times": 5})
            rows[length].rounds.append(_figure(told))
    short, among_many = rows[SHORT], rows[long]
    pairs = zip(among_many.rounds, short.rounds, strict=True)
    dearer = tuple(many.p50_ms / few.p50_ms for many, few in pairs)
    workshop.stop(*queues.values())
    return Table(
        f"Claims of {TOGETHER} messages, PostgreSQL",
        [short, among_many],
        [Ratio(f"among {long:,} / among {SHORT:,}", dearer, MOST_DEARER, is_ceiling=True)],
    )


def _many_workers(workshop: Workshop, scale: Scale, each: int) -> Table:
    row = Row(PRODUCT, f"{WORKERS} workers, claims of {TOGETHER}")
    problems: list[str] = []
    database = workshop.database(POSTGRESQL, "claims")
    workers = [_worker(workshop, database) for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(scale.rounds):
            workers[0].ask({"do": "fill", "count": each * WORKERS})
            told = list(pool.map(_claim_all, workers))
            row.rounds.append(_together(told))
            found = workers[0].ask({"do": "check"})
            if set(found.values()) != {each * WORKERS}:
                problems.append(f"of {each * WORKERS} messages: {found}")
    workshop.stop(*workers)
    rates = tuple(one.rate for one in row.rounds)
    return Table(
        f"Claims by {WORKERS} processes at once, PostgreSQL",
        [row],
        [Ratio("messages claimed a second", rates, LEAST_RATE)],
        problems,
    )


def _claim_all(worker: Child) -> dict[str, Any]:
    return worker.ask({"do": "claim_all", "limit": TOGETHER})


def _worker(workshop: Workshop, database: str = "") -> Child:
    environ = workshop.environ(database or workshop.database(POSTGRESQL, "claims"))
    return workshop.start("claims", ["-m", "benchmarks.workers.claims"], environ)


def _figure(told: dict[str, Any]) -> Figure:
    return Figure(
        rate=told["messages"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us=told["cpu_seconds"] / max(told["messages"], 1) * 1e6,
    )


def _together(told: list[dict[str, Any]]) -> Figure:
    """From the first claim until the last one has come back."""
    messages = sum(one["messages"] for one in told)
    seconds = max(one["ended"] for one in told) - min(one["begun"] for one in told)
    return Figure(
        rate=messages / seconds,
        p50_ms=max(one["p50_ms"] for one in told),
        p99_ms=max(one["p99_ms"] for one in told),
        cpu_us=sum(one["cpu_seconds"] for one in told) / max(messages, 1) * 1e6,
    )
