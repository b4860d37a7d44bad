"""Memory over 200,000 deliveries and 200,000 messages: what a process has at the end of them.

The server as `make demo` runs it and the sending process, both on PostgreSQL where there is one. A
tenth goes first; what a process has then is compared with what it has at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Child, free_port, offer
from benchmarks.envelopes import specification_changed
from benchmarks.figures import PRODUCT, Figure, Ratio, Row, Table
from benchmarks.load import Job
from benchmarks.pushes_out import CONNECTIONS
from benchmarks.scale import Scale
from benchmarks.workshop import Workshop

ALL: Final = 200_000
QUICK: Final = 400
PARTS: Final = 10
AT_ONCE: Final = 5_000  # messages that wait together, at both ends as many
MOST_GROWTH: Final = 1.1


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """One table; the memory of each tenth in turn stands in its ratio."""
    number = QUICK if scale.rounds <= 2 else ALL
    rows = [Row(PRODUCT, f"{number:,} deliveries"), Row(PRODUCT, f"{number:,} messages")]
    told = [_deliver(workshop, number), _send(workshop, number)]
    ratios = []
    for row, parts in zip(rows, told, strict=True):
        row.rounds += parts
        ends = parts[-1].memory_mb or 0.0, parts[0].memory_mb or 1.0
        words = f"{row.name}: memory at the end / after a tenth"
        ratios.append(Ratio(words, (ends[0] / ends[1],), MOST_GROWTH, is_ceiling=True))
    yield Table("Memory of the web server and of the sending process", rows, ratios)


def _deliver(workshop: Workshop, number: int) -> list[Figure]:
    port = free_port()
    server = workshop.start(
        "memory",
        [
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "32", "--log-level", "warning"),
            "backoffice.wsgi:application",
        ],
        workshop.environ(workshop.database(workshop.kinds[0], "memory")),
    )
    server.wait_for_port(port)
    figures = []
    for part in range(PARTS):
        job = Job(
            port,
            endpoint_path("notification"),
            specification_changed(),
            f"{part}-",
            CONNECTIONS,
            requests=number // PARTS,
        )
        done = offer(job)
        figures.append(
            Figure(
                done.accepted / done.seconds,
                done.p50_ms,
                done.p99_ms,
                memory_mb=server.usage().memory_mb,
            )
        )
    workshop.stop(server)
    return figures


def _send(workshop: Workshop, number: int) -> list[Figure]:
    nothing = workshop.environ("sqlite://:memory:")
    partner = workshop.start("partner", ["-m", "benchmarks.partner", "0"], nothing)
    [port] = partner.read()["ports"]
    environ = workshop.environ(workshop.database(workshop.kinds[0], "memory"))
    # Who makes the persons is another process: what that needs is no part of sending.
    clerk, sender = (
        workshop.start(name, ["-m", "benchmarks.workers.product"], environ)
        for name in ("clerk", "sender")
    )
    figures = [_sent(clerk, sender, port, number // PARTS, part) for part in range(PARTS)]
    workshop.stop(clerk, sender, partner)
    return figures


def _sent(clerk: Child, sender: Child, port: int, number: int, part: int) -> Figure:
    told: dict[str, Any] = {}
    for start in range(0, number, AT_ONCE):
        count = min(AT_ONCE, number - start)
        clerk.ask({"do": "prepare", "count": count, "prefix": f"{part}-{start}-"})
        told = sender.ask({"do": "drain", "count": count, "port": port, "connections": CONNECTIONS})
    return Figure(
        told["messages"] / told["seconds"],
        told["p50_ms"],
        told["p99_ms"],
        memory_mb=sender.usage().memory_mb,
    )
