"""What one notification costs in the processor, as a multiple of merely parsing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.figures import LIMIT, PEER, PRODUCT, Cost, CostTable, Ratio
from benchmarks.scale import Scale
from benchmarks.workshop import Workshop

CALLS: Final = 40
STEPS: Final = (
    (PRODUCT, "handled", "gate, login, schema, values, reply"),
    (PRODUCT, "kept", "the same, blanked and digested"),
    (PEER, "zeep", "zeep: parse and deserialise"),
    (PEER, "spyne", "spyne: a call, nothing stored"),
    (LIMIT, "parse", "lxml: parse"),
    (PRODUCT, "login", "check of name and password"),
    (PEER, "pbkdf2", "Django's password hasher"),
)


def measure(workshop: Workshop, scale: Scale) -> Iterator[CostTable]:
    """One table."""
    worker = workshop.start(
        "message", ["-m", "benchmarks.workers.message"], workshop.environ("sqlite://:memory:")
    )
    told = worker.ask({"rounds": scale.rounds * 3, "calls": CALLS})
    workshop.stop(worker)
    costs = {
        step: Cost(role, name, tuple(told["costs"].get(step, ())), note=f"{step} is not installed")
        for role, step, name in STEPS
    }
    yield CostTable(
        "One notification in the processor, without server and database",
        list(costs.values()),
        [
            _times(costs["handled"], costs["parse"], 4.0),
            *(
                _times(costs[peer], costs["parse"])
                for peer in ("zeep", "spyne")
                if costs[peer].values
            ),
            Ratio("check of name and password, us", costs["login"].values, 5.0, is_ceiling=True),
        ],
        [f"{step} does not do its work" for step in told["wrong"]],
    )


def _times(one: Cost, other: Cost, ceiling: float | None = None) -> Ratio:
    values = tuple(a / b for a, b in zip(one.values, other.values, strict=True))
    return Ratio(f"{one.name} / {other.name}", values, ceiling, is_ceiling=True)
