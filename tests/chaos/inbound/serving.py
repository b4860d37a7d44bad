"""The door as the product serves it, on a database that may be killed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from backoffice.desk.stack import THREADS, web_server
from benchmarks.children import Child, Failed, free_port
from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.cluster import Cluster, programs
from tests.chaos.experiment import NotHere

PRODUCT: Final = "backoffice.wsgi:application"
ANSWERS_FIRST: Final = "tests.chaos.inbound.broken.answers_first:application"
ROOM: Final = 2**30  # bytes that must be free for a database in memory
MEMORY: Final = Path("/dev/shm")  # noqa: S108  a file system, and the folder in it is our own


class Served:
    """The door under granian with the product's own command; may be killed and started again."""

    def __init__(
        self,
        workshop: Workshop,
        database: str,
        *,
        application: str = PRODUCT,
        workers: int = 1,
        threads: int = THREADS,
        command: Callable[[int, str], list[str]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.database = database
        self._workshop = workshop
        self._command = (
            command(self.port, application)
            if command
            else web_server(self.port, workers=workers, threads=threads, application=application)
        )
        self._environ = workshop.environ(
            database, BACKOFFICE_PORT=str(self.port), **(environ or {})
        )
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process that runs now."""
        assert self._child is not None
        return self._child

    def begin(self) -> None:
        """Start it, without waiting."""
        self._child = self._workshop.start("door", self._command, self._environ)

    def wait(self) -> None:
        """Until it listens; a loaded machine may take minutes. Raises `Failed`."""
        for is_last in (False, False, True):
            try:
                self.child.wait_for_port(self.port)
            except Failed:
                if is_last or self.child.process.poll() is not None:
                    raise
            else:
                return

    def start(self) -> None:
        """Start it and wait until it listens. Raises `Failed`."""
        self.begin()
        self.wait()

    def kill(self) -> None:
        """SIGKILL to the server and its workers; does nothing when it does not run."""
        if self._child is not None:
            self._child.signal(signal.SIGKILL)
            self._workshop.stop(self._child)
            self._child = None


def stored(workshop: Workshop, database: str) -> set[str]:
    """The keys of all notifications that are there."""
    rows = workshop.query(database, "SELECT subject FROM notifications_notification")
    return {str(row[0]) for row in rows}


@contextmanager
def own_postgresql(
    workshop: Workshop, folder: Path | None = None, **settings: str
) -> Iterator[Cluster]:
    """A running PostgreSQL of our own with the product's tables. Raises `NotHere`."""
    dump = _tables(workshop)
    cluster = Cluster(
        folder or quick_folder("eduix-cluster-"), **{"max_wal_size": "'128MB'", **settings}
    )
    try:
        cluster.start()
        _run("psql", "--quiet", "--single-transaction", "-d", cluster.url, "-f", str(dump))
        yield cluster
    finally:
        with contextlib.suppress(OSError):
            cluster.kill()  # its files go too: nothing has to be written in order first
        cluster.close()


def _tables(workshop: Workshop) -> Path:
    """The product's empty tables as SQL; made once for each workshop."""
    dump = workshop.folder / "tables.sql"
    if not dump.exists():
        if POSTGRESQL not in workshop.kinds:
            raise NotHere("PostgreSQL")
        database = workshop.database(POSTGRESQL, "tables")
        _run("pg_dump", "--no-owner", "-d", database, "-f", str(dump))
    return dump


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [programs() / program, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{program}: {done.stderr.strip()[-1000:]}")


def quick_folder(prefix: str) -> Path:
    """A new folder, in memory where there is room: a kill leaves that alone, and it is quick."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if in_memory else None))
