"""What is older than we may keep it goes; counts and results stay."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from backoffice.outbox.models import Attempt, Message
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def make(days: int) -> tuple[Attempt, Notification]:
    at = timezone.now() - timedelta(days=days)
    message = Message.objects.create(
        operation="person.push", subject=f"person:{days}", chain=f"person:{days}", due_at=at
    )
    attempt = Attempt.objects.create(
        message=message, fence=1, started_at=at, calls=[{"request": "<Sanne/>"}]
    )
    notification = Notification.objects.create(
        kind="prematchChanged",
        subject=f"K{days}",
        raw=b"<Sanne/>",
        raw_sha256="0" * 64,
        raw_length=8,
        parsed={"user_id": "sanne"},
        received_at=at,
        verdict="applied",
    )
    return attempt, notification


def test_bodies_older_than_the_limit_are_blanked_and_newer_ones_stay() -> None:
    old, told_old = make(days=401)
    new, told_new = make(days=399)
    output = StringIO()

    call_command("prune", stdout=output)

    for row in (old, new, told_old, told_new):
        row.refresh_from_db()
    assert (old.calls, bytes(told_old.raw), told_old.parsed) == ([], b"", {})
    assert told_old.raw_length == 8
    assert new.calls == [{"request": "<Sanne/>"}]
    assert bytes(told_new.raw) == b"<Sanne/>"
    assert "1 calls, 1 notifications" in output.getvalue()


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SystemExit):
        call_command("prune", days=0, stderr=StringIO())


def test_an_unmatched_one_that_is_too_old_is_given_up() -> None:
    _, old = make(days=500)
    Notification.objects.filter(pk=old.pk).update(verdict="unmatched")

    call_command("prune", stdout=StringIO())

    old.refresh_from_db()
    assert (old.verdict, old.reason, bytes(old.raw)) == ("dead", "too_old", b"")
