"""A session ends by itself; only a colleague keeps it alive, not a page that asks by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

START = datetime(2025, 9, 1, 8, tzinfo=UTC)
POLLING = {"HX-Request": "true"}


@pytest.fixture
def colleague() -> Client:
    """Signed in, and seen for the first time at `START`."""
    client = Client()
    with time_machine.travel(START, tick=False):
        client.force_login(UserFactory(is_staff=True, is_superuser=True))
        assert is_signed_in(client, minutes=0)
    return client


def is_signed_in(client: Client, *, minutes: float, polling: bool = False) -> bool:
    """Whether a request so many minutes after the start gets a page instead of the login."""
    with time_machine.travel(START + timedelta(minutes=minutes), tick=False):
        answer = client.get(reverse("admin:password_change"), headers=POLLING if polling else {})
    return answer.status_code == 200


def test_half_an_hour_of_polling_alone_ends_the_session(colleague: Client) -> None:
    polled = [is_signed_in(colleague, minutes=minutes, polling=True) for minutes in range(1, 31)]

    assert all(polled)
    assert not is_signed_in(colleague, minutes=30.5, polling=True)
    assert not is_signed_in(colleague, minutes=31)


def test_polling_from_the_very_first_request_is_no_activity_either() -> None:
    client = Client()
    with time_machine.travel(START, tick=False):
        client.force_login(UserFactory(is_staff=True, is_superuser=True))

    polled = [is_signed_in(client, minutes=minutes, polling=True) for minutes in range(0, 31, 2)]

    assert all(polled)
    assert not is_signed_in(client, minutes=31, polling=True)


def test_a_click_keeps_the_session_alive(colleague: Client) -> None:
    assert is_signed_in(colleague, minutes=29)

    assert is_signed_in(colleague, minutes=58, polling=True)
    assert not is_signed_in(colleague, minutes=59.5)


def test_after_twelve_hours_the_session_ends_whatever_happens(colleague: Client) -> None:
    limit = settings.SESSION_ABSOLUTE_SECONDS // 60
    polled_and_clicked = [
        is_signed_in(colleague, minutes=minutes, polling=minutes % 20 == 10)
        for minutes in range(10, limit + 1, 10)
    ]

    assert all(polled_and_clicked)
    assert not is_signed_in(colleague, minutes=limit + 1)
