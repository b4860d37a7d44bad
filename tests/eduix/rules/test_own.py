"""Rules without a code of their own, and warnings about what can never work."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.eduix.rules.conftest import found, one
from tests.eduix.values import TODAY


def test_a_person_without_its_key_cannot_be_created() -> None:
    for empty in (None, "", "  "):
        finding = one("person", distributor_person_id=empty)

        assert (finding.object, finding.field) == ("person", "distributorPerson")
        assert (finding.code, finding.kind) == (6, 0)
        assert (finding.column, finding.message_key) == (
            "distributor_person_id",
            "person_without_key",
        )


def test_a_date_of_birth_may_be_today_and_not_tomorrow() -> None:
    assert found("person", date_of_birth=TODAY) == []

    finding = one("person", date_of_birth=(TODAY + timedelta(days=1)).isoformat())

    assert (finding.code, finding.kind) == (4803, 3)
    assert finding.message_key == "date_of_birth_in_future"


@pytest.mark.parametrize("owner", ["person", "school"])
@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [
        ("2601DC", "2601 DC"),
        ("2601  dc", "2601 DC"),
        ("2601 dc", "2601 DC"),
        ("2601", ""),
        ("B-2600", ""),
        ("26011 DC", ""),
        ("2601 DCX", ""),
        ("2601DCX", ""),
        ("2601 D1", ""),
        ("\u0662\u0666\u0660\u0661 DC", ""),
    ],
    ids=ascii,
)
def test_a_dutch_postal_code_has_one_form(owner: str, wrong: str, suggestion: str) -> None:
    finding = one(owner, postal_code=wrong)

    assert (finding.code, finding.kind, finding.severity) == (6, None, "error")
    assert (finding.field, finding.is_own_rule) == ("postalCode", True)
    assert (finding.message_key, finding.params) == ("postal_code_nl", {"suggestion": suggestion})


@pytest.mark.parametrize("country", ["FR", "DE", "CW"])
def test_a_foreign_postal_code_is_left_alone(country: str) -> None:
    assert found("person", country_code=country, postal_code="?? 1") == []


@pytest.mark.parametrize("code", ["2018 AB", "201", "20180", "0123"])
def test_an_odd_belgian_postal_code_is_worth_a_warning(code: str) -> None:
    finding = one("person", country_code="BE", postal_code=code)

    assert (finding.severity, finding.message_key) == ("warning", "postal_code_be")
    assert found("person", country_code="BE", postal_code="2018") == []


def test_a_postal_code_is_not_judged_by_a_country_that_is_itself_wrong() -> None:
    assert [f.code for f in found("person", country_code="nl", postal_code="2601dc")] == [4784]


@pytest.mark.parametrize("owner", ["personCredit", "schoolCredit", "getPersonCreditRequest"])
@pytest.mark.parametrize("wrong", [2626, 2628, 2726, 9900, 0, -100, "2026", 27, "999"], ids=repr)
def test_the_halves_of_a_school_year_differ_by_one(owner: str, wrong: object) -> None:
    finding = one(owner, school_year=wrong)

    assert (finding.code, finding.kind, finding.is_own_rule) == (6, None, True)
    assert (finding.field, finding.message_key) == ("schoolYear", "school_year_halves")


@pytest.mark.parametrize("good", [2627, "2627", "0910", 910, 9899, "0001"], ids=repr)
def test_a_school_year_may_lose_its_leading_zero(good: object) -> None:
    assert found("personCredit", school_year=good) == []


@pytest.mark.parametrize(
    ("odd", "key"),
    [
        ("9789001234567", "ean_check_digit"),
        ("978900123456", "ean_not_13_digits"),
        ("97890012345600", "ean_not_13_digits"),
        ("978-9001234560", "ean_not_13_digits"),
        ("73513537", "ean_not_13_digits"),
        ("BUNDLE-4", "ean_not_13_digits"),
    ],
)
@pytest.mark.parametrize("owner", ["personCredit", "schoolCredit"])
def test_an_odd_ean_is_a_warning_since_edu_ix_takes_it(owner: str, odd: str, key: str) -> None:
    finding = one(owner, ean=odd)

    assert (finding.severity, finding.code, finding.kind) == ("warning", None, None)
    assert finding.message_key == key


@pytest.mark.parametrize("owner", ["personCredit", "schoolCredit"])
def test_an_end_before_the_start_is_a_warning(owner: str) -> None:
    assert found(owner, credit_end_date="2026-08-01") == []

    finding = one(owner, credit_end_date="2026-07-31")

    assert (finding.severity, finding.code) == ("warning", None)
    assert (finding.field, finding.message_key) == ("creditEndDate", "end_before_start")


def test_a_person_key_over_20_characters_can_never_be_merged_or_renamed() -> None:
    assert found("person", distributor_person_id="x" * 20) == []

    finding = one("person", distributor_person_id="x" * 21)

    assert (finding.severity, finding.code) == ("warning", None)
    assert finding.message_key == "person_id_beyond_rename"
    assert finding.params == {"max": 20, "length": 21}


@pytest.mark.parametrize(
    ("owner", "column"),
    [
        ("personCredit", "distributor_person_credit_id"),
        ("schoolCredit", "distributor_school_credit_id"),
    ],
)
def test_a_credit_key_over_30_characters_can_never_be_notified_about(
    owner: str, column: str
) -> None:
    assert found(owner, **{column: "x" * 30}) == []

    finding = one(owner, **{column: "x" * 31})

    assert (finding.severity, finding.code) == ("warning", None)
    assert finding.message_key == "credit_id_beyond_notification"
    assert finding.params == {"max": 30, "length": 31}


def test_a_key_that_only_selects_gives_no_warning_about_its_length() -> None:
    assert found("distributorPerson", distributor_person_id="x" * 256) == []
    assert found("schoolperson", distributor_person_id="x" * 256) == []
    assert found("distributorPersonCredit", distributor_person_credit_id="x" * 160) == []


def test_a_person_credit_is_returned_whole() -> None:
    credit = {"distributor_person_credit_id": "PC-1"}
    assert found("returnCreditRequest", **credit) == []
    assert found("returnCreditRequest", amount=3) == []

    finding = one("returnCreditRequest", amount=3, **credit)

    assert (finding.code, finding.field) == (6, "amount")
    assert finding.message_key == "person_credit_amount"


def test_a_credit_that_is_returned_already_is_no_wrong_value() -> None:
    assert found("personCredit", person_product_state="Returned") == []
