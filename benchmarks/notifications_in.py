"""Notifications in: the product's door beside peers under the same server, durable for all.

Every contender has a database and a server process of its own, all of them wait while one is
loaded, and each round loads all of them: what disturbs the machine disturbs them alike.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final

from backoffice.eduix.contract import endpoint_path
from benchmarks.apps import BODY_TABLE
from benchmarks.children import Child, Failed, free_port, offer
from benchmarks.envelopes import PASSWORD, specification_changed
from benchmarks.figures import (
    LIMIT,
    PEER,
    PRODUCT,
    Figure,
    Row,
    Table,
    figure_of,
    p99_ratio,
    rate_ratio,
)
from benchmarks.load import Job
from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop, open_workshop
from tests.chaos.cluster import Cluster
from tests.chaos.experiment import NotHere

CONNECTIONS: Final = (8, 32)
PATH: Final = endpoint_path("notification")
ROWS: Final = "notifications_notification"
CREATE: Final = {
    POSTGRESQL: f"CREATE TABLE {BODY_TABLE} (id bigserial PRIMARY KEY, body bytea NOT NULL)",
    SQLITE: f"CREATE TABLE {BODY_TABLE} (id integer PRIMARY KEY, body blob NOT NULL)",
}
# Two processes where the product runs with PostgreSQL, one as `make demo` runs it on SQLite; and
# threads for all that is sent at once.
SERVER: Final = {POSTGRESQL: (2, 16), SQLITE: (1, 16)}
# Every thread of a peer keeps a connection, and a stock PostgreSQL has a hundred for everybody.
CROWDED: Final = (2, 4)


@dataclass(frozen=True)
class Contender:
    """An application under granian."""

    role: str
    name: str
    application: str
    path: str = PATH
    environ: Mapping[str, str] = field(default_factory=dict, hash=False)
    table: str = ROWS


DOOR: Final = Contender(PRODUCT, "the door", "backoffice.wsgi:application")
BARE: Final = Contender(LIMIT, "bare WSGI", "benchmarks.apps.bare:application", table=BODY_TABLE)
VIEW: Final = Contender(
    PEER,
    "Django view, no middleware",
    "benchmarks.apps.wsgi:application",
    environ={"BENCH_MIDDLEWARE": "none"},
)
STOCK_VIEW: Final = Contender(PEER, "Django view, startproject", "benchmarks.apps.wsgi:application")
SPYNE: Final = Contender(
    PEER, "spyne on Django", "benchmarks.apps.wsgi:application", path=f"/spyne{PATH}"
)


@dataclass
class Entry:
    """A contender at work: its server, its database, and what it has accepted so far."""

    contender: Contender
    server: Child
    port: int
    database: str
    accepted: int = 0
    refused: int = 0
    keys: list[str] = field(default_factory=list)  # one of each load


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """A table for each database and number of connections.

    On a PostgreSQL of our own, with room for all their connections, where its programs are here.
    """
    for kind in workshop.kinds:
        if kind == POSTGRESQL:
            yield from _on_our_own(workshop, scale)
        else:
            yield from measure_on(workshop, kind, scale, SERVER[kind])


def _on_our_own(workshop: Workshop, scale: Scale) -> list[Table]:
    try:
        cluster = Cluster(max_connections="400")
    except NotHere:
        return measure_on(workshop, POSTGRESQL, scale, CROWDED)
    with cluster, open_workshop(cluster.url) as roomy:
        return measure_on(roomy, POSTGRESQL, scale, SERVER[POSTGRESQL])


def measure_on(workshop: Workshop, kind: str, scale: Scale, server: tuple[int, int]) -> list[Table]:
    """The tables of one database, each contender with so many processes and threads."""
    entries = start(workshop, kind, server, [DOOR, VIEW, STOCK_VIEW, *_spyne(), BARE])
    rows = {
        connections: {
            entry.contender: Row(entry.contender.role, entry.contender.name) for entry in entries
        }
        for connections in CONNECTIONS
    }
    for entry in entries:  # its threads, each with its connection to the database
        load(entry, "w", max(CONNECTIONS), scale.seconds / 2)
    for number in range(scale.rounds):
        print(f"notifications in, {kind}: round {number + 1}", file=sys.stderr)
        for connections in CONNECTIONS:
            for entry in scale.in_turn(entries, number):
                figure = load(entry, f"{number}", connections, scale.seconds)
                rows[connections][entry.contender].rounds.append(figure)
    problems = [problem for entry in entries for problem in check(workshop, entry)]
    workshop.stop(*(entry.server for entry in entries))
    tables = [_table(kind, server, connections, found) for connections, found in rows.items()]
    tables[-1].problems = problems
    return tables


def _spyne() -> list[Contender]:
    """spyne is no part of the locked packages: a row of it only where somebody installed it."""
    return [SPYNE] if find_spec("spyne") else []


def start(
    workshop: Workshop, kind: str, server: tuple[int, int], contenders: list[Contender]
) -> list[Entry]:
    """All of them listening, each with empty tables of its own."""
    entries = []
    for contender in contenders:
        database = workshop.database(kind, "in")
        workshop.query(database, CREATE[kind])
        port = free_port()
        environ = workshop.environ(database, **contender.environ)
        process = workshop.start(contender.name, _granian(contender, server, port), environ)
        entries.append(Entry(contender, process, port, database))
    for entry in entries:
        entry.server.wait_for_port(entry.port)
    return entries


def _granian(contender: Contender, server: tuple[int, int], port: int) -> list[str]:
    workers, threads = server
    return [
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--no-ws"),
        *("--backpressure", "64", "--log-level", "warning", contender.application),
    ]


def load(entry: Entry, mark: str, connections: int, seconds: float) -> Figure:
    """Load one contender; what it accepts is added up for `check`."""
    parts = specification_changed()
    prefix = f"{mark}-{connections}-"
    before = entry.server.usage()
    outcome = offer(Job(entry.port, entry.contender.path, parts, prefix, connections, seconds))
    after = entry.server.usage()
    if not outcome.accepted:
        lines = entry.server.last_lines()
        raise Failed(f"{entry.contender.name} accepted nothing ({outcome.statuses}):\n{lines}")
    entry.accepted += outcome.accepted
    entry.refused += outcome.refused
    entry.keys.append(f"{prefix}{0:08d}")
    return figure_of(outcome, before, after)


def check(workshop: Workshop, entry: Entry) -> list[str]:
    """What is wrong: every accepted body must be there once, and the product's must be right."""
    name, table = entry.contender.name, entry.contender.table
    problems = [f"{name} refused {entry.refused}"] if entry.refused else []
    distinct = "body" if table == BODY_TABLE else "subject"
    statement = f"SELECT count(*), count(DISTINCT {distinct}) FROM {table}"  # noqa: S608  our names
    ((stored, different),) = workshop.query(entry.database, statement)
    if not stored == different == entry.accepted:
        problems.append(
            f"{name} accepted {entry.accepted}, stored {stored} ({different} different)"
        )
    if entry.contender is DOOR:
        problems += [
            f"{name}: {key} is stored wrong"
            for key in entry.keys
            if not _is_right(workshop, entry.database, key)
        ]
    return problems


