"""What the drainer writes for many messages at once, each in one statement.

The ORM writes a row as a list of expressions, which costs more than the row itself; here the values
of all rows travel as one JSON document where the database can unfold it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

if TYPE_CHECKING:
    from backoffice.outbox.models import Message
    from backoffice.outbox.settling import Tried

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MESSAGES: Final = "outbox_message"
ATTEMPTS: Final = "outbox_attempt"


def begin_attempts(messages: Iterable[Message], now: datetime) -> None:
    """A row for each try of these claimed messages, before any of it is made."""
    rows = [{"m": message.pk, "f": message.fence} for message in messages]
    found = "json_each(%s)"
    columns = "json_extract(value, '$.m'), json_extract(value, '$.f')"
    if connection.vendor == "postgresql":
        found, columns = _unfolded("m bigint, f integer"), "m, f"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ATTEMPTS}"  # noqa: S608  our own names
            " (message_id, fence, started_at, outcome, text, traceback, calls)"
            f" SELECT {columns}, %s, 'open', '', '', '[]' FROM {found}",
            [_moment(now), _ENCODE(rows)],
        )


def end_accepted_attempts(tried: Sequence[Tried], now: datetime) -> int:
    """Write down what became of tries that were accepted; how many rows were found."""
    if connection.vendor == "postgresql":
        rows = [{"m": one.message.pk, "f": one.message.fence, "c": _calls(one)} for one in tried]
        return _changed(
            f"UPDATE {ATTEMPTS} SET finished_at = %s, outcome = 'accepted', code = NULL,"  # noqa: S608
            f" text = '', calls = found.c FROM {_unfolded('m bigint, f integer, c jsonb')}"
            f" WHERE {ATTEMPTS}.message_id = found.m AND {ATTEMPTS}.fence = found.f",
            [_moment(now), _ENCODE(rows)],
        )
    return _changed_each(
        f"UPDATE {ATTEMPTS} SET finished_at = %s, outcome = 'accepted', code = NULL, text = '',"  # noqa: S608
        " calls = %s WHERE message_id = %s AND fence = %s",
        [(_moment(now), _ENCODE(_calls(one)), one.message.pk, one.message.fence) for one in tried],
    )


def write_digests(messages: Sequence[Message]) -> None:
    """Keep `sent_digest` of many claimed messages, before their calls."""
    if connection.vendor == "postgresql":
        rows = [{"m": one.pk, "f": one.fence, "d": one.sent_digest} for one in messages]
        _changed(
            f"UPDATE {MESSAGES} SET sent_digest = found.d"  # noqa: S608  our own names
            f" FROM {_unfolded('m bigint, f integer, d text')}"
            f" WHERE {MESSAGES}.id = found.m AND {MESSAGES}.fence = found.f",
            [_ENCODE(rows)],
        )
        return
    _changed_each(
        f"UPDATE {MESSAGES} SET sent_digest = %s WHERE id = %s AND fence = %s",  # noqa: S608
        [(one.sent_digest, one.pk, one.fence) for one in messages],
    )


def _calls(tried: Tried) -> list[dict[str, object]]:
    return [exchange.as_json() for exchange in tried.exchanges]


def _unfolded(columns: str) -> str:
    return f"jsonb_to_recordset(%s::jsonb) AS found({columns})"


def _changed(statement: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _changed_each(statement: str, rows: Sequence[Sequence[Any]]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
