"""The table of codes against the facts, in both directions."""

from __future__ import annotations

from backoffice.eduix import codes
from tests import facts

FIELD_ROWS = [row for row in facts.rows("codes") if row["level"] != "service"]
SERVICE_ROWS = [row for row in facts.rows("codes") if row["level"] == "service"]


def test_the_facts_hold_569_rows_and_487_codes() -> None:
    assert len(facts.rows("codes")) == 569
    assert len({row["code"] for row in facts.rows("codes")}) == 487


def test_every_documented_code_is_known_and_no_other() -> None:
    assert {int(row["code"]) for row in facts.rows("codes")} == codes.DOCUMENTED_CODES


def test_the_116_blocks_are_those_of_the_documentation() -> None:
    documented = {
        int(row["code"]) - int(row["kind"]): (row["object"], row["field"]) for row in FIELD_ROWS
    }

    assert documented == codes.BASES
    assert len(codes.BASES) == 116
    assert all(base % codes.BLOCK == 0 for base in codes.BASES)


def test_a_code_read_by_the_rule_of_blocks_gives_its_documented_kind() -> None:
    for row in FIELD_ROWS:
        assert codes.KINDS[int(row["code"]) % codes.BLOCK] == row["name"]


def test_every_kind_occurs() -> None:
    assert {row["name"] for row in FIELD_ROWS} == set(codes.KINDS.values())


def test_all_services_share_the_12_general_codes() -> None:
    for service in ("profile", "credit", "notification"):
        listed = {int(r["code"]): r["name"] for r in SERVICE_ROWS if r["service"] == service}

        assert listed == codes.GENERAL_CODES


def test_a_fault_without_a_code_of_its_own_is_an_incorrect_request() -> None:
    assert codes.code_of(5020, codes.MISSING) == 5020
    assert codes.code_of(5020, codes.TOO_LONG) == 5022
    assert codes.code_of(4960, codes.WRONG_FORMAT) == codes.INCORRECT_REQUEST
