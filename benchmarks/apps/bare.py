"""The limit: an application that knows nothing but the INSERT of a body, durable as the others."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

import psycopg

from benchmarks.apps import BODY_TABLE

_ANSWER: Final = b"stored"
_HEADERS: Final = [("Content-Type", "text/plain"), ("Content-Length", str(len(_ANSWER)))]


class _Database(threading.local):
    """A connection of each thread's own, committing by itself."""

    def __init__(self) -> None:
        url = os.environ["DATABASE_URL"]
        self.insert: Callable[[bytes], object]
        if url.startswith("sqlite:///"):
            lite = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=20)
            lite.execute("PRAGMA journal_mode=WAL")
            lite.execute("PRAGMA synchronous=FULL")
            self.insert = lambda body: lite.execute(_INSERT + "(?)", (body,))
        else:
            connection = psycopg.connect(url, autocommit=True)
            self.insert = lambda body: connection.execute(_INSERT + "(%s)", (body,))


_INSERT: Final = f"INSERT INTO {BODY_TABLE} (body) VALUES "  # noqa: S608  our own name
_database = _Database()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Store whatever comes, answer when it is committed."""
    _database.insert(environ["wsgi.input"].read())
    start_response("200 OK", _HEADERS)
    return [_ANSWER]
