"""N3: what the kernel saw: written to the log, flushed to disk, and only then answered."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Final

from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.controls import red_only_if_all_are, together
from tests.chaos.inbound.power import UNSYNCED
from tests.chaos.inbound.senders import Senders
from tests.chaos.inbound.serving import Served, own_postgresql
from tests.chaos.inbound.trace import Call, calls, family, traced

CONNECTIONS: Final = 4
MARK: Final = "Flush"
KEY: Final = re.compile(MARK + r"\d{8}")
LOG: Final = re.compile(r"/pg_wal/|-wal>$")  # what both databases write first


def run(workshop: Workshop, size: Size) -> Outcome:
    """With the settings of the product and of a stock PostgreSQL."""
    return together({kind: _watched(workshop, kind, size, {}, {}) for kind in (POSTGRESQL, SQLITE)})


def control(workshop: Workshop, size: Size) -> Outcome:
    """Databases that say "committed" before the flush."""
    unsynced = {"DJANGO_SETTINGS_MODULE": UNSYNCED}
    return red_only_if_all_are(
        {
            POSTGRESQL: _watched(workshop, POSTGRESQL, size, {"synchronous_commit": "off"}, {}),
            SQLITE: _watched(workshop, SQLITE, size, {}, unsynced),
        }
    )


def _watched(
    workshop: Workshop,
    kind: str,
    size: Size,
    settings: dict[str, str],
    environ: dict[str, str],
) -> Outcome:
    file = workshop.folder / "trace"
    with ExitStack() as stack:
        if kind == POSTGRESQL:
            cluster = stack.enter_context(own_postgresql(workshop, None, **settings))
            database, pids = cluster.url, family(cluster.pid)
        else:
            database, pids = workshop.database(SQLITE, "in"), []
        door = Served(workshop, database, environ=environ)
        stack.callback(door.kill)
        door.start()
        with (
            traced([*pids, *family(door.child.process.pid)], file),
            Senders(door.port, MARK, CONNECTIONS) as senders,
        ):
            senders.wait_for(size.of(200, smoke=20, quick=100))
    outcome = _compare(calls(file), senders.acked, kind)
    file.unlink()
    return outcome


def _compare(events: list[Call], acked: list[str], kind: str) -> Outcome:
    """Each answer 200 begins after the end of a flush that began after its row was in the log."""
    outcome = Outcome(len(acked), remarks=[f"{kind}: {len(events)} calls seen"])
    in_log = _in_log(events)
    flushes = [call for call in events if call.name in ("fdatasync", "fsync") and _is_done(call)]
    answers = _answers(events)
    for key in acked:
        write, answer = in_log.get(key), answers.get(key)
        if answer is None:
            outcome.violations.append(f"{kind}: the answer about {key} was not seen")
        elif write is None:
            outcome.violations.append(f"{kind}: {key} was answered and never in the log")
        elif not any(_is_between(write, flush, answer) for flush in flushes):
            outcome.violations.append(f"{kind}: {key} was answered before its flush had returned")
    return outcome


def _in_log(events: list[Call]) -> dict[str, Call]:
    """By key, the first write that put its row into the log of the database."""
    found: dict[str, Call] = {}
    for call in events:
        if call.name in ("pwrite64", "pwritev", "write") and _is_done(call):
            for key in KEY.findall(call.text):
                found.setdefault(key, call)
    return found


def _answers(events: list[Call]) -> dict[str, Call]:
    """By key, the call with which the web server wrote its answer."""
    found: dict[str, Call] = {}
    asked: dict[str, str] = {}  # by connection, which has one delivery under way
    for call in events:
        if call.name in ("recvfrom", "read") and "SOAPAction" in call.text:
            asked.update((call.handle, key) for key in KEY.findall(call.text)[:1])
        elif call.handle in asked and call.text.lstrip(', [{iov_base="').startswith("HTTP/1.1 200"):
            found[asked.pop(call.handle)] = call
    return found


def _is_done(call: Call) -> bool:
    return call.succeeded and LOG.search(call.handle) is not None


def _is_between(write: Call, flush: Call, answer: Call) -> bool:
    """Whether this flush is of that file, began after the write and ended before the answer."""
    assert write.ended is not None
    assert flush.ended is not None
    is_same_file = write.handle.partition("<")[2] == flush.handle.partition("<")[2]
    return is_same_file and write.ended <= flush.begun and flush.ended < answer.begun


EXPERIMENTS: Final = (
    Experiment(
        "N3",
        "The answer is written after the flush of its row has returned",
        run,
        control,
        "the databases do not wait for the flush",
    ),
)
