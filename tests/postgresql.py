"""Where the tests and benchmarks find PostgreSQL."""

from __future__ import annotations

import os

import psycopg

CANDIDATES = (
    "postgres://postgres@127.0.0.1:5432/postgres",
    "postgres://postgres:postgres@127.0.0.1:5432/postgres",
    "postgres://root@127.0.0.1:5432/test",
)


def reachable(url: str) -> bool:
    """Whether PostgreSQL answers there and lets us make a test database."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute(
                "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
            ).fetchone()
            return bool(row and row[0])
    except psycopg.Error:
        return False


def postgresql() -> str:
    """The address to test on; empty when there is none."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    candidates = (given,) if given else CANDIDATES
    return next((url for url in candidates if reachable(url)), "")
