"""What a round gives, and how rounds become one figure: medians, and ratios within a round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from benchmarks.children import Usage
from benchmarks.load import Outcome

PRODUCT: Final = "product"
PEER: Final = "peer"
LIMIT: Final = "limit"


@dataclass(frozen=True)
class Figure:
    """One contender in one round: items a second, milliseconds, CPU microseconds an item."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None = None
    memory_mb: float | None = None


def figure_of(outcome: Outcome, before: Usage, after: Usage) -> Figure:
    """What a load measured, with what the server used meanwhile."""
    cpu = None
    if before.cpu_seconds is not None and after.cpu_seconds is not None and outcome.accepted:
        cpu = (after.cpu_seconds - before.cpu_seconds) / outcome.accepted * 1e6
    return Figure(
        outcome.accepted / outcome.seconds, outcome.p50_ms, outcome.p99_ms, cpu, after.memory_mb
    )


@dataclass
class Row:
    """One contender with its rounds; `note` says why it has none."""

    role: str
    name: str
    rounds: list[Figure] = field(default_factory=list)
    note: str = ""

    def median(self) -> Figure:
        """Each column's median over the rounds."""
        return Figure(
            rate=median(one.rate for one in self.rounds),
            p50_ms=median(one.p50_ms for one in self.rounds),
            p99_ms=median(one.p99_ms for one in self.rounds),
            cpu_us=_median(one.cpu_us for one in self.rounds),
            memory_mb=_median(one.memory_mb for one in self.rounds),
        )


@dataclass(frozen=True)
class Ratio:
    """A comparison, one value for each round, beside the target where there is one."""

    words: str
    values: tuple[float, ...]
    target: float | None = None
    is_ceiling: bool = False

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.values)

    @property
    def is_met(self) -> bool | None:
        """None where there is no target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.is_ceiling else self.value >= self.target


def rate_ratio(one: Row, other: Row, target: float | None = None) -> Ratio:
    """How many times the rate of another; compared within each round, since rounds differ."""
    return Ratio(
        f"{one.name} / {other.name}",
        tuple(a.rate / b.rate for a, b in zip(one.rounds, other.rounds, strict=True)),
        target,
    )


def p99_ratio(one: Row, other: Row, target: float) -> Ratio:
    """The slowest hundredth beside another's."""
    return Ratio(
        f"p99 of {one.name} / {other.name}",
        tuple(a.p99_ms / b.p99_ms for a, b in zip(one.rounds, other.rounds, strict=True)),
        target,
        is_ceiling=True,
    )


@dataclass
class Table:
    """A measurement as it is printed; `problems` are wrong results, never slow ones."""

    title: str
    rows: list[Row]
    ratios: list[Ratio] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cost:
    """Microseconds of CPU that one step takes, one value for each round."""

    role: str
    name: str
    values: tuple[float, ...] = ()
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.values)


@dataclass
class CostTable:
    """Steps beside each other, and what they cost by one of them."""

    title: str
    costs: list[Cost]
    ratios: list[Ratio] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
