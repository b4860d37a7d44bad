"""The menu: who sees what, where one is, and the counts that make somebody look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from backoffice.desk.navigation import Badge, Entry, navigation
from backoffice.outbox.models import Message, PushState, ServiceState
from credits.status import CreditStatus
from notifications.models import Notification
from tests.factories import PersonCreditFactory, SchoolCreditFactory, SchoolFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def menu(user: Any, path: str = "/admin/") -> list[Entry]:
    request = RequestFactory().get(path)
    request.user = user
    return navigation(path=path, user=user, app_list=admin.site.get_app_list(request))


def badges(user: Any) -> dict[str, Badge]:
    return {entry.title: entry.badge for entry in menu(user) if entry.badge}


def queued(subject: str, **columns: Any) -> Message:
    columns.setdefault("due_at", timezone.now())
    return Message.objects.create(
        operation="person.push", subject=subject, chain=subject, **columns
    )


def told(verdict: str) -> Notification:
    return Notification.objects.create(
        kind="prematchChanged",
        raw=b"",
        raw_sha256="0" * 64,
        raw_length=0,
        received_at=timezone.now(),
        verdict=verdict,
    )


def test_a_colleague_of_all_groups_finds_every_place() -> None:
    user = UserFactory(groups=["Beheerder"])

    titles = [entry.title for entry in menu(user)]

    assert titles == [
        "Workbench",
        "Work lists",
        "Why no access?",
        "Persons",
        "Schools",
        "Credits",
        "Notifications",
        "Sending",
        "Ask Edu-iX",
        "Import",
        "Explanation",
        "Settings",
    ]


def test_somebody_without_rights_sees_no_door_that_stays_shut() -> None:
    titles = [entry.title for entry in menu(UserFactory())]

    assert titles == ["Workbench", "Explanation"]


def test_the_place_one_is_at_is_marked_and_only_that_one() -> None:
    user = UserFactory(groups=["Beheerder"])

    for path, title in (
        ("/admin/", "Workbench"),
        ("/admin/persons/person/12/change/", "Persons"),
        ("/admin/uitleg/", "Explanation"),
        ("/admin/beheer/", "Settings"),
        ("/admin/auth/user/", "Settings"),
    ):
        here = [entry.title for entry in menu(user, path) if entry.is_current]
        assert here == [title]


def test_the_report_of_a_school_stands_under_schools() -> None:
    user = UserFactory(groups=["Accountmanager"])

    here = menu(user, reverse("admin:school_report", args=[SchoolFactory().pk]))

    assert [entry.title for entry in here if entry.is_current] == ["Schools"]


def test_credits_open_into_those_of_persons_and_those_of_schools() -> None:
    user = UserFactory(groups=["Meelezer"])

    elsewhere = next(entry for entry in menu(user) if entry.title == "Credits")
    here = next(
        entry for entry in menu(user, "/admin/credits/schoolcredit/") if entry.title == "Credits"
    )

    assert elsewhere.children == ()
    assert [(child.title, child.is_current) for child in here.children] == [
        ("Of persons", False),
        ("Of schools", True),
    ]
    assert here.is_current


def test_a_quiet_day_has_no_alarm() -> None:
    told(Notification.Verdict.APPLIED)

    assert badges(UserFactory(groups=["Meelezer"])) == {"Sending": Badge("on time")}


def test_what_needs_somebody_is_counted() -> None:
    PersonCreditFactory.create_batch(2, status=CreditStatus.REFUSED, push_state=PushState.REFUSED)
    SchoolCreditFactory(status=CreditStatus.PUBLISHER_FAULT, credit_end_date=None)
    told(Notification.Verdict.UNMATCHED)
    told(Notification.Verdict.DEAD)
    queued("person:1")

    found = badges(UserFactory(groups=["Meelezer"]))

    assert found["Workbench"] == Badge("3", "credits need attention", is_alarm=True)
    assert found["Notifications"] == Badge("2 open")
    assert found["Sending"] == Badge("1 in the queue")


def test_a_message_that_should_have_gone_long_ago_is_an_alarm() -> None:
    queued("person:1")
    queued("person:2", due_at=timezone.now() - timedelta(minutes=11))

    assert badges(UserFactory(groups=["Meelezer"]))["Sending"] == Badge("1 late", is_alarm=True)


def test_sending_that_stands_still_is_an_alarm_whatever_the_queue() -> None:
    queued("person:1", due_at=timezone.now() - timedelta(hours=1))
    ServiceState.objects.create(service="edu-ix", stopped_at=timezone.now())

    assert badges(UserFactory(groups=["Meelezer"]))["Sending"] == Badge("stopped", is_alarm=True)


def test_all_counts_together_cost_one_query(django_assert_num_queries: Any) -> None:
    user = UserFactory(groups=["Beheerder"])
    menu(user)  # its rights are read once and kept with it

    with django_assert_num_queries(1):
        menu(user)
