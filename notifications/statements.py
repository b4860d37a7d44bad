"""The table of notifications as the door writes it: one statement, committed by itself.

Django's database settings and connections, none of its request cycle: no signal closes old
connections for us, so that is done here.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DataError, InterfaceError, OperationalError

from notifications.models import Notification

IDLE_SECONDS: Final = 5.0
COLUMNS: Final = (
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
)
# What every new row has, written into the statement.
ALWAYS: Final = {"traceback": "''", "tries": "0", "claim": "''"}

Row = Sequence[Any]  # values for `COLUMNS`


class Table:
    """A connection of its own for INSERTs; one thread at a time uses it."""

    def __init__(self, connection: BaseDatabaseWrapper | None = None) -> None:
        self._connection = connection
        self._used_at = float("-inf")
        self._server = Postgresql()

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """Django's own, made at the first use: not before a server has split into processes."""
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            self._connection.inc_thread_sharing()
        return self._connection

    def insert(self, rows: Sequence[Row]) -> None:
        """Insert and commit all of these rows or none; raises a database error."""
        connection = self.connection
        self._refresh(connection)
        try:
            if connection.vendor == "postgresql":
                self._server.insert(connection, rows)
            else:
                values = [_as_kept(connection, value) for row in rows for value in row]
                with connection.cursor() as cursor:
                    cursor.execute(statement(len(rows)), values)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            raise
        self._used_at = time.monotonic()

    def close(self) -> None:
        """Close the connection; the next row opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refresh(self, connection: BaseDatabaseWrapper) -> None:
        """Replace a connection that is old or broken, so that it does not cost a delivery.

        Asking the server before every INSERT would cost a round trip each time: it is asked only
        when the connection lay idle for a while or when the server said something unasked.
        """
        if connection.connection is None or connection.in_atomic_block:
            return
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None:
            return
        idle = time.monotonic() - self._used_at > IDLE_SECONDS
        if (idle or has_news(connection)) and not connection.is_usable():
            connection.close()
        else:
            connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs miss it


def _as_kept(connection: BaseDatabaseWrapper, value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


class Postgresql:
    """The INSERT over libpq itself: a driver's cursor costs four times the statement.

    The values travel beside the statement, which the server plans once; Django's own cursor
    writes them into its text, and a body of 1 kB becomes 2 kB to read. Whoever switches server-side
    cursors off has a pooler between that may not know a prepared statement.
    """

    def __init__(self) -> None:
        self._prepared: set[int] = set()  # numbers of rows
        self._on: Any = None  # the connection that has them

    def insert(self, connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
        """Insert and commit these rows; raises a database error of Django."""
        connection.ensure_connection()
        values = [_as_sent(value) for row in rows for value in row]
        with connection.wrap_database_errors:
            self._run(connection, len(rows), values, _FORMATS * len(rows))

    def _run(
        self,
        connection: BaseDatabaseWrapper,
        rows: int,
        values: list[bytes | None],
        formats: list[int],
    ) -> None:
        libpq = connection.connection.pgconn
        if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            _expect_done(libpq.exec_params(_numbered(rows), values, None, formats))
            return
        name = f"store_{rows}".encode()
        if self._on is not connection.connection:
            self._on, self._prepared = connection.connection, set()
        if rows not in self._prepared:
            _expect_done(libpq.prepare(name, _numbered(rows)))
            self._prepared.add(rows)
        _expect_done(libpq.exec_prepared(name, values, formats))


def _expect_done(result: Any) -> None:
    from psycopg import pq
    from psycopg.errors import error_from_result

    if result.status != pq.ExecStatus.COMMAND_OK:
        raise error_from_result(result)


_FORMATS: Final = [int(name == "raw") for name in COLUMNS]  # 1: as it is, 0: as text


def _as_sent(value: Any) -> bytes | None:
    """As text, and bytes as they are. Raises `DataError` for what would be cut at a NUL."""
    if value is None or value.__class__ is bytes:
        return value
    sent = value.encode() if value.__class__ is str else str(value).encode()
    if b"\0" in sent:
        raise DataError("A text with a NUL cannot be stored.")
    return sent


@lru_cache(maxsize=128)
def _numbered(rows: int) -> bytes:
    """The statement with its places numbered, as libpq wants them."""
    number = count(1)
    return re.sub("%s", lambda _found: f"${next(number)}", statement(rows)).encode()


def has_news(connection: BaseDatabaseWrapper) -> bool:
    """A server that stops closes its connections; we hear it only when we listen."""
    if connection.vendor != "postgresql":
        return False
    if connection.connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@lru_cache(maxsize=128)
def statement(rows: int) -> str:
    """The INSERT for so many rows."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = {field.name: str(field.column) for field in Notification._meta.concrete_fields}
    names = ", ".join(quote(columns[name]) for name in (*COLUMNS, *ALWAYS))
    places = f"({', '.join([*['%s'] * len(COLUMNS), *ALWAYS.values()])})"
    table = quote(Notification._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([places] * rows)}"  # noqa: S608  names of our own model