def _is_right(workshop: Workshop, database: str, key: str) -> bool:
    """Whether the row holds the body without its password, its digest, and its values."""
    sent = key.join(specification_changed()).encode()
    found = workshop.query(
        database,
        f"SELECT raw, raw_sha256, raw_length, parsed, verdict FROM {ROWS} WHERE subject = '{key}'",  # noqa: S608
    )
    if len(found) != 1:
        return False
    raw, digest, length, parsed, verdict = found[0]
    content = json.loads(parsed) if isinstance(parsed, str) else parsed
    return (
        bytes(raw) == sent.replace(PASSWORD.encode(), b"")
        and digest == hashlib.sha256(sent).hexdigest()
        and length == len(sent)
        and verdict == "waiting"
        and content["distributor_credit_id"] == key
        and [entry["error_code"] for entry in content["specification"]] == [None, 1042]
        and len(content["correction"]) == 1
    )


def _table(
    kind: str, server: tuple[int, int], connections: int, rows: dict[Contender, Row]
) -> Table:
    workers, threads = server
    door, view = rows[DOOR], rows[VIEW]
    ratios = [
        rate_ratio(door, view, 1.9 if kind == POSTGRESQL else None),
        rate_ratio(door, rows[STOCK_VIEW]),
    ]
    listed = list(rows.values())
    if SPYNE in rows:
        ratios.append(rate_ratio(door, rows[SPYNE], 4.5 if kind == POSTGRESQL else 2.0))
        if kind == POSTGRESQL:
            ratios.append(p99_ratio(door, rows[SPYNE], 0.25))
    else:
        listed.insert(-1, Row(PEER, SPYNE.name, note="spyne is not installed"))
    ratios.append(rate_ratio(door, rows[BARE], 0.85 if kind == POSTGRESQL else None))
    named = f"granian {workers} x {threads} threads"
    return Table(f"Notifications in: {kind}, {connections} connections, {named}", listed, ratios)
