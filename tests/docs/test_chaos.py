"""docs/chaos.md tells of every experiment that there is, in its own words."""

from __future__ import annotations

from tests.chaos.experiment import experiments
from tests.docs.pages import DELIVERY

PAGE = DELIVERY.parent / "chaos.md"


def test_the_table_is_that_of_the_experiments() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    told = {tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows}

    assert {(one.name, one.promise, one.broken) for one in experiments()} <= told


def test_every_promise_of_the_door_and_of_sending_has_an_experiment() -> None:
    names = {one.name for one in experiments()}

    assert {f"N{number}" for number in range(1, 13)} <= names
    assert {f"P{number}" for number in range(1, 14)} <= names
    assert {"S14", "S15"} <= names
