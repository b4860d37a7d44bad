"""What the tests of home have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from backoffice.outbox.models import Message, ServiceState
from notifications.models import Notification
from tests.factories import (
    UserFactory,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # ten o'clock here


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def somebody(**columns: Any) -> User:
    """Who may see everything and looks after no school."""
    return UserFactory(is_superuser=True, **columns)


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
