"""The state as a SQLite file, so that a restart continues where the sandbox stopped.

Every write is committed before its answer leaves: `kill -9` loses nothing that was answered.
A power cut may (synchronous=NORMAL): the state is a toy world, not the office's truth.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS row (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


class StateFileError(Exception):
    """The file cannot be used; the text says why, in one line."""


class StateFile:
    """One connection, used under the store's lock only."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        """Open or make the file; raises `StateFileError` when it is in use or is none of ours."""
        self.path = path
        try:
            if fresh:
                for ending in ("", "-wal", "-shm"):
                    Path(f"{path}{ending}").unlink(missing_ok=True)
            # Made by hand first: SQLite would make it readable for everybody.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = self._open()
        except (OSError, sqlite3.Error) as problem:
            raise StateFileError(f"{path}: {problem}") from problem

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=1
        )
        # A second sandbox on the same file would overwrite the first one's rows.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise StateFileError(f"{self.path}: written by another version of the sandbox")
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version={_VERSION}")
        return connection

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every row as (kind, plain data)."""
        for kind, body in self._connection.execute("SELECT kind, body FROM row"):
            yield kind, json.loads(body)

    def ledger(self) -> Iterator[dict[str, Any]]:
        """The ledger in order."""
        for (body,) in self._connection.execute("SELECT body FROM ledger ORDER BY number"):
            yield json.loads(body)

    def write(
        self,
        changes: Iterable[tuple[str, str, dict[str, Any] | None]],
        ledger: Iterable[tuple[int, dict[str, Any]]],
    ) -> None:
        """Store (kind, key, data or None for gone) and ledger rows in one transaction."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for kind, key, data in changes:
                if data is None:
                    connection.execute("DELETE FROM row WHERE kind=? AND key=?", (kind, key))
                else:
                    connection.execute(
                        "INSERT INTO row VALUES (?, ?, ?)"
                        " ON CONFLICT (kind, key) DO UPDATE SET body=excluded.body",
                        (kind, key, json.dumps(data)),
                    )
            connection.executemany(
                "INSERT INTO ledger VALUES (?, ?)",
                [(number, json.dumps(data)) for number, data in ledger],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def clear(self) -> None:
        """Forget everything."""
        self._connection.executescript("BEGIN; DELETE FROM row; DELETE FROM ledger; COMMIT;")

    def close(self) -> None:
        self._connection.close()
