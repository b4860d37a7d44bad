from __future__ import annotations

from benchmarks import why_asked
from benchmarks.why_asked import measure
from benchmarks.workshop import Workshop
from tests.benchmarks.conftest import TINY


def test_every_pupil_of_the_town_gets_the_verdict_it_was_made_for(workshop: Workshop) -> None:
    (table,) = measure(workshop, TINY)

    assert table.problems == []
    assert [len(row.rounds) for row in table.rows] == [TINY.rounds, TINY.rounds]
    assert "2,400 credits" in table.title


def test_on_postgresql_too(postgresql_workshop: Workshop) -> None:
    (table,) = measure(postgresql_workshop, TINY)

    assert table.problems == []
    assert "PostgreSQL" in table.title


def test_a_wrong_verdict_is_found() -> None:
    assert why_asked._wrong({1: "all_fine", 20: "prematch_undone"}) == [
        "pupil 1 is called all_fine"
    ]
