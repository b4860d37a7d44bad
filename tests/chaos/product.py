"""The product in processes that an experiment starts in an instant, pauses and kills."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.children import Failed
from benchmarks.workshop import Workshop
from tests.chaos.waiting import wait_until

START_SECONDS: Final = 60.0  # a loaded machine reads the product slowly
KILLED: Final = 137  # with what a crash point ends its process, as SIGKILL would for a shell

Patch = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Process:
    """One process of the product."""

    pid: int

    def signal(self, number: int) -> None:
        """To this process alone; one that has ended does not mind."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As the kernel would out of memory; returns when it is gone."""
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.is_alive, f"the end of process {self.pid}")

    def stop(self) -> None:
        """In order: it finishes what is under way."""
        self.signal(signal.SIGTERM)
        wait_until(lambda: not self.is_alive, f"the end of process {self.pid}")

    @property
    def is_alive(self) -> bool:
        """It runs, or is paused; a dead one whose parent has not looked yet is none."""
        return state_of(self.pid) not in {"", "Z", "X"}

    @property
    def children(self) -> list[Process]:
        """Those that it started itself, in the order of their start."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        try:
            return [Process(int(one)) for one in listed.read_text().split()]
        except OSError:
            return []


def state_of(pid: int) -> str:
    """The letter of the kernel: R, S, T for a paused one, Z for a dead one; "" without it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Product:
    """The product on one database with its own environment: see `workers/product.py`."""

    def __init__(self, workshop: Workshop, database: str, **environ: str) -> None:
        self.database = database
        self._workshop = workshop
        self.environ = workshop.environ(database, **environ)
        arguments = ["-m", "tests.chaos.workers.product"]
        self._child = workshop.start("product", arguments, self.environ)
        self._child.read(START_SECONDS)
        self._said_before = len(self._child.log_text())

    def run(self, job: str, *patches: Patch, **arguments: Any) -> Any:
        """Run a job in a process of its own and return its answer. Raises `Failed`."""
        told = self._ask("run", job, patches, arguments)
        if told["status"]:
            raise Failed(f"{job} ended with {told['status']}:\n{self._child.last_lines()}")
        return told["answer"]

    def status(self, job: str, *patches: Patch, **arguments: Any) -> int:
        """Run a job that is to end otherwise; its exit status, negative for a signal."""
        return int(self._ask("run", job, patches, arguments)["status"])

    def crash(self, job: str, point: str, **arguments: Any) -> None:
        """Run a job that ends at a crash point; raises `Failed` when it does not get there."""
        status = self.status(job, ("crashing:crash_at", {"point": point}), **arguments)
        if status != KILLED:
            raise Failed(f"{job} ended with {status}, not at {point}:\n{self._child.last_lines()}")

    def start(self, job: str, *patches: Patch, **arguments: Any) -> Process:
        """A process that does this job until it is ended."""
        return Process(int(self._ask("start", job, patches, arguments)["pid"]))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement on its database, from outside."""
        return self._workshop.query(self.database, statement)

    def count(self, condition: str = "true", table: str = "outbox_message") -> int:
        """How many rows fulfil a condition."""
        [[number]] = self.query(f"select count(*) from {table} where {condition}")  # noqa: S608
        return int(number)

    @property
    def is_sqlite(self) -> bool:
        """Its statements differ here and there."""
        return self.database.startswith("sqlite")

    @property
    def now(self) -> str:
        """The moment of now in a statement."""
        return "strftime('%Y-%m-%d %H:%M:%f', 'now')" if self.is_sqlite else "now()"

    def leased(self) -> int:
        """How many messages are in somebody's hands by a lease that has not ended."""
        return self.count(f"status = 'sending' and lease_until >= {self.now}")

    def log(self) -> str:
        """What all its processes wrote on standard error so far."""
        return self._child.log_text()[self._said_before :]

    def close(self) -> None:
        """End all its processes."""
        self._workshop.stop(self._child)

    def __enter__(self) -> Product:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _ask(
        self, do: str, job: str, patches: tuple[Patch, ...], arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        question = {"do": do, "job": job, "patches": patches, "arguments": arguments}
        return self._child.ask(question)
