from __future__ import annotations

from benchmarks.memory import PARTS, measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


def test_each_tenth_has_its_memory(workshop: Workshop) -> None:
    (table,) = measure(workshop, TINY)

    assert [len(row.rounds) for row in table.rows] == [PARTS, PARTS]
    assert all(one.rate > 0 for row in table.rows for one in row.rounds)
    assert [ratio.target for ratio in table.ratios] == [1.1, 1.1]
