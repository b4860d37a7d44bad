from __future__ import annotations

import pytest

from benchmarks.children import Usage
from benchmarks.figures import (
    Figure,
    Ratio,
    Row,
    figure_of,
    p99_ratio,
    rate_ratio,
)
from benchmarks.load import Outcome


def row(*rates: float) -> Row:
    return Row("product", "the door", [Figure(rate, 1.0, 1000 / rate) for rate in rates])


def test_a_row_shows_the_median_of_its_rounds() -> None:
    middle = row(100, 900, 200).median()

    assert middle.rate == 200
    assert middle.cpu_us is None


def test_a_ratio_is_taken_within_each_round() -> None:
    # A machine that is twice as slow in the second round changes nothing.
    ratio = rate_ratio(row(400, 200, 390), row(200, 100, 200), 1.9)

    assert ratio.values == (2.0, 2.0, 1.95)
    assert ratio.value == 2.0
    assert ratio.is_met


def test_a_ceiling_is_met_from_below() -> None:
    assert p99_ratio(row(400), row(100), 0.25).is_met
    assert not p99_ratio(row(300), row(100), 0.25).is_met


def test_without_a_target_nothing_is_met_or_missed() -> None:
    assert rate_ratio(row(1), row(2)).is_met is None


@pytest.mark.parametrize(("value", "is_met"), [(1.89, False), (1.9, True)])
def test_a_floor_is_met_from_above(value: float, is_met: bool) -> None:
    assert Ratio("x", (value,), 1.9).is_met is is_met


def test_the_figure_of_a_load_counts_only_what_was_accepted() -> None:
    outcome = Outcome(2.0, {"200": 100, "503": 50}, 1.0, 2.0, 0.1, 10.0)

    figure = figure_of(outcome, Usage(1.0, 90.0), Usage(1.5, 100.0))

    assert figure == Figure(50.0, 1.0, 2.0, 5000.0, 100.0)


def test_a_system_that_does_not_tell_usage_leaves_it_out() -> None:
    outcome = Outcome(2.0, {"200": 100}, 1.0, 2.0, 0.1, None)

    figure = figure_of(outcome, Usage(None, None), Usage(None, None))

    assert figure == Figure(50.0, 1.0, 2.0, None, None)
