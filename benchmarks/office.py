"""The office while Edu-iX delivers: how long the list of notifications takes meanwhile.

The server as production has it, on PostgreSQL; 500 deliveries a second come in, evenly, and a
signed-in colleague opens the list again and again.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Final

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Failed, free_port, offer
from benchmarks.envelopes import specification_changed
from benchmarks.figures import PRODUCT, Figure, Ratio, Row, Table
from benchmarks.load import Job, Outcome
from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, Workshop

PAGE: Final = "/admin/notifications/notification/"
PER_SECOND: Final = 500.0
CONNECTIONS: Final = 32
SERVER: Final = ("--workers", "2", "--blocking-threads", "32")
FULL_SECONDS: Final = 12.0
QUICK_SECONDS: Final = 1.0
MOST_MS: Final = 1000.0


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """One table; none without PostgreSQL, where production runs."""
    if POSTGRESQL not in workshop.kinds:
        return
    database = workshop.database(POSTGRESQL, "office")
    environ = workshop.environ(database)
    colleague = workshop.start("colleague", ["-m", "benchmarks.workers.colleague"], environ)
    cookie = colleague.ask({"do": "sign in"})["cookie"]
    port = free_port()
    server = workshop.start(
        "office",
        [
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *(*SERVER, "--log-level", "warning", "backoffice.wsgi:application"),
        ],
        environ,
    )
    server.wait_for_port(port)
    yield _table(port, cookie, scale)
    workshop.stop(server, colleague)


def _table(port: int, cookie: str, scale: Scale) -> Table:
    pages = Row(PRODUCT, "the list of notifications")
    deliveries = Row(PRODUCT, f"deliveries, {PER_SECOND:.0f} a second asked")
    seconds = QUICK_SECONDS if scale.rounds <= 2 else FULL_SECONDS
    problems: list[str] = []
    for number in range(scale.rounds):
        outcome, took = _round(port, cookie, f"{number}-", seconds)
        pages.rounds.append(Figure(1e3 / median(took), median(took), max(took)))
        deliveries.rounds.append(
            Figure(outcome.accepted / outcome.seconds, outcome.p50_ms, outcome.p99_ms)
        )
        if outcome.refused:
            problems.append(f"{outcome.refused} deliveries were refused: {outcome.statuses}")
    slowest = tuple(one.p99_ms for one in pages.rounds)
    return Table(
        "The office while Edu-iX delivers, PostgreSQL, granian 2 x 32 threads",
        [pages, deliveries],
        [Ratio("slowest list, ms", slowest, MOST_MS, is_ceiling=True)],
        problems,
    )


def _round(port: int, cookie: str, prefix: str, seconds: float) -> tuple[Outcome, list[float]]:
    job = Job(
        port,
        endpoint_path("notification"),
        specification_changed(),
        prefix,
        CONNECTIONS,
        seconds,
        per_second=PER_SECOND,
    )
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(offer, job)
        took = [_open_list(port, cookie)]
        while not load.done():
            took.append(_open_list(port, cookie))
        return load.result(), took


def _open_list(port: int, cookie: str) -> float:
    """Milliseconds that the whole page takes. Raises `Failed` when it is another page."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", PAGE, headers={"Cookie": f"sessionid={cookie}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200 or b"changelist" not in body:
        raise Failed(f"the list answered {answer.status}")
    return (time.perf_counter() - begun) * 1e3
