"""The product on a database of its own with the sandbox as its partner, looked at from outside."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from backoffice.eduix.contract import endpoint_path
from backoffice.eduix_sandbox.server import SandboxServer
from benchmarks.children import ROOT, Child, Failed
from benchmarks.workshop import Workshop
from tests.outbox.conftest import SCHOOL

POLL_SECONDS: Final = 0.05
COMMAND_SECONDS: Final = 900.0
ACTIVE: Final = "('queued', 'sending', 'uncertain')"


@dataclass
class Office:
    """Somebody who asks for pushes (`clerk`), processes that send them, and the partner.

    `address` is where the senders find Edu-iX when that is not the sandbox itself.
    """

    workshop: Workshop
    database: str
    sandbox: SandboxServer
    kind: str = ""  # of database
    address: str = ""
    more: dict[str, str] = field(default_factory=dict)  # environment of all its processes

    @cached_property
    def clerk(self) -> Child:
        """The process that writes rows and asks for pushes; it calls the sandbox directly."""
        environ = self.environ(self.sandbox.url)
        return self.workshop.start("clerk", ["-m", "tests.chaos.outbound.workers.clerk"], environ)

    def ask(self, what: str, **values: object) -> Any:
        """One order to the clerk, and what it says."""
        return self.clerk.ask({"do": what, **values})["said"]

    def sender(self, *patches: str, **environ: str) -> Child:
        """`manage.py deliver`, or the same with parts of it replaced; see `workers/patched.py`."""
        started = self._command(patches, "deliver")
        return self.workshop.start("sender", started, self.environ(self.address) | environ)

    def manage(self, *command: str, patches: Sequence[str] = ()) -> str:
        """What a command of `manage.py` prints. Raises `Failed`."""
        done = subprocess.run(
            [sys.executable, *self._command(patches, *command)],
            cwd=ROOT,
            env=self.environ(self.address),
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        if done.returncode:
            raise Failed(f"{command[0]} ended:\n{done.stderr[-2000:]}")
        return done.stdout

    def _command(self, patches: Sequence[str], *command: str) -> list[str]:
        if patches:
            return ["-m", "tests.chaos.outbound.workers.patched", *patches, *command]
        return ["manage.py", *command]

    def environ(self, address: str) -> dict[str, str]:
        """Of a process that finds Edu-iX at this address."""
        address = address or self.sandbox.url
        return self.workshop.environ(
            self.database,
            DJANGO_SETTINGS_MODULE="backoffice.settings",
            EDUIX_PROFILE_URL=address + endpoint_path("profile"),
            EDUIX_CREDIT_URL=address + endpoint_path("credit"),
            EDUIX_USERNAME=self.sandbox.username,
            EDUIX_PASSWORD=self.sandbox.password,
            EDUIX_DISTRIBUTOR_ID=str(self.sandbox.distributor_id),
            **self.more,
        )

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the product's database."""
        return self.workshop.query(self.database, statement)

    def count(self, table: str, condition: str = "1 = 1") -> int:
        """How many rows of the product's database are like this."""
        return int(self.query(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])  # noqa: S608  our own words

    def active(self) -> int:
        """Messages that the engine itself still works on."""
        return self.count("outbox_message", f"status IN {ACTIVE}")

    def wait_until_sent(self, seconds: float, *senders: Child) -> bool:
        """Until no message is left that goes by itself; False when time is up."""
        return self.wait_until(lambda: not self.active(), seconds, *senders)

    def wait_until(self, true: Callable[[], Any], seconds: float, *living: Child) -> bool:
        """Until it is true, False when time is up. Raises `Failed` when one of `living` ended."""
        end = time.monotonic() + seconds
        while not true():
            for child in living:
                if child.process.poll() is not None:
                    raise Failed(f"{child.name} ended:\n{child.last_lines()}")
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def unfinished(self) -> list[str]:
        """A line for each message that did not end well, by its key."""
        rows = self.query(
            "SELECT operation, label, status, code, text FROM outbox_message"
            " WHERE status <> 'done' ORDER BY id"
        )
        return [
            f"{operation} {label} is {status} ({code}: {text[:80]})"
            for operation, label, status, code, text in rows
        ]

    def applied_again(self, operation: str = "") -> list[str]:
        """A line for each subject of this operation, or of all, that Edu-iX applied twice."""
        ledger = self.sandbox.control.ledger(operation=operation, applied=True)
        applied = Counter(row.subject for row in ledger)
        return [
            f"{subject} was applied {times} times"
            for subject, times in applied.items()
            if times > 1
        ]

    def out_of_order(self) -> list[str]:
        """A line for each message of a chain that Edu-iX applied before an earlier one."""
        applied = {
            row.subject.rpartition(":")[2]: row.number
            for row in self.sandbox.control.ledger(applied=True)
        }
        found, before = [], ("", 0)
        for chain, label in self.query(
            "SELECT chain, label FROM outbox_message ORDER BY chain, position"
        ):
            number = applied.get(label, 0)
            if chain == before[0] and number < before[1]:
                found.append(f"{label} of {chain} was number {number}, after {before[1]}")
            before = chain, number
        return found


def moment_of(value: object) -> datetime:
    """A column of the database: PostgreSQL gives a moment, SQLite a text in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


@contextmanager
def open_office(
    workshop: Workshop, *, kind: str = "", sandbox: SandboxServer | None = None, **more: str
) -> Iterator[Office]:
    """An office with a sandbox of its own; PostgreSQL where there is one. Ends its processes."""
    partner = sandbox or SandboxServer(schools=[SCHOOL], pace=0)
    with partner:
        kind = kind or workshop.kinds[0]
        office = Office(workshop, workshop.database(kind, "out"), partner, kind, more=more)
        before = set(workshop.children)
        try:
            yield office
        finally:
            workshop.stop(*(child for child in workshop.children if child not in before))
