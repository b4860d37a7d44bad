"""Bars per day as plain numbers; the template draws them as SVG, without a script or a style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DAYS: Final = 14
STEP: Final = 45  # from one bar to the next; all lengths in units of the view box
WIDTH: Final = 26
BASE: Final = 130  # where the bars stand
TALLEST: Final = 110
LABELLED: Final = (0, 7, 13)


@dataclass(frozen=True)
class Bar:
    """One day: what came in, how much of it told a fault, and where its bar stands."""

    day: date
    count: int
    faults: int
    x: int
    y: int
    height: int
    fault_y: int
    fault_height: int
    is_labelled: bool


@dataclass(frozen=True)
class Chart:
    """Fourteen days of notifications."""

    bars: tuple[Bar, ...]
    total: int
    faults: int


def chart_of(counts: Mapping[date, tuple[int, int]], today: date) -> Chart:
    """Bars for the last fourteen days; `counts` gives a day's number and its faults."""
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    most = max((count for count, _faults in counts.values()), default=0)
    bars = tuple(_bar(at, day, *counts.get(day, (0, 0)), most) for at, day in enumerate(days))
    return Chart(bars, sum(bar.count for bar in bars), sum(bar.faults for bar in bars))


def _bar(at: int, day: date, count: int, faults: int, most: int) -> Bar:
    height, fault_height = _length(count, most), _length(faults, most)
    return Bar(
        day=day,
        count=count,
        faults=faults,
        x=12 + at * STEP,
        y=BASE - height,
        height=height,
        fault_y=BASE - fault_height,
        fault_height=fault_height,
        is_labelled=at in LABELLED,
    )


def _length(number: int, most: int) -> int:
    """At least two units: a single fault must be seen beside thousands."""
    return max(2, number * TALLEST // most) if number else 0
