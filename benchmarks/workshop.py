"""Where measurements happen: a temporary folder, databases of their own, and their processes."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.children import Child, Failed, stop
from benchmarks.empty_tables import make_tables, migrate
from benchmarks.envelopes import PASSWORD, USER

POSTGRESQL: Final = "PostgreSQL"
SQLITE: Final = "SQLite"

DROP_TRIES: Final = 20
DROP_SECONDS: Final = 0.5

_SQLITE: Final = "sqlite:///"

# What the caller's environment says about another installation must not reach a measurement.
_FOREIGN: Final = ("EDUIX_", "BACKOFFICE_", "NOTIFICATION_", "DJANGO_", "CELERY_", "BENCH_")
_FOREIGN_NAMES: Final = frozenset({"DATABASE_URL", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS"})


class Workshop:
    """Makes folders, databases and processes; `closed()` leaves nothing of them behind."""

    def __init__(self, folder: Path, postgresql: str) -> None:
        self.folder = folder
        self.kinds = (POSTGRESQL, SQLITE) if postgresql else (SQLITE,)
        self.postgresql = postgresql
        self._mark = f"eduix_bench_{os.getpid()}_{secrets.token_hex(3)}"
        self._migrated: dict[str, str] = {}
        self._databases: list[str] = []
        self._made = 0  # in PostgreSQL; names are not used again
        self._children: list[Child] = []
        self._started = 0

    def database(self, kind: str, name: str) -> str:
        """The address of a new database with the product's empty tables."""
        template = self._migrated.get(kind)
        if template is None:
            template = self._migrated[kind] = self._new(kind, "template", "")
            self._migrate(template)
        return self._new(kind, name, template)

    def query(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one statement of ours, none for a change. Raises `Failed`."""
        if database.startswith(_SQLITE):
            with closing(sqlite3.connect(database.removeprefix(_SQLITE), timeout=20)) as lite:
                rows = lite.execute(statement).fetchall()
                lite.commit()
                return rows
        import psycopg

        try:
            with psycopg.connect(database, autocommit=True, connect_timeout=5) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as problem:
            raise Failed(f"PostgreSQL says: {problem}") from problem

    def environ(self, database: str, **more: str) -> dict[str, str]:
        """The environment of a process: the embedded product on this database."""
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and name not in _FOREIGN_NAMES
        }
        return {
            **own,
            "BACKOFFICE_VAR": str(self.folder / "var"),
            "DATABASE_URL": database,
            "NOTIFICATION_CREDENTIALS": f"{USER}:{PASSWORD}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def start(self, name: str, arguments: list[str], environ: dict[str, str]) -> Child:
        """A process that ends with the workshop, or at `stop`."""
        with held_back():  # else Ctrl-C could come after the start and before the note of it
            self._started += 1  # a log is one process's alone
            child = Child(name, arguments, environ, self.folder / f"{name}-{self._started}.log")
            self._children.append(child)
        return child

    @property
    def children(self) -> tuple[Child, ...]:
        """The processes that were started and not stopped."""
        return tuple(self._children)

    def stop(self, *children: Child) -> None:
        """End these processes now."""
        stop(children)
        self._children = [child for child in self._children if child not in children]

    def discard(self, database: str) -> None:
        """Remove a database whose processes have ended; `close` does it with what is left."""
        if database.startswith(_SQLITE):
            for path in self.folder.glob(f"{Path(database.removeprefix(_SQLITE)).name}*"):
                path.unlink()
            return
        name = urlsplit(database).path[1:]
        self._databases.remove(name)
        self._drop(name)

    def close(self) -> None:
        """Processes first, then their databases; the folder goes with its maker."""
        self.stop(*self._children)
        while self._databases:
            self._drop(self._databases.pop())

    def _new(self, kind: str, name: str, template: str) -> str:
        if kind == SQLITE:
            path = self.folder / f"{name}-{secrets.token_hex(3)}.sqlite3"
            if template:
                shutil.copyfile(template.removeprefix(_SQLITE), path)
            return f"{_SQLITE}{path}"
        database = f"{self._mark}_{self._made}"
        self._made += 1
        source = f' TEMPLATE "{urlsplit(template).path[1:]}"' if template else ""
        self._databases.append(database)
        self.query(self.postgresql, f'CREATE DATABASE "{database}"{source}')
        return urlsplit(self.postgresql)._replace(path=f"/{database}").geturl()

    def _drop(self, name: str) -> None:
        """A server that has no connection left for us now may have one in a moment."""
        for _ in range(DROP_TRIES):
            try:
                self.query(self.postgresql, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            except Failed:
                time.sleep(DROP_SECONDS)
            else:
                return
        print(f"Left behind in PostgreSQL: the database {name}", file=sys.stderr)

    def _migrate(self, database: str) -> None:
        environ = self.environ(database)
        if database.startswith(_SQLITE):
            make_tables(Path(database.removeprefix(_SQLITE)), environ)
        else:
            migrate(database, environ)


@contextmanager
def open_workshop(postgresql: str) -> Iterator[Workshop]:
    """A workshop that is cleared away at the end, at an error and at Ctrl-C.

    `postgresql` is the address of a server on which databases may be made; "" when there is none.
    """
    with held_back():
        folder = Path(tempfile.mkdtemp(prefix="eduix-bench-"))
    workshop = Workshop(folder, postgresql)
    try:
        yield workshop
    finally:
        with held_back():  # a second Ctrl-C must not stop the clearing away
            try:
                workshop.close()
            finally:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the end of this block; then they raise `KeyboardInterrupt`."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
