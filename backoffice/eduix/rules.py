"""Check values against the rules of Edu-iX before they are sent.

`check()` finds what the service would refuse, with the code it would answer, and what it would
accept but somebody would regret. The table itself stands in `rules_table`; the rules that concern
more than the shape of one value stand here. Their sources: the documentation of Profile 4.1 and
Credit 4.1, and `wsdl/README.md` for what that leaves open.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Literal

from stdnum import ean as ean_number

from backoffice.eduix.codes import (
    BASES,
    DOCUMENTED_CODES,
    GENERAL_CODES,
    INCORRECT_REQUEST,
    MISSING,
    NOT_ALLOWED,
    TOO_LONG,
    TOO_SMALL,
    WRONG_FORMAT,
    WRONG_TYPE,
    code_of,
)
from backoffice.eduix.rules_table import RULES, Rule, rule_of, rules_of

__all__ = [
    "BASES",
    "DOCUMENTED_CODES",
    "GENERAL_CODES",
    "MESSAGES",
    "RULES",
    "Finding",
    "Rule",
    "check",
    "rule_of",
    "rules_of",
]

Severity = Literal["error", "warning"]
Params = Mapping[str, object]

MESSAGES: Final[dict[str, tuple[str, ...]]] = {
    # Errors
    "missing": (),
    "too_small": ("min",),
    "too_short": ("min", "length"),
    "too_long": ("max", "length"),
    "too_many_digits": ("max",),
    "date_format": (),
    "brin_format": (),
    "not_allowed": ("allowed",),
    "unknown_country": (),
    "not_an_integer": (),
    "not_text": (),
    "invalid_characters": (),
    "date_of_birth_in_future": (),
    "postal_code_nl": ("suggestion",),
    "school_year_halves": (),
    "person_without_key": (),
    "person_credit_amount": (),
    # Warnings
    "postal_code_be": (),
    "ean_not_13_digits": (),
    "ean_check_digit": (),
    "end_before_start": (),
    "person_id_beyond_rename": ("max", "length"),
    "credit_id_beyond_notification": ("max", "length"),
}
"""Every `Finding.message_key` with the names of its `params`; the words live elsewhere."""

_INTEGER: Final = re.compile(r"-?[0-9]+")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NL_POSTAL_CODE: Final = re.compile(r"[0-9]{4} [A-Z]{2}")
_BE_POSTAL_CODE: Final = re.compile("[1-9][0-9]{3}")
_NL_POSTAL_CODE_PARTS: Final = re.compile(r"([0-9]{4})\s*([A-Za-z]{2})")
# XML 1.0 has no way to write these, not even escaped.
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or unwise, when a warning) with one field.

    `kind` is that of the error code, None for a rule that no code belongs to. `code` is what the
    service would answer: the field's own code where one is documented, else 6; None for a warning.
    """

    object: str
    field: str
    column: str
    kind: int | None
    code: int | None
    severity: Severity
    message_key: str
    params: Params = dataclasses.field(default_factory=dict)

    @property
    def is_own_rule(self) -> bool:
        """The service has only its general code for this, so screens show no number."""
        return self.code == INCORRECT_REQUEST


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """The values of one object that passed the check of their own field."""

    owner: str
    values: Mapping[str, str | int | date]
    today: date


def check(owner: str, values: Mapping[str, object], *, today: date) -> list[Finding]:
    """Everything wrong with one object: first field by field, then what needs more than one look.

    `owner` is an object of `rules_of`, "person" or "returnCreditRequest"; `KeyError` for any
    other. `values` maps columns to typed values or raw strings; unknown columns are ignored, an
    absent one counts as empty. White space around a value is dropped before it is checked, and an
    empty value counts as absent. Of a choice only the columns present in `values` are checked. A
    person credit's return passes its `distributor_person_credit_id` beside the request's fields.
    """
    findings: list[Finding] = []
    passed: dict[str, str | int | date] = {}
    rules = rules_of(owner)
    for rule in rules:
        if rule.is_choice and rule.column not in values:
            continue
        outcome = _check_value(rule, values.get(rule.column))
        if isinstance(outcome, Finding):
            findings.append(outcome)
        elif outcome is not None:
            passed[rule.column] = outcome
    row = _Row(owner, passed, today)
    for rule in rules:
        if rule.column in passed and rule.column in _RULES_OF_OURS:
            findings.extend(_RULES_OF_OURS[rule.column](rule, row))
    findings.extend(_check_whole(owner, values, row))
    return findings


