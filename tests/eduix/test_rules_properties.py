"""`check()` against the schema, for any values at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from backoffice.eduix import codes
from backoffice.eduix.rules import MESSAGES, Rule, check, rule_of, rules_of
from tests.eduix import samples
from tests.eduix.values import GOOD, TODAY

SERVICE = {
    "personCredit": "credit",
    "schoolCredit": "credit",
    "distributorPersonCredit": "credit",
    "distributorSchoolCredit": "credit",
    "specification": "credit",
}
OBJECTS = (
    "person",
    "schoolperson",
    "school",
    "portal",
    "distributorPerson",
    "distributorSchoolPerson",
    "loginHeader",
    "sessionIDHeader",
    "updatePersonIDRequest",
    "mergePersonRequest",
    "Fault",
    *SERVICE,
)
UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
OWN_KEYS = {
    "date_of_birth_in_future",
    "postal_code_nl",
    "school_year_halves",
    "person_without_key",
}


def near_the_limits(rule: Rule) -> st.SearchStrategy[Any]:
    """Raw values of a field: mostly plausible, often just over a limit, sometimes anything."""
    # "+5" is an integer to XML and none to us: the documentation allows digits only.
    text = st.text(max_size=4).filter(lambda text: "+" not in text)
    anything = st.one_of(st.none(), text, st.sampled_from(["", " ", "\0"]))
    if rule.kind == "integer":
        top = 10 ** (rule.max_length or 0)
        near = st.sampled_from([0, 1, -1, top - 1, top, 1 - top, -top, 2627, 910])
        return st.one_of(near, near.map(str), st.integers().map(str), anything)
    if rule.kind == "date":
        days = st.dates()
        return st.one_of(days, days.map(str), days.map(lambda d: d.strftime("%d-%m-%Y")), anything)
    if rule.kind == "enum":
        return st.one_of(st.sampled_from(rule.values), anything)
    longest = rule.max_length or 0
    sized = st.sampled_from([1, 2, longest - 1, longest, longest + 1]).flatmap(
        lambda size: st.text("a\u00e9\U0001d4b3 1\n", min_size=size, max_size=size)
    )
    known = st.sampled_from(["2601 DC", "35ZZ01", "9789001234560", "x" * 128])
    return st.one_of(sized, known, anything)


def rows_of(owner: str) -> st.SearchStrategy[dict[str, Any]]:
    wild = st.fixed_dictionaries({rule.column: near_the_limits(rule) for rule in rules_of(owner)})
    columns = st.sets(st.sampled_from([rule.column for rule in rules_of(owner)]), max_size=2)
    # Mostly good with one or two fields changed, else hardly any row would ever be accepted.
    few = st.tuples(wild, columns).map(
        lambda pair: {**GOOD[owner], **{column: pair[0][column] for column in pair[1]}}
    )
    return st.one_of(few, few, wild)


def as_sent(owner: str, values: Mapping[str, object]) -> samples.Sample:
    """The members of the object as they would go out."""
    sample: samples.Sample = {}
    for rule in rules_of(owner):
        value = values.get(rule.column)
        text = "" if value is None else str(value)
        text = text if UNWRITABLE.search(text) else text.strip()
        if not text:
            continue
        if rule.object == owner:
            sample[rule.field] = text
        else:
            sample[rule.object] = {"distributorID": 42, rule.field: text}
    if owner == "person" and "profileID" in sample:  # stands before the key in the sequence
        sample = {"profileID": sample.pop("profileID"), **sample}
    return sample


def schema_errors(owner: str, sample: samples.Sample) -> list[str]:
    """Why the other side could not read this element, or would not take it."""
    service = SERVICE.get(owner, "profile")
    try:
        sent = etree.tostring(samples.element(service, owner, sample))
        received = etree.fromstring(sent)
    except (ValueError, etree.XMLSyntaxError) as unsendable:
        return [str(unsendable)]
    return samples.errors(service, received)


@pytest.mark.parametrize("owner", OBJECTS)
def test_whatever_check_accepts_is_valid_and_whatever_is_invalid_check_refuses(owner: str) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values=rows_of(owner))
    def holds(values: dict[str, Any]) -> None:
        refused = [f for f in check(owner, values, today=TODAY) if f.severity == "error"]

        sample = as_sent(owner, values)

        if schema_errors(owner, sample):
            assert refused, values
        else:
            # The schema has no word for these.
            assert {finding.message_key for finding in refused} <= OWN_KEYS, (values, refused)

    holds()


@pytest.mark.parametrize("owner", OBJECTS)
def test_every_finding_has_a_documented_code_or_six_and_its_own_words(owner: str) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values=rows_of(owner))
    def holds(values: dict[str, Any]) -> None:
        for finding in check(owner, values, today=TODAY):
            assert tuple(finding.params) == MESSAGES[finding.message_key]
            assert finding.column in {rule.column for rule in rules_of(owner)}
            if finding.severity == "warning":
                assert (finding.code, finding.kind) == (None, None)
            else:
                assert finding.code in codes.DOCUMENTED_CODES
                own_code = rule_of(owner, finding.column).base + (finding.kind or 0)
                assert finding.code in (own_code, codes.INCORRECT_REQUEST)

    holds()
