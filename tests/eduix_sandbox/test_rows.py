"""What follows from the facts in a row."""

from __future__ import annotations

import json

import pytest

from backoffice.eduix_sandbox.rows import Credit, Entry, credit_from_json, to_json


@pytest.mark.parametrize(
    ("amount", "returned", "state"),
    [("30", 0, "Active"), ("30", 29, "Active"), ("30", 30, "Returned"), (None, 1, "Returned")],
)
def test_a_credit_is_returned_when_nothing_is_left(
    amount: str | None, returned: int, state: str
) -> None:
    fields = {} if amount is None else {"amount": amount}

    assert Credit("C", fields, returned).state == state


def test_the_last_answer_of_the_publisher_decides() -> None:
    good, bad = Entry(1), Entry(1, error_code=117)

    assert Credit("C", {}).specification_state == ""
    assert Credit("C", {}, specification=(bad, good)).specification_state == "Specified"
    assert Credit("C", {}, specification=(good, bad)).specification_state == "Fault"
    assert Credit("C", {}, specification=(good, bad)).specified == 1


def test_a_credit_survives_as_json() -> None:
    credit = Credit("C", {"ean": "1"}, 2, (Entry(1, "r", 117),), (Entry(1),), "2026-08-01")

    assert credit_from_json(json.loads(json.dumps(to_json(credit)))) == credit
