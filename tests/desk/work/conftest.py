"""What the tests of work have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from backoffice.desk.work import WorkItem, work_items
from backoffice.desk.work_keys import VERDICTS
from backoffice.outbox.models import PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.status import CreditStatus
from notifications.models import Notification
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


FAULT = {"status": CreditStatus.PUBLISHER_FAULT, "push_state": PushState.IN_SYNC}


PREMATCH = {"status": CreditStatus.WAITING_FOR_PREMATCH, "push_state": PushState.IN_SYNC}


AT_PUBLISHER = {"status": CreditStatus.WAITING_FOR_PUBLISHER, "push_state": PushState.IN_SYNC}


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def running() -> None:
    """A worker that gives signs of life."""
    ServiceState.objects.update_or_create(service=SERVICE, defaults={"beat_at": NOW})


def items(**filters: Any) -> list[WorkItem]:
    return work_items(now=NOW, **filters)


def only(**filters: Any) -> WorkItem:
    (item,) = items(**filters)
    return item


def place(school: Any = None, **person: Any) -> Any:
    """A pupil at a school, both known at Edu-iX."""
    return SchoolPersonFactory(
        person=PersonFactory(push_state=PushState.IN_SYNC, **person),
        school=school or SchoolFactory(),
        push_state=PushState.IN_SYNC,
    )


def credit(school: Any = None, **columns: Any) -> Any:
    columns.setdefault("push_state", PushState.IN_SYNC)
    return PersonCreditFactory(
        school_person=columns.pop("school_person", None) or place(school), **columns
    )


def refused(model: Any = PersonFactory, *, code: int = -4967, **columns: Any) -> Any:
    columns.setdefault("push_changed_at", NOW)
    return model(push_state=PushState.REFUSED, push_code=code, **columns)


def one_of_each() -> None:
    """A row in every state that is not in order."""
    refused(code=-4967)
    PersonFactory(push_state=PushState.CONFLICT)
    credit(status=CreditStatus.SENDING, push_state=PushState.QUEUED)
    credit(status=CreditStatus.UNCERTAIN, push_state=PushState.UNCERTAIN)
    credit(status=CreditStatus.WAITING, push_state=PushState.WAITING)
    credit(status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-5107)
    credit(publisher_error_code=117, **FAULT)
    credit(**PREMATCH)
    credit(**AT_PUBLISHER, push_changed_at=NOW - timedelta(minutes=5))
    credit(**AT_PUBLISHER, push_changed_at=NOW - timedelta(days=3))
    credit(status=CreditStatus.NOT_SENT, push_state=PushState.LOCAL_ONLY)
    credit(status=CreditStatus.NOT_SENT, push_state=PushState.CHANGED)
    for verdict in VERDICTS:
        Notification.objects.create(
            kind="prematchChanged",
            raw=b"",
            raw_sha256="0",
            raw_length=0,
            received_at=NOW,
            verdict=verdict,
        )
