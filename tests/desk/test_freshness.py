"""On time, running late, action needed: each word at its own moment, with the clock moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backoffice.desk.freshness import (
    NotificationFacts,
    PartnerFacts,
    SchoolFacts,
    SendingFacts,
    Word,
    comparison_word,
    notifications_word,
    partner_word,
    school_word,
    sending_word,
    worker_word,
)

T = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OK, LATE, BAD, UNKNOWN = Word.ON_TIME, Word.BEHIND, Word.ACTION, Word.UNKNOWN
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def over_time(steps: dict[timedelta, Word]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("passed", "word"), list(steps.items()))


@over_time(
    {10 * MINUTE: OK, 10 * MINUTE + SECOND: LATE, 2 * HOUR: LATE, 2 * HOUR + SECOND: BAD, DAY: BAD}
)
def test_a_queue_runs_late_after_ten_minutes(passed: timedelta, word: Word) -> None:
    assert sending_word(SendingFacts(rows=1, oldest_at=T), T + passed) == word


def test_stopped_sending_needs_somebody_even_with_nothing_to_send() -> None:
    assert sending_word(SendingFacts(stopped_at=T), T) == BAD
    assert sending_word(SendingFacts(has_sent=True), T) == OK
    assert sending_word(SendingFacts(), T) == UNKNOWN


@over_time({MINUTE: OK, MINUTE + SECOND: LATE, 2 * MINUTE: LATE, 2 * MINUTE + SECOND: BAD})
def test_a_worker_is_missed_after_a_minute(passed: timedelta, word: Word) -> None:
    assert worker_word(T, False, T + passed) == word


def test_a_queue_that_no_worker_ever_saw_needs_one() -> None:
    assert worker_word(None, True, T) == BAD
    assert worker_word(None, False, T) == UNKNOWN


@over_time({MINUTE: LATE, 2 * HOUR: LATE, 2 * HOUR + SECOND: BAD})
def test_a_service_without_an_answer_runs_late_at_once(passed: timedelta, word: Word) -> None:
    facts = PartnerFacts(answered_at=T, failed_at=T + 30 * SECOND)

    assert partner_word(facts, T + passed) == word
    assert partner_word(PartnerFacts(failed_at=T), T + passed) == word


def test_a_service_that_nobody_asked_for_a_week_is_still_on_time() -> None:
    assert partner_word(PartnerFacts(answered_at=T), T + 7 * DAY) == OK
    assert partner_word(PartnerFacts(answered_at=T, failed_at=T - HOUR), T + 7 * DAY) == OK
    assert partner_word(PartnerFacts(), T) == UNKNOWN
    assert partner_word(PartnerFacts(answered_at=T, refused_at=T), T) == BAD


@over_time({HOUR: OK, HOUR + SECOND: LATE, 3 * HOUR: LATE, 3 * HOUR + SECOND: BAD})
def test_silence_after_twenty_credits(passed: timedelta, word: Word) -> None:
    facts = NotificationFacts(last_at=T - DAY, publisher_due_at=T)

    assert notifications_word(facts, T + passed) == word


@over_time({DAY: OK, DAY + SECOND: LATE, 30 * DAY: LATE})
def test_schools_get_a_day_to_link_and_silence_then_is_no_alarm_yet(
    passed: timedelta, word: Word
) -> None:
    facts = NotificationFacts(last_at=T - DAY, school_due_at=T)

    assert notifications_word(facts, T + passed) == word


@over_time({10 * MINUTE: OK, 11 * MINUTE: LATE, 121 * MINUTE: BAD})
def test_what_is_stored_must_be_applied(passed: timedelta, word: Word) -> None:
    assert notifications_word(NotificationFacts(last_at=T, stored_at=T), T + passed) == word


def test_quiet_weeks_without_credits_are_no_silence() -> None:
    assert notifications_word(NotificationFacts(last_at=T), T + 60 * DAY) == OK
    assert notifications_word(NotificationFacts(), T) == UNKNOWN
    assert notifications_word(NotificationFacts(publisher_due_at=T), T + 2 * HOUR) == LATE


@over_time({26 * HOUR: OK, 27 * HOUR: LATE, 50 * HOUR: LATE, 51 * HOUR: BAD})
def test_a_night_without_a_comparison(passed: timedelta, word: Word) -> None:
    assert comparison_word(T, T + passed) == word


def test_a_comparison_that_never_was_is_unknown() -> None:
    assert comparison_word(None, T) == UNKNOWN


@pytest.mark.parametrize(
    ("facts", "patience"),
    [
        (SchoolFacts(under_way_since=T), 10 * MINUTE),
        (SchoolFacts(unsent_since=T), DAY),
        (SchoolFacts(at_publisher_since=T), DAY),
        (SchoolFacts(at_school_since=T), 7 * DAY),
    ],
)
def test_a_school_runs_late_when_its_oldest_row_waits_too_long(
    facts: SchoolFacts, patience: timedelta
) -> None:
    assert school_word(facts, T + patience) == OK
    assert school_word(facts, T + patience + SECOND) == LATE
    assert school_word(facts, T + 365 * DAY) == LATE


def test_a_refused_row_is_an_action_whatever_else_waits() -> None:
    assert school_word(SchoolFacts(refused=1, under_way_since=T), T) == BAD
    assert school_word(SchoolFacts(), T) == OK
