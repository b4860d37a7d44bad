"""What stands in a notification: in the partner's order, valid, as plain values.

A delivery that our own WSDL would make takes the short way: one schema for the whole envelope, and
one walk over its elements. Any other is written out again by local name, in canonical order and
without what senders' libraries leave behind, and judged by the same types without their lists of
values. A schema object is never shared by threads: shared, it loses the reason of one rejection
in fifteen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

from lxml import etree

from backoffice.eduix.contract import types_namespace
from notifications.envelope import is_nil
from notifications.models import Flag
from notifications.schema import SCHEMA, Part

MAX_STRICT_BYTES: Final = 16 * 1024  # a flood of wrong attributes costs 40 ms in the validator
MAX_DIGITS: Final = 40
MAX_KEY: Final = 256
ECK_ID_LENGTH: Final = 128  # exactly; any other length is kept and not believed

KEYS: Final = {
    "prematchChanged": "distributorPersonID",
    "specificationChanged": "distributorCreditID",
}
KEY_COLUMNS: Final = {
    "prematchChanged": "distributor_person_id",
    "specificationChanged": "distributor_credit_id",
}

_NAMESPACE: Final = types_namespace("notification")
_TYPES: Final = f"{{{_NAMESPACE}}}"
_REQUESTS: Final = {f"{_TYPES}{operation}Request": operation for operation in KEYS}
_STATES: Final = SCHEMA.values["state"]
_NAMED: Final = re.compile(r"Element '(?:\{[^}]*\})?([A-Za-z]+)'")

Values = Iterable[tuple[str, str | None]]


class Invalid(Exception):
    """The content breaks the contract; `reason` names the rule and the element, never a value."""

    def __init__(self, rule: str, element: str) -> None:
        super().__init__(f"{rule}:{element}")
        self.reason = f"{rule}:{element}"


class Content(NamedTuple):
    """What a notification says; `invalid` names the broken rule, else it is empty.

    `parsed` holds for prematchChanged distributor_person_id, user_id ("" when absent) and eck_id
    (None when absent); for specificationChanged distributor_credit_id, state and the lists
    specification and correction, each entry with amount, response_id and error_code (None).
    """

    kind: str
    subject: str
    parsed: dict[str, Any]
    flags: tuple[str, ...] = ()
    invalid: str = ""


class Valid(NamedTuple):
    """A whole envelope that satisfies our own WSDL."""

    username: str
    password: str
    namespace: str
    content: Content


class _Validators(threading.local):
    def __init__(self) -> None:
        self.envelope = SCHEMA.of_envelope()
        self.lenient = SCHEMA.lenient()


_local = _Validators()


def read_valid(root: etree._Element) -> Valid | None:
    """The short way; None when the envelope is not exactly as our WSDL describes it."""
    if not _local.envelope.validate(root):
        return None
    # Envelope, Header, loginHeader, username, password, Body, the request, and what it holds.
    told = [(element.tag, element.text) for element in root.iter()]
    operation = _REQUESTS.get(told[6][0]) if len(told) > 7 else None
    if operation is None:  # an optional element of the login is missing
        return None
    try:
        parsed = _values(operation, told[7:])
    except Invalid:
        return None
    if not parsed[KEY_COLUMNS[operation]]:  # the schema takes a blank for a key
        return None
    return Valid(
        (told[3][1] or "").strip(),
        (told[4][1] or "").strip(),
        _NAMESPACE,
        _content(operation, parsed, ()),
    )


def read_content(operation: str, element: etree._Element) -> Content:
    """What the operation says, however it is written; a broken rule is told in `invalid`."""
    flags: set[str] = set()
    try:
        ordered = etree.Element(f"{_TYPES}{operation}Request")
        _put_in_order(element, SCHEMA.requests[operation], ordered, flags)
        if not _local.lenient.validate(ordered):
            raise _first_error(_local.lenient)
        values = ((child.tag, child.text) for child in ordered.iterdescendants())
        return _content(operation, _values(operation, values), flags)
    except Invalid as problem:
        subject = _subject(operation, element)
        return Content(operation, subject, {}, tuple(sorted(flags)), problem.reason)


def _put_in_order(
    source: etree._Element, parts: tuple[Part, ...], target: etree._Element, flags: set[str]
) -> None:
    found: dict[str, list[etree._Element]] = {part.name: [] for part in parts}
    for child in source:
        same = found.get(SCHEMA.names.get(child.tag, ""))
        if same is None:
            flags.add(Flag.EXTRA_ELEMENT.value)
        elif not _is_absent(child):
            same.append(child)
    for part in parts:
        present = found[part.name]
        if part.is_required and not present:
            raise Invalid("missing", part.name)
        if len(present) > 1 and not part.is_repeated:
            raise Invalid("repeated", part.name)
        for child in present:
            copy = etree.SubElement(target, f"{_TYPES}{part.name}")
            if part.children:
                _put_in_order(child, part.children, copy, flags)
            elif len(child):
                raise Invalid("wrong_type", part.name)
            else:
                copy.text = (child.text or "").strip()


def _is_absent(element: etree._Element) -> bool:
    """Every SOAP library sends `<userID/>` for an empty string, some send xsi:nil."""
    return is_nil(element) or (len(element) == 0 and not (element.text or "").strip())


def _first_error(schema: etree.XMLSchema) -> Invalid:
    for entry in cast("Iterator[Any]", schema.error_log):  # the stubs miss this
        named = _NAMED.search(entry.message)
        if named is not None:
            is_long = entry.type_name == "SCHEMAV_CVC_MAXLENGTH_VALID"
            return Invalid("too_long" if is_long else "wrong_type", named[1])
    return Invalid("wrong_type", "")


def _subject(operation: str, element: etree._Element) -> str:
    """The key that an invalid request names, as far as it can be read."""
    for child in element:
        if SCHEMA.names.get(child.tag) == KEYS[operation]:
            return (child.text or "").strip()[:MAX_KEY]
    return ""


def _values(operation: str, told: Values) -> dict[str, Any]:
    """The values of a valid request, from the tags and texts below it in document order."""
    if operation == "prematchChanged":
        by_tag = {tag: (text or "").strip() for tag, text in told}
        return {
            "distributor_person_id": by_tag[f"{_TYPES}distributorPersonID"],
            "user_id": by_tag.get(f"{_TYPES}userID", ""),
            "eck_id": by_tag.get(f"{_TYPES}eckID") or None,
        }
    parsed: dict[str, Any] = {
        "distributor_credit_id": "",
        "state": "",
        "specification": [],
        "correction": [],
    }
    entry: dict[str, Any] = {}
    for tag, text in told:
        if tag in _LISTS:
            entry = {"amount": 0, "response_id": "", "error_code": None}
            parsed[_LISTS[tag]].append(entry)
        elif tag in _NUMBERS:
            entry[_NUMBERS[tag]] = _number(text, tag)
        elif tag == _RESPONSE_ID:
            entry["response_id"] = (text or "").strip()
        else:
            parsed[_TEXTS[tag]] = (text or "").strip()
    return parsed


_RESPONSE_ID: Final = f"{_TYPES}responseID"
_NUMBERS: Final = {f"{_TYPES}amount": "amount", f"{_TYPES}errorCode": "error_code"}
_LISTS: Final = {f"{_TYPES}{name}": name for name in ("specification", "correction")}
_TEXTS: Final = {
    f"{_TYPES}distributorCreditID": "distributor_credit_id",
    f"{_TYPES}state": "state",
}


def _number(text: str | None, tag: str) -> int:
    """The schema has seen an integer; it counts no leading zeros, and Python stops at 4300."""
    if text is None or len(text) > MAX_DIGITS:
        raise Invalid("too_long", tag.removeprefix(_TYPES))
    return int(text)


def _content(operation: str, parsed: dict[str, Any], flags: Iterable[str]) -> Content:
    if operation == "prematchChanged":
        if len(parsed["eck_id"] or "") not in (0, ECK_ID_LENGTH):
            flags = (*flags, Flag.ECK_ID_LENGTH.value)
    elif parsed["state"] not in _STATES:
        flags = (*flags, Flag.UNKNOWN_ENUM.value)
    return Content(operation, parsed[KEY_COLUMNS[operation]], parsed, tuple(sorted(flags)))
