"""What the gateway costs beside a stock zeep client, and the rules beside other checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.children import Child
from benchmarks.figures import PEER, PRODUCT, Cost, CostTable, Ratio
from benchmarks.scale import Scale
from benchmarks.workshop import Workshop

CALLS: Final = 40
PERSONS: Final = 100_000
SENDERS: Final = (
    (PRODUCT, "gateway", "gateway: createPerson"),
    (PRODUCT, "recorded", "the same, masked and recorded"),
    (PEER, "zeep", "stock zeep client: createPerson"),
)
CHECKS: Final = (
    (PRODUCT, "rules", "rules.check of a person"),
    (PEER, "schema", "XML Schema: write and validate"),
    (PEER, "model", "Django: clean_fields"),
)


def measure(workshop: Workshop, scale: Scale) -> Iterator[CostTable]:
    """Two tables: sending, and checking."""
    nothing = workshop.environ("sqlite://:memory:")
    partner = workshop.start("partner", ["-m", "benchmarks.partner", "0"], nothing)
    port = partner.read()["ports"][0]
    worker = workshop.start("gateway", ["-m", "benchmarks.workers.gateway"], nothing)
    rounds = scale.rounds * 3
    told = worker.ask({"do": "send", "port": port, "rounds": rounds, "calls": CALLS})
    counts = partner.ask({})[str(port)]
    costs = {step: Cost(role, name, tuple(told["costs"][step])) for role, step, name in SENDERS}
    yield CostTable(
        "One createPerson in the processor of the sender, partner at 0 ms",
        list(costs.values()),
        [
            _times(costs["recorded"], costs["zeep"], 1.0),
            _times(costs["gateway"], costs["zeep"], 1.0),
        ],
        # One login of each client, and every person once.
        [
            f"the partner saw {counts[name]} {name}, not {expected}"
            for name, expected in (("keys", told["sent"]), ("creates", told["sent"]), ("logins", 2))
            if counts[name] != expected
        ],
    )
    yield _checks(worker, scale)
    workshop.stop(worker, partner)


def _checks(worker: Child, scale: Scale) -> CostTable:
    """Our rules on all persons, the others on a tenth of them: they would take minutes."""
    spent: dict[str, list[float]] = {step: [] for _role, step, _name in CHECKS}
    problems = []
    is_quick = scale.rounds <= 2
    for _ in range(scale.rounds):
        for step in spent:
            persons = 1_000 if is_quick else PERSONS if step == "rules" else PERSONS // 10
            told = worker.ask({"do": "check", "way": step, "persons": persons})
            spent[step].append(told["us"])
            if told["wrong"] != persons // 10:
                problems.append(f"{step} finds {told['wrong']} wrong persons, not {persons // 10}")
    costs = {step: Cost(role, name, tuple(spent[step])) for role, step, name in CHECKS}
    seconds = tuple(value * PERSONS / 1e6 for value in spent["rules"])
    return CostTable(
        "One person checked, one in ten is wrong; one core",
        list(costs.values()),
        [
            Ratio(f"rules.check of {PERSONS:,} persons, seconds", seconds, 10.0, is_ceiling=True),
            _times(costs["rules"], costs["schema"]),
            _times(costs["rules"], costs["model"]),
        ],
        problems,
    )


def _times(one: Cost, other: Cost, ceiling: float | None = None) -> Ratio:
    values = tuple(a / b for a, b in zip(one.values, other.values, strict=True))
    return Ratio(f"{one.name} / {other.name}", values, ceiling, is_ceiling=True)
