from __future__ import annotations

import pytest

from benchmarks.pushes_out import measure, partner_problems, start_drainer
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop
from tests.benchmarks.conftest import TINY


def test_every_person_arrives_once_and_is_in_sync(workshop: Workshop) -> None:
    tables = list(measure(workshop, TINY))

    assert [table.problems for table in tables] == [[], []]
    for table in tables:
        assert {row.role for row in table.rows} == {"product", "peer", "limit"}
        assert all(len(row.rounds) == TINY.rounds for row in table.rows)
        assert all(row.median().rate > 0 for row in table.rows)


@pytest.mark.service
def test_they_do_so_on_postgresql(postgresql_workshop: Workshop) -> None:
    tables = list(measure(postgresql_workshop, TINY))

    assert [table.problems for table in tables] == [[], []]
    assert f"drainer, {POSTGRESQL}" in {row.name for row in tables[0].rows}


def test_persons_that_did_not_go_out_are_noticed(workshop: Workshop) -> None:
    drainer = start_drainer(workshop, SQLITE, 0)
    drainer.worker.ask({"do": "prepare", "count": 3, "prefix": "K"})
    drainer.sent = 3

    problems = drainer.check()

    assert "drainer, SQLite: 0 of 3 in_sync" in problems
    assert "drainer, SQLite: 0 of 3 accepted" in problems


def test_what_the_partner_saw_otherwise_is_noticed() -> None:
    right = {"creates": 10, "keys": 10, "others": 0, "logins": 2}

    assert partner_problems(right, 10, clients=2) == []
    assert partner_problems(right | {"creates": 11}, 10, clients=2) == [
        "the partner saw 11 creates, not 10"
    ]
    assert partner_problems(right | {"logins": 32}, 10, clients=2) == [
        "the partner saw 32 logins, not 2"
    ]