def _check_value(rule: Rule, raw: object) -> str | int | date | Finding | None:
    """The value as it may be sent, what is wrong with it, or None when there is no value."""
    value = _without_margins(raw) if isinstance(raw, str) else raw
    if value is None or value == "":
        return _error(rule, MISSING, "missing") if rule.required else None
    return _CHECKS[rule.kind](rule, value)


def _without_margins(raw: str) -> str:
    """Without the white space around it; with what only Python takes for white space, and XML
    cannot write (a form feed): dropped here it would still be sent.
    """
    return raw if not raw.isprintable() and _NOT_IN_XML.search(raw) else raw.strip()


def _check_string(rule: Rule, value: object) -> str | Finding:
    if not isinstance(value, str):
        return _error(rule, WRONG_TYPE, "not_text")
    if _NOT_IN_XML.search(value):
        return _error(rule, WRONG_TYPE, "invalid_characters")
    length = len(value)
    if rule.min_length is not None and length < rule.min_length:
        return _error(rule, TOO_SMALL, "too_short", min=rule.min_length, length=length)
    if rule.max_length is not None and length > rule.max_length:
        return _error(rule, TOO_LONG, "too_long", max=rule.max_length, length=length)
    if rule.pattern is not None and not re.fullmatch(rule.pattern, value):
        return _error(rule, WRONG_FORMAT, "brin_format")
    return value


def _check_integer(rule: Rule, value: object) -> int | Finding:
    # No integer has a code for "too long"; what does not fit its type has the code of a wrong type.
    # A number of thousands of digits makes int() and str() raise: count the digits of a string
    # first, and compare an integer with a power of ten.
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            return _error(rule, WRONG_TYPE, "not_an_integer")
        if rule.max_length is not None and len(value.lstrip("-").lstrip("0")) > rule.max_length:
            return _error(rule, WRONG_TYPE, "too_many_digits", max=rule.max_length)
        if rule.minimum is not None and value.startswith("-"):
            return _error(rule, TOO_SMALL, "too_small", min=rule.minimum)
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return _error(rule, WRONG_TYPE, "not_an_integer")
    if rule.max_length is not None and abs(value) >= 10**rule.max_length:
        return _error(rule, WRONG_TYPE, "too_many_digits", max=rule.max_length)
    if rule.minimum is not None and value < rule.minimum:
        return _error(rule, TOO_SMALL, "too_small", min=rule.minimum)
    return value


def _check_date(rule: Rule, value: object) -> date | Finding:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:  # the shape of a date, and no day: 2026-02-30
            return _error(rule, WRONG_FORMAT, "date_format")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return _error(rule, WRONG_FORMAT, "date_format")


def _check_enum(rule: Rule, value: object) -> str | Finding:
    if isinstance(value, str) and value in rule.values:
        return value
    if rule.field == "countryCode":
        return _error(rule, NOT_ALLOWED, "unknown_country")
    return _error(rule, NOT_ALLOWED, "not_allowed", allowed=rule.values)


_CHECKS: Final[dict[str, Callable[[Rule, object], str | int | date | Finding]]] = {
    "string": _check_string,
    "integer": _check_integer,
    "date": _check_date,
    "enum": _check_enum,
}


def _date_of_birth(rule: Rule, row: _Row) -> Iterator[Finding]:
    born = row.values["date_of_birth"]
    if isinstance(born, date) and born > row.today:
        yield _error(rule, WRONG_FORMAT, "date_of_birth_in_future")


def _postal_code(rule: Rule, row: _Row) -> Iterator[Finding]:
    """Only the Netherlands have a documented form: 1234 AB. What others write is theirs.

    Belgium is worth a warning: half of what stands there in another form has the wrong country.
    """
    code = str(row.values["postal_code"])
    if row.values.get("country_code") == "BE" and not _BE_POSTAL_CODE.fullmatch(code):
        yield _warning(rule, "postal_code_be")
    if row.values.get("country_code") != "NL" or _NL_POSTAL_CODE.fullmatch(code):
        return
    parts = _NL_POSTAL_CODE_PARTS.fullmatch(code)
    suggestion = f"{parts[1]} {parts[2].upper()}" if parts else ""
    yield _refused(rule, "postal_code_nl", suggestion=suggestion)


