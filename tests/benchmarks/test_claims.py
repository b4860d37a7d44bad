from __future__ import annotations

import pytest

from benchmarks.claims import measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


@pytest.mark.service
def test_four_workers_take_each_message_once(postgresql_workshop: Workshop) -> None:
    queues, together = measure(postgresql_workshop, TINY)

    assert queues.problems == together.problems == []
    assert [len(row.rounds) for row in (*queues.rows, *together.rows)] == [TINY.rounds] * 3
    assert {ratio.target for ratio in (*queues.ratios, *together.ratios)} == {1.5, 10_000.0}


def test_without_postgresql_nothing_is_measured(workshop: Workshop) -> None:
    assert list(measure(workshop, TINY)) == []
