"""The word beside each school, from its rows; one query for all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from backoffice.desk.freshness import Word
from backoffice.desk.schools_running import SchoolState, school_states
from backoffice.outbox.models import PushState
from credits.status import CreditStatus
from persons.models import School
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SENT = {"push_state": PushState.IN_SYNC, "registered_at": NOW - HOUR, "push_changed_at": NOW - HOUR}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def school() -> School:
    """One with a pupil whom Edu-iX knows."""
    made = SchoolFactory()
    SchoolPersonFactory(school=made, person=PersonFactory(**SENT), **SENT)
    return made


def credit_of(school: School, **columns: Any) -> None:
    PersonCreditFactory(school_person=school.school_persons.get(), **{**SENT, **columns})


def state(school: School, now: datetime = NOW) -> SchoolState:
    return school_states([school.pk], now)[school.pk]


def test_a_school_without_anything_open_is_on_time(school: School) -> None:
    credit_of(school, status=CreditStatus.USABLE)

    assert state(school, NOW + timedelta(days=99)) == SchoolState(Word.ON_TIME, "")


@pytest.mark.parametrize("kind", ["person", "link", "credit", "school credit", "fault"])
def test_any_refused_row_of_a_school_asks_for_action(school: School, kind: str) -> None:
    refused = {"push_state": PushState.REFUSED, "push_code": -1}
    pupil = school.school_persons.get()
    if kind == "person":
        type(pupil.person).objects.update(**refused)
    elif kind == "link":
        type(pupil).objects.update(**refused)
    elif kind == "credit":
        credit_of(school, **refused, status=CreditStatus.REFUSED)
    elif kind == "school credit":
        SchoolCreditFactory(school=school, **refused, status=CreditStatus.REFUSED)
    else:
        credit_of(school, status=CreditStatus.PUBLISHER_FAULT, publisher_error_code=117)

    assert state(school) == SchoolState(Word.ACTION, "1 row needs attention")
    assert state(SchoolFactory()).word == Word.ON_TIME


def test_the_clock_makes_a_school_run_late(school: School) -> None:
    credit_of(school, push_state=PushState.QUEUED, status=CreditStatus.SENDING, push_changed_at=NOW)

    assert state(school, NOW + timedelta(minutes=9)).word == Word.ON_TIME
    assert state(school, NOW + 3 * HOUR) == SchoolState(Word.BEHIND, "being sent since 10:00")


def test_publisher_and_school_get_their_time(school: School) -> None:
    credit_of(school, status=CreditStatus.WAITING_FOR_PREMATCH)
    assert state(school, NOW + timedelta(days=6)).word == Word.ON_TIME
    assert state(school, NOW + timedelta(days=8)).reason.startswith("waits for the school since")

    credit_of(school, status=CreditStatus.WAITING_FOR_PUBLISHER)
    assert state(school, NOW + 20 * HOUR).word == Word.ON_TIME
    assert state(school, NOW + 30 * HOUR).reason.startswith("at the publisher since")


def test_what_ended_or_was_deleted_keeps_no_school_waiting(school: School) -> None:
    ended = {"credit_start_date": date(2024, 8, 1), "credit_end_date": date(2025, 7, 31)}
    credit_of(school, status=CreditStatus.PUBLISHER_FAULT, **ended)
    credit_of(school, status=CreditStatus.WAITING_FOR_PUBLISHER, **ended)
    credit_of(school, status=CreditStatus.REFUSED, push_state=PushState.DELETED)

    assert state(school, NOW + timedelta(days=30)).word == Word.ON_TIME


def test_all_schools_of_a_page_cost_one_query(
    school: School, django_assert_num_queries: Any
) -> None:
    others = [SchoolFactory().pk for _ in range(3)]
    with django_assert_num_queries(1):
        assert len(school_states([school.pk, *others], NOW)) == 4


def test_the_list_and_the_form_tell_the_word(school: School, manager: Client) -> None:
    manager.cookies["django_language"] = "en"
    credit_of(school, push_state=PushState.REFUSED, status=CreditStatus.REFUSED, push_code=-1)

    listed = manager.get("/admin/persons/school/").content.decode()
    form = manager.get(f"/admin/persons/school/{school.pk}/change/").content.decode()

    for page in (listed, form):
        assert '<span class="pill bad">action needed</span>' in page
        assert "1 row needs attention" in page
