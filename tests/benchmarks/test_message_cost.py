from __future__ import annotations

from benchmarks.message_cost import measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


def test_every_step_is_measured_and_does_its_work(workshop: Workshop) -> None:
    (table,) = measure(workshop, TINY)

    measured = {cost.name: len(cost.values) for cost in table.costs if cost.values}
    assert table.problems == []
    assert measured["gate, login, schema, values, reply"] == 6
    assert measured["lxml: parse"] == 6
    assert measured["check of name and password"] == 6
    assert all(cost.value > 0 for cost in table.costs if cost.values)
    assert all(cost.note == "spyne is not installed" for cost in table.costs if not cost.values)
