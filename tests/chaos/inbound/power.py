"""N2: the power is cut while eight connections deliver, with the database on a disk of its own."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg

from benchmarks.children import Failed
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop
from tests.chaos.cluster import Cluster
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.disk import Disk, open_disk
from tests.chaos.inbound.senders import Senders
from tests.chaos.inbound.serving import Served, own_postgresql, stored

KINDS: Final = (POSTGRESQL, SQLITE)
UNSYNCED: Final = "tests.chaos.inbound.broken.unsynced_settings"
# What is raised by a database that has lost its files.
BROKEN: Final = (psycopg.Error, sqlite3.DatabaseError, RuntimeError, Failed)


@dataclass
class Site:
    """A door whose database stands on a disk of its own; SQLite has no server."""

    door: Served
    disk: Disk
    cluster: Cluster | None = None

    def lose_power(self) -> None:
        """Everything stops at one moment, and only what had reached the disk is left."""
        self.door.child.signal(signal.SIGSTOP)
        if self.cluster:
            self.cluster.signal(signal.SIGSTOP)
        self.disk.photograph()
        self.door.kill()
        if self.cluster:
            self.cluster.kill()
        self.disk.cut()

    def start_database(self) -> None:
        """As after any cut; raises one of `BROKEN` when it cannot."""
        if self.cluster:
            (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)
            self.cluster.start()


def run(workshop: Workshop, size: Size) -> Outcome:
    """With the settings of the product and of a stock PostgreSQL."""
    outcome = Outcome()
    for kind in KINDS:
        with _site(workshop, kind) as site:
            _deliver(site, kind, size, workshop, outcome)
    return outcome


def control(workshop: Workshop, size: Size) -> Outcome:
    """One cut of databases that do not wait for the disk; each of them must lose."""
    both = Outcome()
    for kind in KINDS:
        outcome = Outcome()
        with _site(workshop, kind, is_synced=False) as site:
            _deliver(site, kind, Size.SMOKE, workshop, outcome)
        both.tried += outcome.tried
        both.remarks += outcome.remarks
        if not outcome.violations:
            return Outcome(both.tried, [], [*both.remarks, f"{kind} lost nothing"])
        both.violations += outcome.violations
    return both


@contextmanager
def _site(workshop: Workshop, kind: str, *, is_synced: bool = True) -> Iterator[Site]:
    with open_disk() as disk:
        if kind == SQLITE:
            path = disk.folder / "db.sqlite3"
            shutil.copyfile(workshop.database(SQLITE, "in").removeprefix("sqlite:///"), path)
            disk.settle()
            environ = {} if is_synced else {"DJANGO_SETTINGS_MODULE": UNSYNCED}
            with _serving(Served(workshop, f"sqlite:///{path}", environ=environ)) as door:
                yield Site(door, disk)
        else:
            settings = {} if is_synced else {"fsync": "off"}
            with own_postgresql(workshop, disk.folder, **settings) as cluster:
                disk.settle()
                with _serving(Served(workshop, cluster.url, workers=2)) as door:
                    yield Site(door, disk, cluster)


@contextmanager
def _serving(door: Served) -> Iterator[Served]:
    """Ended before its disk is taken away."""
    door.start()
    try:
        yield door
    finally:
        door.kill()


def _deliver(site: Site, kind: str, size: Size, workshop: Workshop, outcome: Outcome) -> None:
    """Cut the power after each `least` answers; then look for all that was answered 200."""
    cuts = size.of(10, smoke=1, quick=2)
    least = size.of(500, smoke=100, quick=300)
    problem = ""
    with Senders(site.door.port, "K") as senders:
        for number in range(1, cuts + 1):
            senders.wait_for(least)
            site.lose_power()
            try:
                site.start_database()
            except BROKEN as broken:
                problem = f", for it does not start: {str(broken)[-200:]}"
                break
            if number < cuts:
                site.door.start()
    there: set[str] = set()
    if not problem:
        try:
            there = stored(workshop, site.door.database)
        except BROKEN as broken:
            problem = f", for it cannot be read: {broken}"
    outcome.tried += len(senders.acked)
    outcome.remarks.append(f"{kind}: {cuts} cuts, {len(senders.acked)} answered 200")
    outcome.violations += [
        f"{kind}: {key} was answered 200 and is gone after the cut{problem}"
        for key in senders.acked
        if key not in there
    ]


EXPERIMENTS: Final = (
    Experiment(
        "N2",
        "What was answered 200 is there after a power cut",
        run,
        control,
        "the databases do not wait for the disk",
    ),
)
