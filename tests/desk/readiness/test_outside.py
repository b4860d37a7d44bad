"""What stands outside and is asked by the worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.desk.outside import keep
from backoffice.desk.outside_models import OutsideCheck
from backoffice.desk.readiness import State
from tests.desk.readiness.conftest import row, state

pytestmark = pytest.mark.django_db


def test_what_nobody_has_looked_at_is_not_known_and_says_how_to_know() -> None:
    for key in ("login-profile", "certificate-credit", "clock-eduix"):
        found = row(key)

        assert found.state == State.UNKNOWN
        assert "Check now" in found.remedy


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("login", "EDUIX_PASSWORD"),
        ("not_tried", "EDUIX_PASSWORD"),
        ("distributor", "EDUIX_DISTRIBUTOR_ID"),
        ("misfit", "WSDL"),
        ("refused", "helpdesk"),
        ("no_answer", "internet"),
    ],
)
def test_each_kind_of_failure_has_its_remedy(kind: str, words: str) -> None:
    keep("profile", {"kind": kind, "code": -2 if kind == "login" else None})

    found = row("login-profile")

    assert found.state == State.ACTION
    assert words in found.remedy
    assert found.who


def test_an_answer_that_came_after_the_check_counts_more() -> None:
    keep("credit", {"kind": "no_answer"})
    later = timezone.now() + timedelta(seconds=1)
    state("credit", last_success_at=later)

    assert row("login-credit", later).state == State.READY


def test_a_failure_that_came_after_the_check_counts_more() -> None:
    keep("credit", {"kind": "", "login_ms": 5})
    later = timezone.now() + timedelta(hours=3)
    state("credit", last_failure_at=later - timedelta(minutes=1))

    found = row("login-credit", later)

    assert found.state == State.LOOK
    assert found.remedy


@pytest.mark.parametrize(
    ("days", "expected"), [(90, State.READY), (12, State.LOOK), (1, State.ACTION)]
)
def test_a_certificate_is_counted_down_from_the_day_it_was_seen(days: int, expected: State) -> None:
    now = timezone.now()
    keep("profile", {"kind": "", "certificate_days": days + 10})
    OutsideCheck.objects.update(checked_at=now - timedelta(days=10, minutes=-1))

    assert row("certificate-profile", now).state == expected


def test_the_clock_of_edu_ix_is_the_worse_of_two() -> None:
    keep("profile", {"kind": "", "clock_seconds": 0.3})
    keep("credit", {"kind": "", "clock_seconds": -75.0})

    assert row("clock-eduix").state == State.ACTION


def test_a_wsdl_that_does_not_fit_is_told(settings: Any, tmp_path: Any) -> None:
    wsdl = tmp_path / "other.wsdl"
    wsdl.write_text("<nothing/>")
    settings.EDUIX_PROFILE_WSDL = str(wsdl)

    found = row("wsdl-profile")

    assert found.state == State.ACTION
    assert "EDUIX_PROFILE_WSDL" in found.remedy


def test_a_door_without_a_login_is_told(settings: Any) -> None:
    settings.NOTIFICATION_CREDENTIALS = []

    found = row("notifications")

    assert found.state == State.ACTION
    assert "NOTIFICATION_CREDENTIALS" in found.remedy


def test_a_mail_server_that_refuses_us_is_told(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert row("mail").state == State.UNKNOWN
    keep("mail", {"kind": "", "is_asked": True})
    assert row("mail").state == State.READY

    keep("mail", {"kind": "no_answer", "problem": "ConnectionRefusedError", "is_asked": True})

    found = row("mail")
    assert found.state == State.ACTION
    assert "ConnectionRefusedError" in found.seen
