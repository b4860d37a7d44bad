"""The workbench: words at the top, what comes first, work under way and the page itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.desk.home import home_page
from backoffice.desk.navigation import navigation
from backoffice.desk.work import work_items
from backoffice.desk.work_states import put_off
from backoffice.jobs.models import CheckRun, Job
from backoffice.outbox.models import PushState
from credits.status import CreditStatus
from notifications.models import Notification
from tests.desk.home.conftest import NOW, queued, somebody, told
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db


QUERIES = 55  # session, account, the menu, own texts, the work lists, and what runs


# --- words at the top ----------------------------------------------------------------------------


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


@pytest.mark.parametrize("schools", ["mijn", "alle"])
def test_what_is_put_off_is_counted_apart_as_in_the_lists(schools: str) -> None:
    user = somebody()
    school = SchoolFactory(account_manager=user)
    for code, number in ((5107, 2), (5127, 3)):
        person = PersonFactory(push_state=PushState.IN_SYNC)
        link = SchoolPersonFactory(person=person, school=school, push_state=PushState.IN_SYNC)
        PersonCreditFactory.create_batch(
            number,
            school_person=link,
            status=CreditStatus.REFUSED,
            push_state=PushState.REFUSED,
            push_code=-code,
        )
    later = next(item for item in work_items(now=NOW) if item.credits == 3)
    day = timezone.localdate(NOW) + timedelta(days=3)
    put_off(item=later, until=day.isoformat(), user=user, now=NOW, today=timezone.localdate(NOW))

    page = home_page(user, NOW, schools)

    assert page.lead.startswith("2 credits need attention. 3 credits are put off.")
    assert sum(tab.count for tab in page.todo.tabs) == 1


def test_refused_persons_without_credits_are_not_silent() -> None:
    PersonFactory(push_state=PushState.REFUSED, push_code=-5022)

    assert home_page(somebody(), NOW).lead.startswith("No credit stands still, but some persons")


# --- first this ----------------------------------------------------------------------------------


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


# --- picture, work under way, first day ----------------------------------------------------------


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


# --- the page ------------------------------------------------------------------------------------


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
