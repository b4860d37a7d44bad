"""What a notification means for our columns."""

from __future__ import annotations

from typing import Any

import pytest

from credits.models import PersonCredit, SchoolCredit
from notifications.told import told_prematch, told_specification
from persons.models import Person


def entry(amount: int = 1, response_id: str = "", error_code: int | None = None) -> dict[str, Any]:
    return {"amount": amount, "response_id": response_id, "error_code": error_code}


def parsed(state: str = "Active", *specification: Any, correction: Any = ()) -> dict[str, Any]:
    return {
        "distributor_credit_id": "C-1",
        "state": state,
        "specification": list(specification),
        "correction": list(correction),
    }


@pytest.mark.parametrize(
    ("entries", "state", "code", "response_id"),
    [
        ([], "", None, ""),
        ([entry(1, "A")], "Specified", None, "A"),
        ([entry(1, "A", 117)], "Fault", 117, "A"),
        ([entry(1, "A", 117), entry(1, "B")], "Specified", None, "B"),
        ([entry(1, "A"), entry(1, "B", 0)], "Fault", 0, "B"),
    ],
)
def test_the_last_entry_decides_for_a_person_credit(
    entries: list[Any], state: str, code: int | None, response_id: str
) -> None:
    told = told_specification(parsed("Active", *entries), is_school_credit=False)

    assert (told.state, told.code, told.response_id) == (state, code, response_id)
    assert (told.product_state, told.specified) == ("Active", None)


@pytest.mark.parametrize(
    ("entries", "state", "code", "response_id", "specified"),
    [
        ([], "", None, "", 0),
        ([entry(20, "A"), entry(5, "B")], "Specified", None, "B", 25),
        ([entry(20, "A"), entry(5, "B", 205), entry(5)], "Fault", 205, "B", 25),
        ([entry(5, "A", 1), entry(5, "B", 2)], "Fault", 2, "B", 0),
    ],
)
def test_any_error_decides_for_a_school_credit(
    entries: list[Any], state: str, code: int | None, response_id: str, specified: int
) -> None:
    told = told_specification(parsed("Active", *entries), is_school_credit=True)

    assert (told.state, told.code, told.response_id) == (state, code, response_id)
    assert (told.product_state, told.specified) == ("", specified)


def test_a_correction_never_touches_the_specification() -> None:
    with_correction = parsed("Returned", entry(1, "A"), correction=[entry(1), entry(1, "", 309)])

    told = told_specification(with_correction, is_school_credit=False)

    assert (told.state, told.code, told.return_code) == ("Specified", None, 309)


def test_an_unknown_state_is_not_taken_over() -> None:
    told = told_specification(parsed("Blocked", entry()), is_school_credit=False)

    assert told.product_state == ""


@pytest.mark.parametrize(
    ("before", "now", "is_step_back"),
    [
        (("Active", ""), ("Active", []), False),
        (("Active", ""), ("Active", [entry()]), False),
        (("Active", ""), ("Active", [entry(1, "", 7)]), False),
        (("Active", "Fault"), ("Active", [entry()]), False),
        (("Active", "Fault"), ("Active", [entry(1, "", 8)]), False),
        (("Active", "Specified"), ("Returned", [entry()]), False),
        (("Active", "Specified"), ("Returned", []), False),
        (("Returned", "Specified"), ("Returned", [entry()]), False),
        (("Active", "Specified"), ("Active", [entry(1, "", 7)]), True),
        (("Active", "Specified"), ("Active", []), True),
        (("Active", "Fault"), ("Active", []), True),
        (("Returned", "Specified"), ("Active", [entry()]), True),
        (("Returned", "Specified"), ("Returned", []), True),
        (("Returned", "Specified"), ("Blocked", [entry()]), False),
    ],
)
def test_what_counts_as_a_step_backwards(
    before: tuple[str, str], now: tuple[str, list[Any]], is_step_back: bool
) -> None:
    credit = PersonCredit(person_product_state=before[0], specification_state=before[1])

    told = told_specification(parsed(now[0], *now[1]), is_school_credit=False)

    assert told.is_step_back(credit) is is_step_back


def test_a_school_credit_has_no_state_that_could_step_back() -> None:
    credit = SchoolCredit(specification_state="Specified", specified=30)

    told = told_specification(parsed("Active", entry(10)), is_school_credit=True)

    assert told.is_step_back(credit) is False
    assert told.holds(credit) is False
    assert told.agrees(credit) is True


@pytest.mark.parametrize(
    ("eck_id", "believed"),
    [(None, None), ("e" * 127, None), ("e" * 128, "e" * 128), ("short", None)],
)
def test_only_a_whole_eck_id_is_believed(eck_id: str | None, believed: str | None) -> None:
    told = told_prematch({"distributor_person_id": "K", "user_id": "u", "eck_id": eck_id})

    assert told.eck_id == believed
    assert told.holds(Person(user_id="u", eck_id=believed or "ours"))
    assert not told.holds(Person(user_id="other", eck_id=believed or "ours"))
