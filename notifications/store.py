"""One INSERT: when it returns, the notification is on disk.

Django's database settings and connections, none of its request cycle: the statement commits by
itself (autocommit), and no signal closes old connections for us, so that is done here.
"""

from __future__ import annotations

import json
import select
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error, InterfaceError, OperationalError

from notifications.login import KnownUser
from notifications.marks import is_test
from notifications.models import Notification
from notifications.payload import Content
from notifications.uses import uses

IDLE_SECONDS: Final = 5.0
LOCK_NOT_AVAILABLE: Final = "55P03"

DatabaseProblem = Error


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of a delivery when it is stored."""

    raw: bytes
    sha256: str
    length: int
    content_type: str
    user: str
    source: str
    at: datetime
    content: Content


class _LastUse(threading.local):
    at = 0.0


_last = _LastUse()

_COLUMNS: Final = (
    "kind",
    "subject",
    "raw",
    "raw_sha256",
    "raw_length",
    "content_type",
    "parsed",
    "flags",
    "credential",
    "source",
    "received_at",
    "verdict",
    "reason",
    "traceback",
    "tries",
    "claim",
)


def store(received: Received) -> None:
    """Insert the row and commit; raises a `DatabaseProblem` when nothing was stored."""
    connection = connections[DEFAULT_DB_ALIAS]
    _refresh(connection)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), _values(received, connection))
    except (OperationalError, InterfaceError):
        # Not tried again: whether the first one was stored is not known. The next delivery in
        # this thread finds a new connection.
        connection.close_if_unusable_or_obsolete()
        raise
    _last.at = time.monotonic()
    # A test of our own says nothing about who still uses this login.
    if isinstance(received.user, KnownUser) and not is_test(received.content.subject):
        uses.note(received.user.key, received.at)


def is_lock_timeout(problem: Exception) -> bool:
    """Another transaction kept us waiting too long; the database itself is there."""
    cause = problem.__cause__
    return getattr(cause, "sqlstate", None) == LOCK_NOT_AVAILABLE or "database is locked" in str(
        problem
    )


def _refresh(connection: BaseDatabaseWrapper) -> None:
    """Replace a connection that is old or broken, so that it does not cost a delivery.

    Asking the server before every INSERT would cost a round trip each time: it is asked only when
    the connection lay idle for a while or when the server said something unasked.
    """
    if connection.connection is None or connection.in_atomic_block:
        return
    connection.close_if_unusable_or_obsolete()
    if connection.connection is None:
        return
    idle = time.monotonic() - _last.at > IDLE_SECONDS
    if (idle or _has_news(connection)) and not connection.is_usable():
        connection.close()
    else:
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs miss it


def _has_news(connection: BaseDatabaseWrapper) -> bool:
    """A server that stops closes its connections; we hear it only when we listen."""
    if connection.vendor != "postgresql":
        return False
    if connection.connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@cache
def _statement(vendor: str) -> str:
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = {field.name: str(field.column) for field in Notification._meta.concrete_fields}
    names = ", ".join(quote(columns[name]) for name in _COLUMNS)
    places = ", ".join(["%s"] * len(_COLUMNS))
    return f"INSERT INTO {quote(Notification._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608  names of our own model


def _values(received: Received, connection: BaseDatabaseWrapper) -> list[Any]:
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
        json.dumps(content.flags),
        str(received.user),
        received.source or None,
        connection.ops.adapt_datetimefield_value(received.at),
        (Notification.Verdict.INVALID if invalid else Notification.Verdict.WAITING).value,
        invalid,
        "",
        0,
        "",
    ]
