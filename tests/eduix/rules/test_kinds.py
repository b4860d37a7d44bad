"""What is wrong with a value by its type, its length and its list."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from backoffice.eduix import codes
from backoffice.eduix.rules import RULES, Rule, check
from tests.eduix.rules.conftest import found, one
from tests.eduix.values import GOOD, PERSON, TODAY


def test_every_object_of_the_table_has_a_good_example_here() -> None:
    assert set(GOOD) == {rule.object for rule in RULES}


@pytest.mark.parametrize("owner", GOOD)
def test_good_values_give_no_finding(owner: str) -> None:
    assert found(owner) == []


REQUIRED = [rule for rule in RULES if rule.required]


def rule_id(rule: Rule) -> str:
    return f"{rule.object}-{rule.field}"


@pytest.mark.parametrize("empty", [None, "", " \t\n\N{NO-BREAK SPACE}"], ids=repr)
@pytest.mark.parametrize("rule", REQUIRED, ids=rule_id)
def test_an_empty_required_value_is_missing(rule: Rule, empty: object) -> None:
    finding = one(rule.object, **{rule.column: empty})

    assert (finding.code, finding.kind, finding.message_key) == (rule.base, 0, "missing")
    assert (finding.field, finding.column, finding.severity) == (rule.field, rule.column, "error")


@pytest.mark.parametrize("empty", [None, "", "  "], ids=repr)
@pytest.mark.parametrize("rule", [r for r in RULES if not r.required], ids=rule_id)
def test_an_empty_optional_value_is_simply_absent(rule: Rule, empty: object) -> None:
    assert found(rule.object, **{rule.column: empty}) == []


STRINGS = [rule for rule in RULES if rule.kind == "string"]


INTEGERS = [rule for rule in RULES if rule.kind == "integer"]


DATES = [rule for rule in RULES if rule.kind == "date"]


ENUMS = [rule for rule in RULES if rule.kind == "enum"]


@pytest.mark.parametrize("rule", STRINGS, ids=rule_id)
def test_a_string_over_its_length_is_too_long(rule: Rule) -> None:
    longest = rule.max_length or 0

    finding = one(rule.object, **{rule.column: "\u00e9" * (longest + 1)})

    assert (finding.code, finding.kind, finding.message_key) == (rule.base + 2, 2, "too_long")
    assert finding.params == {"max": longest, "length": longest + 1}
    assert finding.code in codes.DOCUMENTED_CODES


@pytest.mark.parametrize("rule", STRINGS, ids=rule_id)
def test_a_string_of_its_full_length_is_no_error(rule: Rule) -> None:
    full = "1" * (rule.max_length or 0)
    country = {"country_code": "BE"} if rule.column == "postal_code" else {}

    findings = found(rule.object, **{rule.column: full, **country})

    assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize("rule", [rule for rule in STRINGS if rule.column == "eck_id"], ids=rule_id)
def test_an_eck_id_has_exactly_128_characters(rule: Rule) -> None:
    finding = one(rule.object, eck_id="e" * 127)

    assert (finding.code, finding.message_key) == (rule.base + 1, "too_short")
    assert finding.params == {"min": 128, "length": 127}


@pytest.mark.parametrize("wrong", [12, 1.5, True, b"bytes", date(2026, 1, 1)], ids=repr)
@pytest.mark.parametrize("rule", STRINGS, ids=rule_id)
def test_what_is_no_text_has_the_wrong_type(rule: Rule, wrong: object) -> None:
    finding = one(rule.object, **{rule.column: wrong})

    assert (finding.code, finding.kind, finding.message_key) == (rule.base + 5, 5, "not_text")


@pytest.mark.parametrize("wrong", ["a\0b", "a\x1bb", "a\ufffeb", "a\ud800b"], ids=ascii)
def test_a_character_that_xml_cannot_carry_is_found_before_it_is_sent(wrong: str) -> None:
    finding = one("person", surname=wrong)

    assert (finding.code, finding.message_key) == (5025, "invalid_characters")


@pytest.mark.parametrize(
    "wrong",
    ["12a", "1.5", "1e3", "+5", "\u0661\u0662", "0x10", "1 2", 1.0, True, b"12", "--1", "-"],
    ids=ascii,
)
@pytest.mark.parametrize("rule", INTEGERS, ids=rule_id)
def test_what_is_no_whole_number_has_the_wrong_type(rule: Rule, wrong: object) -> None:
    finding = one(rule.object, **{rule.column: wrong})

    assert (finding.code, finding.kind) == (rule.base + 5, 5)
    assert finding.message_key == "not_an_integer"
    assert finding.code in codes.DOCUMENTED_CODES


@pytest.mark.parametrize("wrong", [0, "0", -1, "-1"], ids=repr)
@pytest.mark.parametrize("rule", [r for r in INTEGERS if r.minimum], ids=rule_id)
def test_a_number_under_its_minimum_is_too_small(rule: Rule, wrong: object) -> None:
    finding = one(rule.object, **{rule.column: wrong})

    assert (finding.code, finding.kind, finding.message_key) == (rule.base + 1, 1, "too_small")
    assert finding.params == {"min": 1}


@pytest.mark.parametrize("rule", INTEGERS, ids=rule_id)
def test_too_many_digits_have_the_code_of_a_wrong_type(rule: Rule) -> None:
    digits = rule.max_length or 0
    for wrong in ("1" + "0" * digits, 10**digits, "9" * 5000, 10**5000, "-" + "9" * 5000):
        finding = one(rule.object, **{rule.column: wrong})

        assert finding.kind == 5
        assert (finding.code == 6) == (rule.base + 5 not in codes.DOCUMENTED_CODES)
        assert (finding.message_key, finding.params) == ("too_many_digits", {"max": digits})


def test_the_sign_of_a_number_is_no_digit() -> None:
    assert found("distributorPerson", distributor_id=-(10**10 - 1)) == []

    for wrong in (-(10**10), "-1" + "0" * 10):
        assert one("distributorPerson", distributor_id=wrong).message_key == "too_many_digits"


def test_leading_zeros_are_no_digits() -> None:
    assert found("person", house_number="0" * 20 + "12") == []


@pytest.mark.parametrize(
    "wrong",
    [
        "01-05-2010",
        "2010-5-1",
        "20100501",
        "2010-W17-6",
        "2010-02-30",
        "2010-05-01+02:00",
        "2010-05-01T00:00:00",
        "\u0662\u0660\u0661\u0660-05-01",
        "0000-01-01",
        20100501,
        datetime(2010, 5, 1, 12, 0),  # noqa: DTZ001 - the time is what is wrong with it
    ],
    ids=ascii,
)
@pytest.mark.parametrize("rule", DATES, ids=rule_id)
def test_what_is_no_date_has_the_wrong_form(rule: Rule, wrong: object) -> None:
    finding = one(rule.object, **{rule.column: wrong})

    assert (finding.code, finding.kind, finding.message_key) == (rule.base + 3, 3, "date_format")
    assert finding.code in codes.DOCUMENTED_CODES


@pytest.mark.parametrize("wrong", ["x", "nl", "NLD", "leerling", "active", 1], ids=ascii)
@pytest.mark.parametrize("rule", ENUMS, ids=rule_id)
def test_a_value_that_is_not_on_the_list_is_not_allowed(rule: Rule, wrong: object) -> None:
    finding = one(rule.object, **{rule.column: wrong})

    assert (finding.code, finding.kind) == (rule.base + 4, 4)
    assert finding.code in codes.DOCUMENTED_CODES


def test_a_country_is_named_without_a_list_of_249_and_other_values_with_theirs() -> None:
    country, gender = one("person", country_code="XX"), one("person", gender="X")

    assert (country.message_key, country.params) == ("unknown_country", {})
    assert (gender.message_key, gender.params) == ("not_allowed", {"allowed": ("M", "F", "U")})


@pytest.mark.parametrize("rule", ENUMS, ids=rule_id)
def test_every_value_of_a_list_is_allowed(rule: Rule) -> None:
    extra = {"postal_code": "12"} if rule.field == "countryCode" else {}
    for value in rule.values:
        keys = {
            finding.message_key for finding in found(rule.object, **{rule.column: value}, **extra)
        }

        assert keys <= {"postal_code_nl", "postal_code_be"}


@pytest.mark.parametrize(
    "wrong", ["35", "35Z", "35ZZ1", "35-Z", "35ZZ0a", "35ZZ\u0660\u0661"], ids=ascii
)
def test_a_brin_has_four_letters_or_digits_and_maybe_two_digits(wrong: str) -> None:
    finding = one("school", brin=wrong)

    assert (finding.code, finding.kind, finding.message_key) == (6183, 3, "brin_format")


@pytest.mark.parametrize("good", ["35ZZ", "35zz01", "0000"])
def test_the_pattern_of_a_brin_is_the_law_and_not_its_description(good: str) -> None:
    assert found("school", brin=good) == []


def test_white_space_around_a_value_is_dropped_before_it_is_checked() -> None:
    padded = {column: f"\N{NO-BREAK SPACE} {value}\t\n" for column, value in PERSON.items()}

    assert check("person", padded, today=TODAY) == []
    assert found("person", surname=" " * 60 + "x" * 50) == []


def test_all_that_is_wrong_is_found_at_once_and_in_the_order_of_the_table() -> None:
    findings = check("personCredit", {}, today=TODAY)

    assert [finding.code for finding in findings] == [5060, 5080, 5100, 5160, 5120, 5140]


def test_unknown_columns_are_ignored() -> None:
    assert found("person", shoe_size="44", push_state="changed") == []


def test_an_unknown_object_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        check("licence", {}, today=TODAY)


def test_of_a_choice_only_the_chosen_member_is_checked() -> None:
    assert check("getPersonRequestChoice", {"profile_id": 7}, today=TODAY) == []
    assert check("getPersonRequestChoice", {}, today=TODAY) == []

    findings = check("getPersonRequestChoice", {"user_id": ""}, today=TODAY)

    assert [finding.code for finding in findings] == [7820]
