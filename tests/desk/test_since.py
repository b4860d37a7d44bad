"""How long something lasts and when it was, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from backoffice.desk.since import duration, moment

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=8), "8 s"),
        (timedelta(seconds=89), "89 s"),
        (timedelta(minutes=12, seconds=40), "12 min"),
        (timedelta(hours=1, minutes=30), "1 hour"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_a_duration_is_told_in_one_unit(length: timedelta, words: str) -> None:
    with translation.override("en"):
        assert duration(length) == words


def test_a_moment_of_today_is_a_time_in_our_own_zone() -> None:
    assert moment(datetime(2026, 11, 21, 8, 11, tzinfo=UTC), NOW) == "09:11"


def test_another_day_is_told_with_its_date_and_another_year_with_its_year() -> None:
    with translation.override("en"):
        earlier = moment(datetime(2026, 8, 1, 8, 11, tzinfo=UTC), NOW)
        long_ago = moment(datetime(2024, 8, 1, 8, 11, tzinfo=UTC), NOW)

    assert earlier == "1 August, 10:11"
    assert long_ago == "1 August 2024, 10:11"


def test_just_before_midnight_in_utc_is_tomorrow_here() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    with translation.override("en"):
        assert moment(late, NOW) == "22 November, 00:30"
