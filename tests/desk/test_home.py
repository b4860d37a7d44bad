"""What the workbench tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from backoffice.desk.freshness import Word
from backoffice.desk.home import home_page
from backoffice.desk.navigation import navigation
from backoffice.desk.running import Check
from backoffice.explanations.services import explain
from backoffice.jobs.models import CheckRun, Job
from backoffice.outbox.models import Message, PushState, ServiceState
from credits.status import CreditStatus
from notifications.models import Notification
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # ten o'clock here
QUERIES = 54  # session, account, the menu, own texts, the work lists, and what runs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def somebody(**columns: Any) -> User:
    """Who may see everything and looks after no school."""
    return UserFactory(is_superuser=True, **columns)


def check(name: str) -> Check:
    return next(check for check in home_page(somebody(), NOW).checks if check.name == name)


def state(**columns: Any) -> ServiceState:
    return ServiceState.objects.create(service="edu-ix", **columns)


def queued(asked_at: datetime) -> None:
    Message.objects.create(
        operation="person.push",
        subject="person:1",
        chain="person:1",
        due_at=asked_at,
        asked_at=asked_at,
    )


def answered(service: str, **columns: Any) -> ServiceState:
    return ServiceState.objects.create(service=service, **columns)


def told(received_at: datetime, error_code: int | None = None) -> None:
    Notification.objects.create(
        kind="specificationChanged",
        raw=b"",
        raw_sha256="0" * 64,
        raw_length=0,
        received_at=received_at,
        verdict="applied",
        parsed={"state": "Active", "specification": [{"amount": 1, "error_code": error_code}]},
    )


# --- words at the top ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (2, "Good night"),
        (7, "Good morning"),
        (12, "Good afternoon"),
        (18, "Good evening"),
        (23, "Good evening"),
    ],
)
def test_the_greeting_follows_the_clock_on_the_wall(hour: int, words: str) -> None:
    now = datetime(2026, 11, 20, hour - 1, 0, tzinfo=UTC)

    assert home_page(somebody(), now).greeting == words


def test_somebody_with_a_name_is_greeted_by_it() -> None:
    assert home_page(somebody(first_name="Fatima"), NOW).greeting == "Good morning, Fatima"


def test_with_nothing_to_do_the_first_line_says_so() -> None:
    assert (
        home_page(somebody(), NOW).lead == "Nothing needs your attention. Everything runs on time."
    )


def test_the_first_line_counts_what_is_ours_apart_from_what_is_the_schools() -> None:
    link = SchoolPersonFactory()
    PersonCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-5107)
    PersonCreditFactory.create_batch(
        2,
        school_person=link,
        status=CreditStatus.WAITING_FOR_PREMATCH,
        push_state=PushState.IN_SYNC,
    )

    lead = home_page(somebody(), NOW).lead

    assert lead.startswith("1 credit needs attention. 2 credits wait for a school.")


def test_with_many_causes_it_says_how_far_three_of_them_go() -> None:
    for code, number in ((5107, 4), (5127, 3), (5147, 2), (5167, 1)):
        PersonCreditFactory.create_batch(
            number, status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-code
        )

    lead = home_page(somebody(), NOW).lead

    assert lead.startswith("10 credits need attention. Three causes explain 9 of them.")


def test_refused_persons_without_credits_are_not_silent() -> None:
    PersonFactory(push_state=PushState.REFUSED, push_code=-5022)

    assert home_page(somebody(), NOW).lead.startswith("No credit stands still, but some persons")


# --- does everything run ------------------------------------------------------------------------


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

    assert check("Worker") == Check(Word.ACTION, "Worker", "silent since 09:57")
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


# --- first this ---------------------------------------------------------------------------------


def test_what_was_never_sent_is_seen_too() -> None:
    PersonCreditFactory()

    page = home_page(somebody(), NOW)

    assert page.lead.startswith("3 rows were not sent.")
    assert sum(line.item.rows for line in page.todo.lines) == 3
    assert {tab.label: tab.count for tab in page.todo.tabs}["Ours"] == len(page.todo.lines)


def test_the_first_number_is_that_of_the_menu() -> None:
    user = somebody()
    person = PersonFactory(push_state=PushState.REFUSED, push_code=-4967)
    link = SchoolPersonFactory(person=person, push_state=PushState.WAITING)
    PersonCreditFactory(
        school_person=link, status=CreditStatus.WAITING, push_state=PushState.WAITING
    )
    PersonCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-1)
    PersonCreditFactory(
        status=CreditStatus.PUBLISHER_FAULT, push_state=PushState.IN_SYNC, publisher_error_code=7
    )

    [home, *_rest] = navigation(path="/admin/", user=user, app_list=[])

    assert home.badge is not None
    assert home_page(user, NOW).lead.startswith(f"{home.badge.text} credits need attention.")


def test_who_has_schools_begins_with_those_and_may_look_at_all() -> None:
    user = somebody()
    mine = SchoolPersonFactory(school=SchoolFactory(account_manager=user))
    for link in (mine, SchoolPersonFactory()):
        PersonCreditFactory(
            school_person=link, status=CreditStatus.REFUSED, push_state=PushState.REFUSED
        )

    own, everything = home_page(user, NOW), home_page(user, NOW, "alle")

    assert own.lead.startswith("1 credit needs attention.")
    assert everything.lead.startswith("2 credits need attention.")
    assert [choice.is_current for choice in own.todo.filters] == [True, False]
    assert not home_page(somebody(), NOW).todo.filters


def test_no_more_than_fits_and_ours_before_what_others_must_do() -> None:
    PersonCreditFactory.create_batch(
        9, status=CreditStatus.WAITING_FOR_PREMATCH, push_state=PushState.IN_SYNC
    )
    PersonFactory(push_state=PushState.REFUSED, push_code=-5022)

    lines = home_page(somebody(), NOW).todo.lines

    assert len(lines) == 6
    assert lines[0].item.list == "mine"


def test_the_empty_page_tells_when_it_was_last_compared(manager: Client) -> None:
    PersonFactory(push_state=PushState.IN_SYNC)
    run = CheckRun.objects.create(scope="nightly", status="done", answered=1, total=1)
    CheckRun.objects.filter(pk=run.pk).update(finished_at=timezone.now())
    manager.cookies["django_language"] = "en"
    at = timezone.localtime().strftime("%H:%M")

    page = manager.get("/admin/").content.decode()

    assert "All is equal" in page
    assert f"Last compared with Edu-iX: {at[:3]}" in page


def test_who_may_see_nothing_is_told_whom_to_ask(signed_in: Any) -> None:
    client = signed_in()
    client.cookies["django_language"] = "en"
    PersonCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.REFUSED)

    page = client.get("/admin/").content.decode()

    assert "ask who manages the accounts" in page
    assert "/admin/werk/" not in page


# --- picture, work under way, first day ---------------------------------------------------------


def test_the_picture_counts_notifications_and_the_faults_among_them() -> None:
    told(NOW)
    told(NOW, error_code=117)
    told(NOW - timedelta(days=13))
    told(NOW - timedelta(days=15))

    chart = home_page(somebody(), NOW).chart

    assert (chart.total, chart.faults) == (3, 1)
    assert (chart.bars[-1].count, chart.bars[-1].faults) == (2, 1)
    assert chart.bars[0].count == 1


def test_a_prematch_is_no_fault() -> None:
    Notification.objects.create(
        kind="prematchChanged",
        raw=b"",
        raw_sha256="0" * 64,
        raw_length=0,
        received_at=NOW,
        verdict="applied",
        parsed={"user_id": "u1"},
    )

    chart = home_page(somebody(), NOW).chart

    assert (chart.total, chart.faults) == (1, 0)


def test_only_work_that_is_under_way_is_shown() -> None:
    Job.objects.create(kind="import_persons", status=Job.Status.DONE, title="oud.csv")
    running = Job.objects.create(
        kind="import_persons", status=Job.Status.RUNNING, title="baken.csv", total=10, finished=4
    )

    assert home_page(somebody(), NOW).jobs == [running]


def test_an_empty_house_invites_to_start() -> None:
    assert home_page(somebody(), NOW).is_empty

    PersonFactory()

    assert not home_page(somebody(), NOW).is_empty


# --- the page -----------------------------------------------------------------------------------


def test_the_page_costs_the_same_number_of_queries_whatever_stands_still(
    manager: Client, django_assert_num_queries: Any
) -> None:
    def one_more(code: int) -> None:
        PersonFactory(push_state=PushState.REFUSED, push_code=-code)
        PersonCreditFactory(
            status=CreditStatus.PUBLISHER_FAULT,
            push_state=PushState.IN_SYNC,
            publisher_error_code=code,
        )
        told(NOW, error_code=code)

    one_more(5022)
    queued(NOW)
    manager.get("/admin/")  # notes once a minute that this session is in use
    with django_assert_num_queries(QUERIES):
        manager.get("/admin/")
    for code in (5042, 5062, 5082):
        one_more(code)

    with django_assert_num_queries(QUERIES):
        response = manager.get("/admin/")

    assert response.status_code == 200
