"""Every rule of what we send, one by one: for the page that shows colleagues what is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Final

from backoffice.eduix.codes import (
    INCORRECT_REQUEST,
    MISSING,
    NOT_ALLOWED,
    TOO_LONG,
    TOO_SMALL,
    WRONG_FORMAT,
    WRONG_TYPE,
    code_of,
)
from backoffice.eduix.rules import LONGEST_NOTIFIED_CREDIT_ID, Severity
from backoffice.eduix.rules_table import Rule, rule_of, rules_of

SENT: Final = (
    "person",
    "schoolperson",
    "personCredit",
    "schoolCredit",
    "returnCreditRequest",
    "updatePersonIDRequest",
    "mergePersonRequest",
)
"""The objects that we send; the rules of answers and questions concern nobody who types."""


@dataclass(frozen=True, slots=True)
class ListedRule:
    """One rule of one field: when it is broken, `check` finds `key` with this code.

    `params` are its limits, as far as they do not depend on the value.
    """

    owner: str
    field: str
    column: str
    key: str
    code: int | None
    severity: Severity = "error"
    params: Mapping[str, object] = dataclass_field(default_factory=dict)


# What needs more than the shape of one value: (object, column) -> keys; a warning has no code.
_REFUSED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("person", "postal_code"): ("postal_code_nl",),
    ("person", "distributor_person_id"): ("person_without_key",),
    ("personCredit", "school_year"): ("school_year_halves",),
    ("schoolCredit", "school_year"): ("school_year_halves",),
    ("returnCreditRequest", "amount"): ("person_credit_amount",),
}
_WARNED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("person", "postal_code"): ("postal_code_be",),
    ("person", "distributor_person_id"): ("person_id_beyond_rename",),
    ("personCredit", "ean"): ("ean_not_13_digits", "ean_check_digit"),
    ("schoolCredit", "ean"): ("ean_not_13_digits", "ean_check_digit"),
    ("personCredit", "credit_end_date"): ("end_before_start",),
    ("schoolCredit", "credit_end_date"): ("end_before_start",),
    ("personCredit", "distributor_person_credit_id"): ("credit_id_beyond_notification",),
    ("schoolCredit", "distributor_school_credit_id"): ("credit_id_beyond_notification",),
}
_LONGEST: Final[Mapping[str, int]] = {
    "person_id_beyond_rename": (
        rule_of("mergePersonRequest", "from_distributor_person_id").max_length or 0
    ),
    "credit_id_beyond_notification": LONGEST_NOTIFIED_CREDIT_ID,
}


def listed_rules(owner: str) -> Iterator[ListedRule]:
    """The rules of one object in the order of its fields; `KeyError` for an unknown one."""
    for rule in rules_of(owner):
        for kind, key, params in _of_shape(rule):
            code = code_of(rule.base, kind)
            yield ListedRule(owner, rule.field, rule.column, key, code, "error", params)
        for key in _REFUSED.get((owner, rule.column), ()):
            yield ListedRule(owner, rule.field, rule.column, key, INCORRECT_REQUEST)
        for key in _WARNED.get((owner, rule.column), ()):
            params = {"max": _LONGEST[key]} if key in _LONGEST else {}
            yield ListedRule(owner, rule.field, rule.column, key, None, "warning", params)


def _of_shape(rule: Rule) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Kind of the code, key and limits of what `check` asks of one value."""
    if rule.required:
        yield MISSING, "missing", {}
    match rule.kind:
        case "string":
            yield from _of_text(rule)
        case "integer":
            yield WRONG_TYPE, "not_an_integer", {}
            if rule.minimum is not None:
                yield TOO_SMALL, "too_small", {"min": rule.minimum}
            if rule.max_length is not None:
                yield WRONG_TYPE, "too_many_digits", {"max": rule.max_length}
        case "date":
            yield WRONG_FORMAT, "date_format", {}
            if rule.column == "date_of_birth":
                yield WRONG_FORMAT, "date_of_birth_in_future", {}
        case "enum":
            if rule.field == "countryCode":
                yield NOT_ALLOWED, "unknown_country", {}
            else:
                yield NOT_ALLOWED, "not_allowed", {"allowed": rule.values}


def _of_text(rule: Rule) -> Iterator[tuple[int, str, dict[str, object]]]:
    if rule.min_length is not None and rule.min_length > 1:
        yield TOO_SMALL, "too_short", {"min": rule.min_length}
    if rule.max_length is not None:
        yield TOO_LONG, "too_long", {"max": rule.max_length}
    if rule.pattern is not None:
        yield WRONG_FORMAT, "brin_format", {}
    yield WRONG_TYPE, "invalid_characters", {}
