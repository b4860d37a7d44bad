"""N10: what a known sender tells wrongly is kept to the byte; of a stranger nothing is kept."""

from __future__ import annotations

import hashlib
import re
import time
from functools import partial
from typing import Final

from benchmarks.children import Child, offer
from benchmarks.load import Job
from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.scene import Scene, scene
from tests.chaos.waiting import comes_true
from tests.notifications.bodies import GOOD, IN_ENVELOPE, INVALID, NOT_XML, SECRET
from tests.notifications.sending import PATH, Sender

ROWS: Final = "notifications_notification"
FLUSH_SECONDS: Final = 1.0  # between two log lines, at least
CONNECTIONS: Final = 8
REFUSALS: Final = (400, 411, 500)  # granian leaves out a length of 0
REJECTED: Final = [*NOT_XML, *(body for _what, body, _faultcode, _code in IN_ENVELOPE)]


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """First a flood of strangers, then every rejected case once, then every invalid one."""
    posts = size.of(10_000, smoke=600)
    kind = workshop.kinds[0]
    with scene(workshop, kind, "n10", broken=broken) as here:
        door, sender = here.door()
        door.wait_for_port(sender.port)
        before = _size(here, kind)
        begun = time.monotonic()
        refused = _flood(sender, posts) + _rejected(sender)
        expected = posts + len(REJECTED)
        outcome = Outcome(tried=expected + len(INVALID))
        if refused != expected:
            outcome.violations.append(f"{expected - refused} of {expected} were let in")
        if not comes_true(lambda: _counted(here) >= expected, seconds=20):
            outcome.violations.append(f"{_counted(here)} of {expected} were counted")
        seconds = time.monotonic() - begun
        if (after := _size(here, kind)) != before:
            outcome.violations.append(f"the table grew from {before} to {after} (rows, bytes)")
        lines = door.log.read_text(errors="replace").splitlines()
        most = seconds / FLUSH_SECONDS + 1
        if len(lines) > most:
            outcome.violations.append(f"{len(lines)} log lines in {seconds:.1f} s")
        outcome.violations += _secrets(door)
        outcome.violations += [
            wrong
            for what, body, reason, _subject in INVALID
            if (wrong := _not_kept(here, sender, what, body, reason))
        ]
    outcome.remarks.append(f"{expected} strangers in {seconds:.1f} s, {len(lines)} log lines")
    return outcome


def _size(here: Scene, kind: str) -> tuple[int, int]:
    """Rows, and bytes where the database tells."""
    if kind != POSTGRESQL:
        return here.count(), 0
    [(size,)] = here.workshop.query(here.database, f"SELECT pg_total_relation_size('{ROWS}')")
    return here.count(), int(size)


def _flood(sender: Sender, posts: int) -> int:
    """Deliveries with a wrong password; how many got the Fault for it."""
    parts = GOOD.replace(SECRET, b"wrong").decode().split("C-1001")
    job = Job(sender.port, PATH, parts, "X", CONNECTIONS, requests=posts)
    return offer(job).statuses.get("500", 0)


def _rejected(sender: Sender) -> int:
    """Each rejected case; a charset in the header would overrule what a declaration says."""
    answers = [sender.post(body, content_type="text/xml").status for body in REJECTED]
    return sum(status in REFUSALS for status in answers)


def _counted(here: Scene) -> int:
    [(total,)] = here.workshop.query(
        here.database, "SELECT coalesce(sum(count), 0) FROM notifications_refusal"
    )
    return int(total)


def _secrets(door: Child) -> list[str]:
    found = SECRET.decode() in door.log.read_text(errors="replace")
    return ["the log holds a password"] if found else []


def _not_kept(here: Scene, sender: Sender, what: str, body: bytes, reason: str) -> str:
    """What is wrong with the row of a delivery whose content breaks the contract."""
    status = sender.post(body).status
    digest = hashlib.sha256(body).hexdigest()
    rows = here.workshop.query(
        here.database,
        f"SELECT raw, raw_length, verdict, reason FROM {ROWS} WHERE raw_sha256 = '{digest}'",  # noqa: S608  our own words
    )
    found = [(bytes(raw), *rest) for raw, *rest in rows]
    wanted = [(_blanked(body), len(body), "invalid", reason)]
    return "" if (status, found) == (500, wanted) else f"{what}: {status}, {found!r:.200}"


def _blanked(body: bytes) -> bytes:
    return re.sub(rb"(?<=<n:password>)[^<]*", b"", body)


EXPERIMENTS: Final = (
    Experiment(
        name="N10",
        promise="What a known sender tells wrongly is kept; of a stranger nothing is",
        run=run,
        control=partial(run, broken="strangers are kept"),
        broken="a row and a log line for each stranger",
    ),
)
