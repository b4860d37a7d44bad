"""What the tests of readiness have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone, translation

from backoffice.desk.readiness import Row
from backoffice.desk.readiness_page import readiness
from backoffice.outbox.models import ServiceState


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def row(key: str, now: datetime | None = None) -> Row:
    return next(row for row in readiness(now or timezone.now()).rows if row.key == key)


def state(service: str = "edu-ix", **columns: Any) -> None:
    ServiceState.objects.update_or_create(service=service, defaults=columns)
