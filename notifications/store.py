"""When `store` returns, the notification is on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import Error

from notifications.login import KnownUser
from notifications.marks import is_test
from notifications.models import Notification
from notifications.payload import Content
from notifications.statements import Row, Table
from notifications.together import together
from notifications.uses import uses

LOCK_NOT_AVAILABLE: Final = "55P03"

DatabaseProblem = Error
WAITING: Final = Notification.Verdict.WAITING.value
INVALID: Final = Notification.Verdict.INVALID.value


class Received(NamedTuple):
    """What is known of a delivery when it is stored."""

    raw: bytes
    sha256: str
    length: int
    content_type: str
    user: str
    source: str
    at: datetime
    content: Content


def store(understand: Callable[[], Received]) -> Received:
    """Understand a delivery, insert its row and commit.

    Raises what `understand` raises, `Overloaded`, or a `DatabaseProblem` when it was not stored.
    """
    kept: list[Received] = []

    def row() -> Row:
        received = understand()
        kept.append(received)
        return row_of(received)

    connection = connections[DEFAULT_DB_ALIAS]
    if connection.in_atomic_block:  # whoever has begun a transaction wants the row in it
        Table(connection).insert([row()])
    else:
        together.store(row)
    [received] = kept
    # A test of our own says nothing about who still uses this login.
    if isinstance(received.user, KnownUser) and not is_test(received.content.subject):
        uses.note(received.user.key, received.at)
    return received


def is_lock_timeout(problem: Exception) -> bool:
    """Another transaction kept us waiting too long; the database itself is there."""
    cause = problem.__cause__
    return getattr(cause, "sqlstate", None) == LOCK_NOT_AVAILABLE or "database is locked" in str(
        problem
    )


def row_of(received: Received) -> list[Any]:
    """The values of `statements.COLUMNS`."""
    content = received.content
    invalid = content.invalid
    return [
        content.kind,
        content.subject,
        received.raw,
        received.sha256,
        received.length,
        received.content_type[:200],
        json.dumps(content.parsed),
        json.dumps(content.flags) if content.flags else "[]",
        str(received.user),
        received.source or None,
        received.at,
        INVALID if invalid else WAITING,
        invalid,
    ]
