"""The bars of the home page."""

from __future__ import annotations

from datetime import date

from backoffice.desk.chart import BASE, DAYS, TALLEST, chart_of

TODAY = date(2026, 11, 21)


def test_there_is_a_bar_for_each_of_the_last_fourteen_days() -> None:
    chart = chart_of({}, TODAY)

    days = [bar.day for bar in chart.bars]
    assert (days[0], days[-1]) == (date(2026, 11, 8), TODAY)
    assert len(chart.bars) == DAYS
    assert chart.total == 0


def test_the_busiest_day_has_the_tallest_bar_and_every_bar_stands_on_the_line() -> None:
    chart = chart_of({TODAY: (200, 20), date(2026, 11, 20): (100, 0)}, TODAY)

    before, last = chart.bars[-2:]
    assert last.height == TALLEST
    assert before.height == TALLEST // 2
    assert last.y + last.height == before.y + before.height == BASE
    assert last.fault_y + last.fault_height == BASE
    assert (chart.total, chart.faults) == (300, 20)


def test_a_single_fault_among_thousands_can_still_be_seen() -> None:
    chart = chart_of({TODAY: (5000, 1)}, TODAY)

    assert chart.bars[-1].fault_height == 2


def test_a_day_without_notifications_has_no_bar() -> None:
    chart = chart_of({TODAY: (10, 0)}, TODAY)

    assert chart.bars[0].height == 0
    assert chart.bars[-1].fault_height == 0


def test_all_bars_fit_in_the_picture() -> None:
    chart = chart_of({TODAY: (1, 1)}, TODAY)

    assert all(0 <= bar.x <= 640 - 26 for bar in chart.bars)
    assert sum(bar.is_labelled for bar in chart.bars) == 3
