"""Which of the two services of Edu-iX answers, kept apart from each other."""

from __future__ import annotations

import pytest

from backoffice.eduix.exchange import Exchange
from backoffice.outbox import stops
from backoffice.outbox.models import Attempt, Message, ServiceState
from backoffice.outbox.settling import Result

pytestmark = pytest.mark.django_db

DONE = Result(Attempt.Outcome.ACCEPTED, Message.Status.DONE)


@pytest.fixture(autouse=True)
def nothing_noted_yet() -> None:
    stops._noted.clear()


def exchange(
    service: str, *, status: int | None = 200, error: str = "", code: int | None = None
) -> Exchange:
    return Exchange(service, "getPerson", "", "", status, 5, error, code)


def times(service: str) -> tuple[bool, bool]:
    row = ServiceState.objects.filter(service=service).first()
    return (bool(row and row.last_success_at), bool(row and row.last_failure_at))


def test_an_answer_of_one_service_says_nothing_about_the_other() -> None:
    stops.take_note(DONE, [exchange("profile")])

    assert times("profile") == (True, False)
    assert times("credit") == (False, False)


def test_a_refusal_with_a_code_is_an_answer_and_a_broken_page_is_none() -> None:
    stops.take_note(DONE, [exchange("profile", status=500, error="refused", code=-4967)])
    stops.take_note(DONE, [exchange("credit", status=503, error="unavailable")])

    assert times("profile") == (True, False)
    assert times("credit") == (False, True)


def test_the_first_answer_after_a_failure_counts_at_once() -> None:
    for one in (exchange("credit"), exchange("credit", status=None, error="cut off")) * 2:
        stops.take_note(DONE, [one])
    stops.take_note(DONE, [exchange("credit")])

    row = ServiceState.objects.get(service="credit")
    assert row.last_success_at is not None
    assert row.last_failure_at is not None
    assert row.last_success_at > row.last_failure_at
