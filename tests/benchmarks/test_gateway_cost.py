from __future__ import annotations

from benchmarks.gateway_cost import measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


def test_both_senders_and_all_checks_do_their_work(workshop: Workshop) -> None:
    sending, checking = measure(workshop, TINY)

    assert sending.problems == []
    assert checking.problems == []
    assert [len(cost.values) for cost in sending.costs] == [6, 6, 6]
    assert [len(cost.values) for cost in checking.costs] == [2, 2, 2]
    assert all(cost.value > 0 for cost in (*sending.costs, *checking.costs))
