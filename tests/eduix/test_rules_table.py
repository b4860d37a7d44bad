"""The table of field rules against the facts, in both directions."""

from __future__ import annotations

import pytest

from backoffice.eduix.rules_table import RULES, Rule, rule_of, rules_of
from tests import facts

CODES = [row for row in facts.rows("codes") if row["level"] == "attribute"]


def blocks() -> dict[tuple[str, str], dict[int, str]]:
    """(object, field) -> kind -> limit of every documented code of a value."""
    found: dict[tuple[str, str], dict[int, str]] = {}
    for row in CODES:
        found.setdefault((row["object"], row["field"]), {})[int(row["kind"])] = row["limit"]
    return found


def attribute(field: str) -> dict[str, str]:
    """The documented kind of value, which the services agree on for every field of the table."""
    return next(
        row
        for row in facts.rows("attributes")
        if row["attribute"] == field and row["service"] != "notification"
    )


BY_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.object}-{rule.field}")


def test_every_field_with_codes_has_one_rule_and_no_other_field_has() -> None:
    ours = [(rule.object, rule.field) for rule in RULES]

    assert sorted(ours) == sorted(blocks())


@BY_RULE
def test_the_base_is_that_of_the_field(rule: Rule) -> None:
    bases = {
        int(row["code"]) - int(row["kind"])
        for row in CODES
        if (row["object"], row["field"]) == (rule.object, rule.field)
    }

    assert bases == {rule.base}


@BY_RULE
def test_a_field_is_required_when_a_code_says_that_it_is_missing(rule: Rule) -> None:
    assert rule.required == (0 in blocks()[rule.object, rule.field])


@BY_RULE
def test_kind_length_values_and_pattern_are_the_documented_ones(rule: Rule) -> None:
    row = attribute(rule.field)
    longest = int(row["length"]) if row["length"] and rule.kind != "enum" else None

    assert rule.kind == row["type"]
    assert rule.max_length == longest
    assert rule.values == facts.values_of(row["service"], rule.field)
    assert rule.pattern == (row["pattern"] or None)


@BY_RULE
def test_limits_are_those_of_the_codes(rule: Rule) -> None:
    limits = blocks()[rule.object, rule.field]
    least = int(limits[1]) if 1 in limits else None

    assert (rule.minimum if rule.kind == "integer" else rule.min_length) == least
    if rule.kind == "integer":
        assert limits[5] == "integer"
        assert 2 not in limits
    if rule.kind == "string":
        assert limits[5] == "string"
        assert limits[2] == str(rule.max_length)
    if rule.kind == "enum":
        assert 4 in limits
    if rule.kind == "date":
        assert limits[3] == "yyyy-mm-dd"


@BY_RULE
def test_the_column_is_the_field_in_snake_case(rule: Rule) -> None:
    assert rule.column == rule.column.lower()
    assert rule.column.replace("_", "") == rule.field.lower()


def test_columns_are_cut_where_a_reader_would() -> None:
    columns = {rule.field: rule.column for rule in RULES}

    assert columns["distributorSchoolPersonID"] == "distributor_school_person_id"
    assert columns["returnCreditReferenceId"] == "return_credit_reference_id"
    assert columns["eckID"] == "eck_id"
    assert columns["ean"] == "ean"


@pytest.mark.parametrize(
    ("service", "owner"),
    [
        pytest.param(*key, id="-".join(key))
        for key in sorted({(row["service"], row["object"]) for row in facts.rows("elements")})
        # A notification's "specification" is another object with the same name.
        if key[0] != "notification" and any(rule.object == key[1] for rule in RULES)
    ],
)
def test_the_rules_of_an_object_stand_in_the_order_of_its_sequence(
    service: str, owner: str
) -> None:
    own = [rule.field for rule in rules_of(owner) if rule.object == owner]
    order = [row["element"] for row in facts.members(service, owner)]

    assert own == [name for name in order if name in own]


def test_a_person_is_checked_together_with_its_key() -> None:
    key = rule_of("person", "distributor_person_id")

    assert (key.object, key.base, key.max_length) == ("distributorPerson", 3040, 256)
    assert [rule for rule in rules_of("person") if rule is not key] == [
        rule for rule in RULES if rule.object == "person"
    ]


def test_an_unknown_object_or_column_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        rules_of("licence")
    with pytest.raises(KeyError):
        rule_of("person", "shoe_size")
