"""Pushes out: the product's drainer with its outbox, beside stock zeep and a raw client.

The partner answers with the same bytes from a process of its own. Every message is a createPerson;
the drainer's are rows in a database, which it claims, sends and settles.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Child, offer
from benchmarks.envelopes import create_person
from benchmarks.figures import LIMIT, PEER, PRODUCT, Figure, Ratio, Row, Table, rate_ratio
from benchmarks.load import Job
from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, Workshop

CONNECTIONS: Final = 32
DELAYS: Final = (0, 50)
MOST: Final = 20_000
LONGER: Final = 8  # than other rounds: the first claim and the last result are a tenth of a second

RAW: Final = "raw client, 32 connections"
LOOP: Final = "stock zeep, a loop"
THREADS: Final = "stock zeep, 32 threads"


@dataclass
class Contender:
    """Sends so many persons to a port, under keys of its own, and tells what it measured."""

    role: str
    name: str
    send: Callable[[int, int, str], Figure]
    sent: int = 0
    runs: int = 0

    def run(self, port: int, count: int) -> Figure:
        """Send `count` persons that nobody has sent before."""
        self.runs += 1
        self.sent += count
        key = "".join(letter for letter in self.name if letter.isalnum())
        return self.send(port, count, f"{key}-{port}-{self.runs}-")


@dataclass
class Drainer:
    """The product in a process of its own, with a database of its own."""

    kind: str
    worker: Child
    sent: int = 0

    def send(self, port: int, count: int, prefix: str) -> Figure:
        """Queue persons, then measure how they go out."""
        self.worker.ask({"do": "prepare", "count": count, "prefix": prefix})
        self.sent += count
        return _figure(
            self.worker.ask(
                {"do": "drain", "count": count, "port": port, "connections": CONNECTIONS}
            )
        )

    def check(self) -> list[str]:
        """What is wrong with its rows: each must be in sync, after one accepted attempt."""
        found = self.worker.ask({"do": "check"})
        return [
            f"drainer, {self.kind}: {count} of {self.sent} {name}"
            for name, count in found.items()
            if count != self.sent
        ]


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """A table for each delay of the partner."""
    nothing = workshop.environ("sqlite://:memory:")
    partner = workshop.start("partner", ["-m", "benchmarks.partner", *map(str, DELAYS)], nothing)
    ports = dict(zip(DELAYS, partner.read()["ports"], strict=True))
    stock = workshop.start("zeep", ["-m", "benchmarks.workers.zeep_client"], nothing)
    for delay, port in ports.items():
        # New ones each time: the most memory of the first would count for the second.
        drainers = [start_drainer(workshop, kind, delay) for kind in workshop.kinds]
        contenders = contenders_for(drainers, stock, is_slow=delay > 0)
        rows = run_rounds(contenders, port, scale, f"pushes out, partner at {delay} ms")
        table = _table(delay, rows)
        sent = sum(contender.sent for contender in contenders)
        counts = partner.ask({})[str(port)]
        table.problems += partner_problems(counts, sent, clients=len(drainers) + 1)
        table.problems += [problem for drainer in drainers for problem in drainer.check()]
        workshop.stop(*(drainer.worker for drainer in drainers))
        yield table
    workshop.stop(stock, partner)


def start_drainer(workshop: Workshop, kind: str, delay: int) -> Drainer:
    """The product's process on an empty database."""
    environ = workshop.environ(workshop.database(kind, f"out{delay}"))
    return Drainer(kind, workshop.start(kind, ["-m", "benchmarks.workers.product"], environ))


def contenders_for(drainers: list[Drainer], stock: Child, *, is_slow: bool) -> list[Contender]:
    """Who sends; a loop against a slow partner would only measure the partner."""

    def zeep(threads: int) -> Callable[[int, int, str], Figure]:
        def send(port: int, count: int, prefix: str) -> Figure:
            job = {"port": port, "count": count, "prefix": prefix, "threads": threads}
            return _figure(stock.ask(job))

        return send

    return [
        *(Contender(PRODUCT, f"drainer, {each.kind}", each.send) for each in drainers),
        *([] if is_slow else [Contender(PEER, LOOP, zeep(1))]),
        Contender(PEER, THREADS, zeep(CONNECTIONS)),
        Contender(LIMIT, RAW, send_raw),
    ]


def send_raw(port: int, count: int, prefix: str) -> Figure:
    """The same bytes over as many connections, without reading a word of the answer."""
    path = endpoint_path("profile")
    outcome = offer(
        Job(port, path, create_person(), prefix, CONNECTIONS, requests=count, action="createPerson")
    )
    return Figure(
        outcome.accepted / outcome.seconds,
        outcome.p50_ms,
        outcome.p99_ms,
        outcome.cpu_seconds / max(outcome.accepted, 1) * 1e6,
        outcome.memory_mb,
    )


def run_rounds(contenders: list[Contender], port: int, scale: Scale, title: str) -> list[Row]:
    """Warm-ups that tell how many messages fill the time, then the rounds.

    Too few, by a cold start, and beginning and ending weigh more than what is between.
    """
    counts = {}
    for contender in contenders:
        contender.run(port, scale.least)  # the very first: everything is loaded and connected
        rate = contender.run(port, 8 * scale.least).rate
        counts[contender.name] = max(scale.least, min(MOST, round(rate * scale.seconds * LONGER)))
    rows = {contender.name: Row(contender.role, contender.name) for contender in contenders}
    for number in range(scale.rounds):
        print(f"{title}: round {number + 1}", file=sys.stderr)
        for contender in scale.in_turn(contenders, number):
            figure = contender.run(port, counts[contender.name])
            rows[contender.name].rounds.append(figure)
    return list(rows.values())


def partner_problems(counts: Mapping[str, int], sent: int, *, clients: int) -> list[str]:
    """What the partner saw otherwise: each person once, and one login for each client."""
    expected = {"creates": sent, "keys": sent, "others": 0, "logins": clients}
    return [
        f"the partner saw {counts[name]} {name}, not {number}"
        for name, number in expected.items()
        if counts[name] != number
    ]


def _figure(told: Mapping[str, Any]) -> Figure:
    return Figure(
        told["messages"] / told["seconds"],
        told["p50_ms"],
        told["p99_ms"],
        told["cpu_seconds"] / max(told["messages"], 1) * 1e6,
        told["memory_mb"],
    )


def _table(delay: int, rows: list[Row]) -> Table:
    named = {row.name: row for row in rows}
    ratios = []
    for row in rows:
        if row.role != PRODUCT:
            continue
        is_judged = row.name.endswith(POSTGRESQL)  # the targets are for production
        if delay:
            ratios += [
                rate_ratio(row, named[RAW], 0.95 if is_judged else None),
                rate_ratio(row, named[THREADS]),
                _memory(row, 120.0 if is_judged else None),
            ]
        else:
            ratios.append(rate_ratio(row, named[LOOP], 2.5 if is_judged else None))
    return Table(f"Pushes out: partner at {delay} ms, {CONNECTIONS} connections", rows, ratios)


def _memory(row: Row, ceiling: float | None) -> Ratio:
    values = tuple(one.memory_mb or 0.0 for one in row.rounds)
    return Ratio(f"{row.name}: memory, MB", values, ceiling, is_ceiling=True)
