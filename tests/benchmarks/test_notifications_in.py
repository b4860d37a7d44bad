from __future__ import annotations

import pytest

from benchmarks.notifications_in import (
    BARE,
    CROWDED,
    DOOR,
    SERVER,
    check,
    load,
    measure_on,
    start,
)
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop
from tests.benchmarks.conftest import TINY


def test_all_contenders_store_exactly_what_they_accept(workshop: Workshop) -> None:
    tables = measure_on(workshop, SQLITE, TINY, SERVER[SQLITE])

    assert [table.problems for table in tables] == [[], []]
    for table in tables:
        measured = [row for row in table.rows if row.rounds]
        assert {row.role for row in measured} == {"product", "peer", "limit"}
        assert all(len(row.rounds) == TINY.rounds for row in measured)
        assert all(row.median().rate > 0 for row in measured)
        assert all(row.note == "spyne is not installed" for row in table.rows if not row.rounds)


@pytest.mark.service
def test_they_do_so_on_postgresql(postgresql_workshop: Workshop) -> None:
    tables = measure_on(postgresql_workshop, POSTGRESQL, TINY, CROWDED)

    assert [table.problems for table in tables] == [[], []]
    assert {ratio.target for ratio in tables[0].ratios} >= {1.9, 0.85}


def test_what_is_wrong_is_noticed(workshop: Workshop) -> None:
    door, bare = start(workshop, SQLITE, (1, 4), [DOOR, BARE])
    for entry in (door, bare):
        load(entry, "w", 4, 0.05)
        assert check(workshop, entry) == []

    workshop.query(door.database, "UPDATE notifications_notification SET raw_length = 1")
    assert check(workshop, door) == [f"the door: {door.keys[0]} is stored wrong"]

    workshop.query(door.database, "DELETE FROM notifications_notification WHERE id = 2")
    assert (
        f"the door accepted {door.accepted}, stored {door.accepted - 1}" in check(workshop, door)[0]
    )

    bare.refused = 1
    assert check(workshop, bare) == ["bare WSGI refused 1"]
