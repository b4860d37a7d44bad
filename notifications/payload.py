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

from notifications.contents import READERS, Invalid, Says, says
from notifications.envelope import is_nil
from notifications.models import Flag
from notifications.schema import SCHEMAS, Part, Schema

MAX_STRICT_BYTES: Final = 16 * 1024  # a flood of wrong attributes costs 40 ms in the validator
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

_REQUESTS: Final = {
    f"{{{schema.namespace}}}{operation}Request": (operation, schema)
    for schema in SCHEMAS.values()
    for operation in KEYS
}
_STATES: Final = SCHEMAS["4.0"].values["state"]
_NAMED: Final = re.compile(r"Element '(?:\{[^}]*\})?([A-Za-z]+)'")


class Content(NamedTuple):
    """What a notification says; `invalid` names the broken rule, else it is empty.

    `parsed` holds for prematchChanged distributor_person_id, user_id ("" when absent) and eck_id
    (None when absent); for specificationChanged distributor_credit_id, state and the lists
    specification and correction, each entry with amount, response_id and error_code (None).
    Version 4.3 adds what `contents.specification_43` says, and names itself.
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
    """Made when a thread first needs them: few threads ever see two versions."""

    def __init__(self) -> None:
        self._strict: dict[str, etree.XMLSchema] = {}
        self._lenient: dict[str, etree.XMLSchema] = {}

    def strict(self, schema: Schema) -> etree.XMLSchema:
        found = self._strict.get(schema.version)
        if found is None:
            found = self._strict[schema.version] = schema.of_envelope()
        return found

    def lenient(self, schema: Schema) -> etree.XMLSchema:
        found = self._lenient.get(schema.version)
        if found is None:
            found = self._lenient[schema.version] = schema.lenient()
        return found


_local = _Validators()


def read_valid(root: etree._Element) -> Valid | None:
    """The short way; None when the envelope is not exactly as our WSDL describes it."""
    body = root[-1] if len(root) else root
    tag = body[0].tag if len(body) else ""
    operation, schema = _REQUESTS.get(tag, ("", None))
    if schema is None or not _local.strict(schema).validate(root):
        return None
    # Envelope, Header, loginHeader, username, password, Body, the request, and what it holds.
    told = [(element.tag, element.text) for element in root.iter()]
    if len(told) < 8 or told[6][0] != tag:  # an optional element of the login is missing
        return None
    try:
        parsed = READERS[operation, schema.version](told[7:])
    except Invalid:
        return None
    if not parsed[KEY_COLUMNS[operation]]:  # the schema takes a blank for a key
        return None
    return Valid(
        (told[3][1] or "").strip(),
        (told[4][1] or "").strip(),
        schema.namespace,
        _content(operation, parsed, ()),
    )


def read_content(operation: str, namespace: str, element: etree._Element) -> Content:
    """What the operation says, however it is written; a broken rule is told in `invalid`."""
    flags: set[str] = set()
    schema = SCHEMAS[_version_of(namespace, element)]
    types = f"{{{schema.namespace}}}"
    try:
        ordered = etree.Element(f"{types}{operation}Request")
        _put_in_order(element, schema.requests[operation], ordered, schema, flags)
        validator = _local.lenient(schema)
        if not validator.validate(ordered):
            raise _first_error(validator)
        values = ((child.tag, child.text) for child in ordered.iterdescendants())
        return _content(operation, READERS[operation, schema.version](values), flags)
    except Invalid as problem:
        subject = _subject(operation, element)
        return Content(operation, subject, {}, tuple(sorted(flags)), problem.reason)


def _version_of(namespace: str, element: etree._Element) -> str:
    """The version whose elements stand there.

    4.1 and 4.2 are documented nowhere but in what 4.3 added to them, which is neither the lists
    nor `isSingleUpdate`.
    """
    version = namespace.rpartition(":")[2]
    if version in SCHEMAS:
        return version
    names = SCHEMAS["4.3"].names
    is_new = any(names.get(child.tag) in _ONLY_NEW for child in element)
    return "4.3" if is_new else "4.0"


_ONLY_NEW: Final = frozenset({"isSingleUpdate", "eckSpecification", "eckCorrection"})


def _put_in_order(
    source: etree._Element,
    parts: tuple[Part, ...],
    target: etree._Element,
    schema: Schema,
    flags: set[str],
) -> None:
    found: dict[str, list[etree._Element]] = {part.name: [] for part in parts}
    empty = {part.name for part in parts if part.may_be_empty}
    for child in source:
        name = schema.names.get(child.tag, "")
        same = found.get(name)
        if same is None:
            flags.add(Flag.EXTRA_ELEMENT.value)
        elif name in empty or not _is_absent(child):
            same.append(child)
    for part in parts:
        present = found[part.name]
        if part.is_required and not present:
            raise Invalid("missing", part.name)
        if len(present) > 1 and not part.is_repeated:
            raise Invalid("repeated", part.name)
        for child in present:
            copy = etree.SubElement(target, f"{{{schema.namespace}}}{part.name}")
            if part.children:
                _put_in_order(child, part.children, copy, schema, flags)
            elif len(child):
                raise Invalid("wrong_type", part.name)
            else:
                copy.text = "" if is_nil(child) else (child.text or "").strip()


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
        if SCHEMAS["4.3"].names.get(child.tag) == KEYS[operation]:
            return (child.text or "").strip()[:MAX_KEY]
    return ""


def _content(operation: str, parsed: dict[str, Any], flags: Iterable[str]) -> Content:
    if operation == "prematchChanged":
        if len(parsed["eck_id"] or "") not in (0, ECK_ID_LENGTH):
            flags = (*flags, Flag.ECK_ID_LENGTH.value)
    elif _has_unknown_state(parsed):
        flags = (*flags, Flag.UNKNOWN_ENUM.value)
    return Content(operation, parsed[KEY_COLUMNS[operation]], parsed, tuple(sorted(flags)))


def _has_unknown_state(parsed: dict[str, Any]) -> bool:
    if "version" not in parsed:
        return parsed["state"] not in _STATES
    return any(says(entry) is Says.UNKNOWN for entry in parsed["specification"])