def _school_year(rule: Rule, row: _Row) -> Iterator[Finding]:
    """2627 is 2026-2027: the second half is the first plus one. 910 stands for 0910."""
    year = int(str(row.values["school_year"]))
    first, second = divmod(year, 100)
    if year < 0 or second - first != 1:  # -100 would pass the sum
        yield _refused(rule, "school_year_halves")


def _ean(rule: Rule, row: _Row) -> Iterator[Finding]:
    """A warning only: the service takes any 30 characters and has no code for a wrong EAN."""
    code = str(row.values["ean"])
    if not re.fullmatch("[0-9]{13}", code):
        yield _warning(rule, "ean_not_13_digits")
    elif not ean_number.is_valid(code):
        yield _warning(rule, "ean_check_digit")


def _credit_end_date(rule: Rule, row: _Row) -> Iterator[Finding]:
    start, end = row.values.get("credit_start_date"), row.values["credit_end_date"]
    if isinstance(start, date) and isinstance(end, date) and end < start:
        yield _warning(rule, "end_before_start")


def _person_key(rule: Rule, row: _Row) -> Iterator[Finding]:
    """mergePerson and updatePersonID take 20 characters where a person's key may have 256."""
    longest = rule_of("mergePersonRequest", "from_distributor_person_id").max_length or 0
    length = len(str(row.values["distributor_person_id"]))
    if row.owner == "person" and length > longest:
        yield _warning(rule, "person_id_beyond_rename", max=longest, length=length)


LONGEST_NOTIFIED_CREDIT_ID: Final = 30
"""Notification 4.0 `distributorCreditID`; Credit 4.1 lets the same key have 160 characters."""


def _credit_key(rule: Rule, row: _Row) -> Iterator[Finding]:
    length = len(str(row.values[rule.column]))
    if row.owner in ("personCredit", "schoolCredit") and length > LONGEST_NOTIFIED_CREDIT_ID:
        yield _warning(
            rule, "credit_id_beyond_notification", max=LONGEST_NOTIFIED_CREDIT_ID, length=length
        )


_RULES_OF_OURS: Final[dict[str, Callable[[Rule, _Row], Iterator[Finding]]]] = {
    "credit_end_date": _credit_end_date,
    "date_of_birth": _date_of_birth,
    "distributor_person_credit_id": _credit_key,
    "distributor_person_id": _person_key,
    "distributor_school_credit_id": _credit_key,
    "ean": _ean,
    "postal_code": _postal_code,
    "school_year": _school_year,
}


def _check_whole(owner: str, values: Mapping[str, object], row: _Row) -> Iterator[Finding]:
    """The rules about what no single field shows."""
    if owner == "person" and _is_empty(values.get("distributor_person_id")):
        # The type lets the key be absent, and a person cannot be created without it.
        yield Finding(
            "person",
            "distributorPerson",
            "distributor_person_id",
            MISSING,
            INCORRECT_REQUEST,
            "error",
            "person_without_key",
        )
    if owner == "returnCreditRequest" and not _is_empty(values.get("distributor_person_credit_id")):
        amount = row.values.get("amount")
        if amount is not None and amount != 1:
            yield _refused(rule_of(owner, "amount"), "person_credit_amount")


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _error(rule: Rule, kind: int, key: str, **params: object) -> Finding:
    code = code_of(rule.base, kind)
    return Finding(rule.object, rule.field, rule.column, kind, code, "error", key, params)


def _refused(rule: Rule, key: str, **params: object) -> Finding:
    """Break of a rule that no code was given to: the service answers its general code 6."""
    code = INCORRECT_REQUEST
    return Finding(rule.object, rule.field, rule.column, None, code, "error", key, params)


def _warning(rule: Rule, key: str, **params: object) -> Finding:
    return Finding(rule.object, rule.field, rule.column, None, None, "warning", key, params)
