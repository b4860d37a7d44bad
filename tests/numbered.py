"""Rows of tests have numbers such as a year of use gives them: seven digits.

A page that writes the number of a row as it writes an amount (`7.000.001`) has links and buttons
that work in a small database only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.apps import apps
from django.db import connection
from django.db.models import AutoField
from django.http import HttpRequest, HttpResponse

FIRST: Final = 7_000_000
_GROUPED = re.compile(rb"(?<![\d.,])7(?:[.,\xa0]|\xc2\xa0)\d{3}(?:[.,\xa0]|\xc2\xa0)\d{3}(?![\d])")


def start_high() -> None:
    """The next row of each table gets a number above `FIRST`, unless it has one already."""
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and isinstance(model._meta.pk, AutoField)
    )
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence VALUES (%s, %s)", [table, FIRST])
            else:
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, FIRST]
                )


class NumbersOfRows:
    """Middleware of tests: no page shows the number of a row with separators."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = not response.streaming and "html" in response.headers.get("Content-Type", "")
        if is_page and (found := _GROUPED.search(response.content)):
            start, end = max(0, found.start() - 200), found.end() + 100
            around = response.content[start:end].decode(errors="replace")
            raise AssertionError(f"{request.path} writes the number of a row in groups: {around}")
        return response
