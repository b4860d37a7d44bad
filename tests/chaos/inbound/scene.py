"""A door, a worker and an office on one database, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.children import ROOT, Child, free_port
from benchmarks.workshop import Workshop
from tests.chaos.inbound.product.broken import BROKEN, WAITS
from tests.chaos.waiting import PATIENCE, comes_true
from tests.notifications.sending import PASSWORD, USER, Sender, envelope

CUT: Final = 0  # in place of a status: no answer came

LINKED: Final = envelope("prematch_linked")
FAULT: Final = envelope("specification_fault")


def about_person(key: str, user: str) -> bytes:
    """The portal linked this person."""
    return LINKED.replace(b"K-3001", key.encode()).replace(b"elo-user-77", user.encode())


def about_credit(key: str, code: int) -> bytes:
    """The publisher refused this credit."""
    return FAULT.replace(b"C-1001", key.encode()).replace(b">117<", b">%d<" % code)


@dataclass
class Scene:
    """The processes of one experiment on one database; all end with the scene."""

    workshop: Workshop
    database: str
    broken: str = ""  # see `broken.py`
    waits: Mapping[str, float] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)

    def office(self) -> Child:
        """Answers `office.py`'s questions."""
        return self.start("office", "tests.chaos.inbound.product.office")

    def worker(self) -> Child:
        """`manage.py deliver`; answers the office's questions too."""
        return self.start("worker", "tests.chaos.inbound.product.worker")

    def supervised(self) -> Child:
        """An office that becomes a worker when it is told `deliver`, started again at each end."""
        return self.start("supervised", "tests.chaos.inbound.product.supervised")

    def manage(self, *arguments: str) -> tuple[int, str]:
        """Exit status and output of a command of the product, as it is shipped."""
        environ = self.workshop.environ(self.database, **self.environ)
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout + done.stderr

    def door(self, *, threads: int = 8, workers: int = 1) -> tuple[Child, Sender]:
        """granian in front of the product, and a sender to it; `wait_for_port` before sending."""
        port = free_port()
        arguments = (
            *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", str(workers), "--blocking-threads", str(threads), "--no-ws"),
            *("--log-level", "warning", "tests.chaos.inbound.product.served:application"),
        )
        return self.start("door", *arguments), Sender(port)

    def start(self, name: str, module: str, *arguments: str) -> Child:
        """A Python module as a process, with this scene's environment."""
        environ = self.workshop.environ(
            self.database,
            NOTIFICATION_CREDENTIALS=f"{USER}:{PASSWORD}",
            **{BROKEN: self.broken, WAITS: json.dumps(dict(self.waits)), **self.environ},
        )
        child = self.workshop.start(name, ["-m", module, *arguments], environ)
        self.children.append(child)
        return child

    def count(self, where: str = "true", table: str = "notifications_notification") -> int:
        """Rows of a table."""
        statement = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608  our own words
        return int(self.workshop.query(self.database, statement)[0][0])

    def verdicts(self) -> dict[str, Counter[str]]:
        """How often each subject got each verdict."""
        found: dict[str, Counter[str]] = {}
        for subject, verdict in self.workshop.query(
            self.database, "SELECT subject, verdict FROM notifications_notification"
        ):
            found.setdefault(subject, Counter())[verdict] += 1
        return found

    def is_settled(self) -> bool:
        """Nothing is left to be applied."""
        return self.count("verdict IN ('waiting', 'failed')") == 0

    def settles(self, patience: float = PATIENCE) -> bool:
        """Whether all is applied in the end: however long it takes, but never so long nothing."""
        before = -1
        while not comes_true(self.is_settled, seconds=patience):
            settled = self.count("verdict NOT IN ('waiting', 'failed')")
            if settled == before:
                return False
            before = settled
        return True


@contextmanager
def scene(
    workshop: Workshop,
    kind: str,
    name: str,
    *,
    broken: str = "",
    waits: Mapping[str, float] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Scene]:
    """A scene on a new database of this kind."""
    made = Scene(workshop, workshop.database(kind, name), broken, waits or {}, environ or {})
    try:
        yield made
    finally:
        workshop.stop(*made.children)
        workshop.discard(made.database)


def posted(sender: Sender, bodies: Iterable[bytes], *, at_once: int = 8) -> Counter[int]:
    """Post them over so many connections; the statuses of the answers."""
    with ThreadPoolExecutor(at_once) as pool:
        return Counter(pool.map(lambda body: status_of(sender, body), bodies))


def status_of(sender: Sender, body: bytes) -> int:
    """Of one delivery; `CUT` when no answer came."""
    try:
        return sender.post(body).status
    except (OSError, IndexError, ValueError):
        return CUT
