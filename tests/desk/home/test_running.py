"""The workbench tells whether everything runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.desk.freshness import Word
from backoffice.desk.home import home_page
from backoffice.desk.running import Check
from backoffice.explanations.services import explain
from backoffice.jobs.models import CheckRun
from backoffice.outbox.models import PushState, ServiceState
from credits.status import CreditStatus
from tests.desk.home.conftest import NOW, queued, somebody, state, told
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db


def check(name: str) -> Check:
    return next(check for check in home_page(somebody(), NOW).checks if check.name == name)


def answered(service: str, **columns: Any) -> ServiceState:
    return ServiceState.objects.create(service=service, **columns)


def test_a_machine_that_never_ran_is_unknown_and_not_broken() -> None:
    page = home_page(somebody(), NOW)

    assert {check.word for check in page.checks} == {Word.UNKNOWN}
    assert page.alarm is None
    assert page.silence is None


def test_a_working_sender_tells_its_queue() -> None:
    state(beat_at=NOW - timedelta(seconds=5))
    queued(NOW - timedelta(seconds=8))

    assert check("Sending") == Check(Word.ON_TIME, "Sending", "1 in the queue, oldest 8 s")
    assert check("Worker") == Check(Word.ON_TIME, "Worker", "at work")


def test_a_queue_that_waits_long_is_seen() -> None:
    state(beat_at=NOW)
    queued(NOW - timedelta(minutes=11))

    assert check("Sending").word == Word.BEHIND
    assert home_page(somebody(), NOW + timedelta(hours=3)).checks[0].word == Word.ACTION


def test_a_sender_that_gives_no_sign_any_more_is_bad_news() -> None:
    state(beat_at=NOW - timedelta(minutes=3))

    assert check("Worker") == Check(
        Word.ACTION, "Worker", "silent since 09:57; ask your administrator to start it"
    )
    assert home_page(somebody(), NOW).lead.endswith("Not everything runs.")


def test_a_queue_without_any_sender_is_bad_news() -> None:
    queued(NOW)

    assert check("Worker").word == Word.ACTION


def test_each_service_of_edu_ix_has_its_own_line() -> None:
    failed_at = NOW - timedelta(minutes=2)
    row = answered("profile", last_failure_at=failed_at)
    answered("credit", last_success_at=NOW - timedelta(minutes=1))

    assert check("Edu-iX Profile").word == Word.BEHIND
    assert check("Edu-iX Credit") == Check(Word.ON_TIME, "Edu-iX Credit", "last answer 09:59")

    ServiceState.objects.filter(pk=row.pk).update(last_success_at=NOW - timedelta(hours=3))

    words = "no answer at 09:58; the last one at 07:00"
    assert check("Edu-iX Profile") == Check(Word.ACTION, "Edu-iX Profile", words)

    ServiceState.objects.filter(pk=row.pk).update(last_success_at=NOW - timedelta(minutes=1))

    assert check("Edu-iX Profile").word == Word.ON_TIME


def test_a_refused_login_is_an_alarm_with_what_to_do() -> None:
    state(beat_at=NOW, stopped_at=NOW - timedelta(hours=1), code=-2208, login_tries=3)

    page = home_page(somebody(), NOW)

    assert page.alarm is not None
    assert page.alarm.title
    assert page.alarm.steps
    words = {check.name: check.word for check in page.checks}
    assert words["Sending"] == words["Edu-iX Profile"] == words["Edu-iX Credit"] == Word.ACTION


def test_a_login_that_one_service_refuses_is_not_blamed_on_the_other() -> None:
    state(stopped_at=NOW, refused_service="credit")
    answered("profile", last_success_at=NOW)

    assert check("Edu-iX Profile").word == Word.ON_TIME
    assert check("Edu-iX Credit").word == Word.ACTION


def test_notifications_of_today_are_those_since_midnight_here() -> None:
    told(datetime(2026, 11, 20, 8, 11, tzinfo=UTC))
    told(datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
    told(datetime(2026, 11, 19, 22, 30, tzinfo=UTC))

    words = "last 09:11, 2 today"
    assert check("Notifications") == Check(Word.ON_TIME, "Notifications", words)


def left(number: int, at: datetime) -> None:
    PersonCreditFactory.create_batch(
        number,
        status=CreditStatus.WAITING_FOR_PUBLISHER,
        push_state=PushState.IN_SYNC,
        registered_at=at,
    )


def test_a_partner_that_stays_away_is_an_alarm_and_a_hiccup_is_none() -> None:
    gone = NOW - timedelta(minutes=7)
    state(beat_at=NOW, unreachable_since=gone, failures=1)
    assert home_page(somebody(), NOW).alarm is None

    ServiceState.objects.update(failures=4)
    alarm = home_page(somebody(), NOW).alarm

    assert alarm is not None
    assert (alarm.title, alarm.since) == (explain("own:unreachable").title, gone)


def test_credits_that_left_and_no_notification_since_raise_an_alarm() -> None:
    told(NOW - timedelta(days=1))
    left(19, NOW - timedelta(hours=2))

    assert home_page(somebody(), NOW).silence is None

    left(1, NOW - timedelta(hours=2))
    silence = home_page(somebody(), NOW).silence

    assert silence is not None
    assert silence.title == "No notifications received since 19 November, 10:00"
    assert "/soap/4.0/notification" in silence.step
    assert check("Notifications").word == Word.BEHIND

    told(NOW - timedelta(minutes=1))

    assert home_page(somebody(), NOW).silence is None
    assert check("Notifications").word == Word.ON_TIME


def test_the_alarm_stands_on_the_page(manager: Client) -> None:
    left(20, timezone.now() - timedelta(hours=4))
    manager.cookies["django_language"] = "en"

    page = manager.get("/admin/").content.decode()

    assert "No notifications received yet" in page
    assert "action needed" in page


def test_a_comparison_is_late_only_where_there_is_something_to_compare() -> None:
    run = CheckRun.objects.create(scope="nightly", status="done", answered=1, total=1)
    CheckRun.objects.filter(pk=run.pk).update(finished_at=NOW - timedelta(days=3))

    assert check("Comparison").word == Word.ON_TIME

    PersonFactory(push_state=PushState.IN_SYNC, registered_at=NOW)

    assert check("Comparison") == Check(
        Word.ACTION, "Comparison", "last compared 17 November, 10:00"
    )
