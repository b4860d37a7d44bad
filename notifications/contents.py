"""The values of a valid request as plain Python, from the tags and texts of its elements.

Version 4.3 tells more than 4.0: what was tried when, under which number. Its entries stand in the
order of time, so that the last one is the newest, as it is in 4.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from notifications.schema import SCHEMAS

MAX_DIGITS: Final = 40

Told = Iterable[tuple[str, str | None]]
Parsed = dict[str, Any]
Entry = Mapping[str, Any]

_OLD: Final = f"{{{SCHEMAS['4.0'].namespace}}}"
_NEW: Final = f"{{{SCHEMAS['4.3'].namespace}}}"
_HERE: Final = ZoneInfo("Europe/Amsterdam")  # a time without a zone is the sender's own


class Invalid(Exception):
    """The content breaks the contract; `reason` names the rule and the element, never a value."""

    def __init__(self, rule: str, element: str) -> None:
        super().__init__(f"{rule}:{element}")
        self.reason = f"{rule}:{element}"


class Says(StrEnum):
    """What one specification came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"
    UNKNOWN = "unknown"


def says(entry: Entry) -> Says:
    """What an entry of `specification` says, in either version.

    The words of 4.3's `state` are not public but for one, "skipped". An error code or a reference
    of the publisher tells more than a word that we do not know; without either it is no answer.
    """
    if entry["error_code"] is not None:
        return Says.REFUSED
    state = entry.get("state", "").lower()
    if state == "skipped":
        return Says.NOT_TRIED
    if state == "fault":
        return Says.REFUSED
    if state in ("", "specified") or entry["response_id"]:
        return Says.ACCEPTED
    return Says.UNKNOWN


def prematch(told: Told) -> Parsed:
    """`user_id` is "" and `eck_id` None when it is not told."""
    parsed: Parsed = {"distributor_person_id": "", "user_id": "", "eck_id": None}
    for tag, text in told:
        parsed[_PREMATCH[tag]] = (text or "").strip()
    parsed["eck_id"] = parsed["eck_id"] or None
    return parsed


_PREMATCH: Final = {
    f"{space}{name}": column
    for space in (_OLD, _NEW)
    for name, column in (
        ("distributorPersonID", "distributor_person_id"),
        ("userID", "user_id"),
        ("eckID", "eck_id"),
    )
}


def specification_40(told: Told) -> Parsed:
    """Two lists of entries with amount, response_id and error_code."""
    parsed: Parsed = {
        "distributor_credit_id": "",
        "state": "",
        "specification": [],
        "correction": [],
    }
    entry: Parsed = {}
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


_RESPONSE_ID: Final = f"{_OLD}responseID"
_NUMBERS: Final = {f"{_OLD}amount": "amount", f"{_OLD}errorCode": "error_code"}
_LISTS: Final = {f"{_OLD}{name}": name for name in ("specification", "correction")}
_TEXTS: Final = {
    f"{_OLD}distributorCreditID": "distributor_credit_id",
    f"{_OLD}state": "state",
}


def specification_43(told: Told) -> Parsed:
    """Three lists; entries have audit_id and time_stamp (UTC) besides what 4.0 has.

    `state` is "": 4.3 does not tell it.
    """
    parsed: Parsed = {
        "version": "4.3",
        "distributor_credit_id": "",
        "state": "",
        "is_single_update": False,
        "specification": [],
        "correction": [],
        "license_block": [],
    }
    entry: Parsed = {}
    for tag, text in told:
        if tag in _ECK_LISTS:
            name = _ECK_LISTS[tag]
            entry = dict(_ECK_ENTRIES[name])
            parsed[name].append(entry)
        elif tag in _ECK_VALUES:
            name, read = _ECK_VALUES[tag]
            entry[name] = read(text, tag)
        elif tag == _SINGLE:
            parsed["is_single_update"] = (text or "").strip() in ("true", "1")
        else:
            parsed["distributor_credit_id"] = (text or "").strip()
    for name in _ECK_ENTRIES:
        parsed[name].sort(key=order_of)
    return parsed


def order_of(entry: Entry) -> tuple[str, int]:
    """Sorts entries of 4.3 from old to new."""
    return entry["time_stamp"], entry["audit_id"]


def _text(text: str | None, _tag: str) -> str:
    return (text or "").strip()


def _number(text: str | None, tag: str) -> int:
    """The schema has seen an integer; it counts no leading zeros, and Python stops at 4300."""
    if text is None or len(text) > MAX_DIGITS:
        raise Invalid("too_long", tag.rpartition("}")[2])
    return int(text)


def _moment(text: str | None, tag: str) -> str:
    """In UTC and always as long, so that moments sort as texts."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_HERE)
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):  # the year -44, or 24 hours: true XML, and no moment here
        raise Invalid("wrong_type", tag.rpartition("}")[2]) from None


Read = Callable[[str | None, str], Any]

_SINGLE: Final = f"{_NEW}isSingleUpdate"
_ECK_LISTS: Final = {
    f"{_NEW}eckSpecification": "specification",
    f"{_NEW}eckCorrection": "correction",
    f"{_NEW}eckLicenseBlock": "license_block",
}
_ECK_VALUES: Final[dict[str, tuple[str, Read]]] = {
    f"{_NEW}auditID": ("audit_id", _number),
    f"{_NEW}amount": ("amount", _number),
    f"{_NEW}requestID": ("request_id", _text),
    f"{_NEW}responseID": ("response_id", _text),
    f"{_NEW}ownerID": ("owner_id", _text),
    f"{_NEW}specificationID": ("specification_id", _text),
    f"{_NEW}blockType": ("block_type", _text),
    f"{_NEW}state": ("state", _text),
    f"{_NEW}errorCode": ("error_code", _number),
    f"{_NEW}errorMessage": ("error_message", _text),
    f"{_NEW}timeStamp": ("time_stamp", _moment),
}
_ANY_ENTRY: Final[Parsed] = {
    "audit_id": 0,
    "request_id": "",
    "response_id": "",
    "state": "",
    "error_code": None,
    "error_message": "",
    "time_stamp": "",
}
_ECK_ENTRIES: Final[dict[str, Parsed]] = {
    "specification": _ANY_ENTRY | {"amount": 0, "owner_id": ""},
    "correction": _ANY_ENTRY | {"amount": 0},
    "license_block": _ANY_ENTRY | {"specification_id": "", "block_type": ""},
}

READERS: Final[dict[tuple[str, str], Callable[[Told], Parsed]]] = {
    ("prematchChanged", "4.0"): prematch,
    ("prematchChanged", "4.3"): prematch,
    ("specificationChanged", "4.0"): specification_40,
    ("specificationChanged", "4.3"): specification_43,
}
