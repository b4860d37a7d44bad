from __future__ import annotations

import pytest

from benchmarks.office import measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


@pytest.mark.service
def test_the_list_is_opened_while_deliveries_come_in(postgresql_workshop: Workshop) -> None:
    (table,) = measure(postgresql_workshop, TINY)

    pages, deliveries = table.rows
    assert table.problems == []
    assert len(pages.rounds) == len(deliveries.rounds) == TINY.rounds
    assert all(one.rate > 0 for one in (*pages.rounds, *deliveries.rounds))
    assert [ratio.target for ratio in table.ratios] == [1000.0]
