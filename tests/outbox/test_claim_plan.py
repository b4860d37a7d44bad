"""A claim costs what it takes, not what waits: whatever PostgreSQL believes about the table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.outbox.models import Message, along_indexes
from backoffice.outbox.trying import claim_due

pytestmark = pytest.mark.django_db(transaction=True)
TAKEN = 64
PAGES_EACH = 30  # that a claim may touch for each message; reading the queue would be thousands


def fill(number: int, *, start: int, status: str) -> None:
    now = timezone.now()
    Message.objects.bulk_create(
        Message(
            operation="person.push",
            subject=f"person:{key}",
            chain=f"person:{key}",
            position=key,
            priority=Message.Priority.BULK,
            status=status,
            due_at=now - timedelta(seconds=1),
        )
        for key in range(start, start + number)
    )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_message")


def pages_of_a_claim() -> int:
    """Pages that the query of a claim touches, by PostgreSQL's own count."""
    heads = Message.objects.due(timezone.now()).order_by("priority", "position")
    with transaction.atomic(), along_indexes("default"):
        told: list[dict[str, Any]] = json.loads(
            heads[:TAKEN].explain(analyze=True, buffers=True, format="json")
        )
    plan = told[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize("believed", ["nothing", "all done", "all queued", "as it is"])
def test_a_queue_that_was_just_filled_is_not_read_for_each_claim(
    postgresql: None, believed: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM outbox_message")  # what other tests left would be stepped over
    if believed == "all queued":
        fill(2000, start=1, status="queued")
    if believed in ("all done", "all queued"):
        fill(2000, start=10_001, status="done")
        analyze()
        Message.objects.update(status="done")
    fill(4000, start=20_001, status="queued")
    if believed == "as it is":
        analyze()

    assert pages_of_a_claim() < TAKEN * PAGES_EACH


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The statements of this test."""
    texts: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        texts.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield texts


def test_a_claim_of_many_takes_no_more_statements_than_one_of_one(asked: list[str]) -> None:
    fill(40, start=1, status="queued")
    claim_due(1)
    for_one = len([text for text in asked if not re.match("SAVEPOINT|RELEASE", text)])
    asked.clear()

    assert len(claim_due(30)) == 30
    assert len([text for text in asked if not re.match("SAVEPOINT|RELEASE", text)]) <= for_one
