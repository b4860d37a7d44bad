"""The tables after a test that commits: what the tests wrote goes, what the migrations wrote stays.

Django's flush takes the groups of the migrations away too, so that whoever needs them must run
before; and it announces a migration afterwards, which looks for all permissions again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction


class Tables:
    """The tables of the product as they are now, right after the migrations."""

    def __init__(self) -> None:
        names = connection.introspection.django_table_names(only_existing=True)
        self._filled = {name: rows for name in names if (rows := _rows(name))}
        self._deletes = [
            f"DELETE FROM {connection.ops.quote_name(name)}"  # noqa: S608  ours
            for name in names
            if name not in self._filled
        ]

    def restore(self) -> None:
        """As they were; constraints are looked at when all is done."""
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in self._statements():
                cursor.execute(statement)
            for name, rows in self._filled.items():
                if _rows(name) != rows:
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608
                    _insert(cursor, name, rows)

    def _statements(self) -> list[str]:
        """DELETE and no TRUNCATE, which would make every table anew on disk; in one go if it can.

        SQLite takes one statement at a time.
        """
        return self._deletes if connection.vendor == "sqlite" else ["; ".join(self._deletes)]


def _rows(name: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(name)
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608  ours
        return list(cursor.fetchall())


def _insert(cursor: Any, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    places = ", ".join(["%s"] * len(rows[0]))
    table = connection.ops.quote_name(name)
    cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608  ours
