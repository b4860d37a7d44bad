"""Rows become elements in the order of the documentation."""

from __future__ import annotations

from backoffice.eduix_sandbox.answers import (
    person_credit_information,
    school_credit_information,
    school_information,
)
from backoffice.eduix_sandbox.envelope import Node
from backoffice.eduix_sandbox.rows import Credit, Entry
from backoffice.eduix_sandbox.schools import School
from tests.facts import members


def names(nodes: str | list[Node]) -> list[str]:
    assert isinstance(nodes, list)
    return [name for name, _ in nodes]


def test_a_school_is_told_in_order() -> None:
    order = [row["element"] for row in members("profile", "school")]
    school = School("S1", dict.fromkeys(reversed(order), "x"))

    _, content = school_information(school)

    assert isinstance(content, list)
    assert names(content[0][1]) == order


def test_a_person_credit_tells_its_state_and_no_specification_before_there_is_one() -> None:
    fields = {"personProductState": "Active", "ean": "1", "distributorPersonCreditID": "C1"}

    _, content = person_credit_information(Credit("C1", fields, returned=1))

    assert content == [
        (
            "personCredit",
            [
                ("distributorPersonCreditID", "C1"),
                ("ean", "1"),
                ("personProductState", "Returned"),
            ],
        )
    ]


def test_a_school_credit_tells_what_was_returned_and_its_specification() -> None:
    credit = Credit("S1", {"amount": "30"}, 10, (Entry(30, "r", 117),), (), "2026-08-01")

    _, content = school_credit_information(credit)

    assert names(content) == ["schoolCredit", "returned", "specification"]
    assert content[1] == ("returned", "10")
    assert content[2] == (
        "specification",
        [("specificationState", "Fault"), ("specificationStateDate", "2026-08-01")],
    )
