"""The schools that the sandbox knows, and whether their portals link persons (prematch)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .countries import COUNTRIES
from .fields import HUBS

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples" / "schools.json"

_LENGTHS: Final = {
    "organisationID": 40,
    "name": 50,
    "address": 50,
    "houseNumber": 11,
    "houseNumberSuffix": 10,
    "postalCode": 10,
    "city": 50,
    "countryCode": 2,
    "brin": 6,
}


class SchoolsError(ValueError):
    """The schools cannot be read; the text says which one and why, in one line."""


@dataclass(frozen=True, slots=True)
class School:
    """A school as `getSchool` answers it; `portal` is (hubID, portalID) or empty.

    `prematches` is false for a school whose portal never links its persons.
    """

    organisation: str
    fields: dict[str, str] = field(default_factory=dict)
    portal: tuple[str, str] = ("", "")
    prematches: bool = True


class Schools:
    """All schools, by organisationID and by portal."""

    def __init__(self, schools: Iterable[School]) -> None:
        self._by_id = {school.organisation: school for school in schools}

    @classmethod
    def from_data(cls, rows: object) -> Schools:
        """From a list of objects as in `examples/schools.json`; raises `SchoolsError`."""
        if not isinstance(rows, list):
            raise SchoolsError("the schools are no list")
        return cls(_school(row) for row in rows)

    @classmethod
    def from_file(cls, path: Path) -> Schools:
        """Raises `SchoolsError` when the file is missing or wrong."""
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise SchoolsError(f"{path}: {problem}") from problem
        try:
            return cls.from_data(rows)
        except SchoolsError as problem:
            raise SchoolsError(f"{path}: {problem}") from problem

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> list[School]:
        return list(self._by_id.values())

    def get(self, organisation: str) -> School | None:
        return self._by_id.get(organisation)

    def with_portal(self, hub: str, portal: str) -> list[School]:
        return [school for school in self._by_id.values() if school.portal == (hub, portal)]


def _school(row: object) -> School:
    if not isinstance(row, dict):
        raise SchoolsError("a school is no object")
    name = str(row.get("organisationID") or row.get("name") or "a school")
    # None and "" both mean that a school has no such field.
    fields = {key: str(row[key]) for key in _LENGTHS if row.get(key) not in {None, ""}}
    for key in ("organisationID", "name", "countryCode"):
        if key not in fields:
            raise SchoolsError(f"{name}: {key} is missing")
    for key, longest in _LENGTHS.items():
        if len(fields.get(key, "")) > longest:
            raise SchoolsError(f"{name}: {key} is longer than {longest}")
    if fields["countryCode"] not in COUNTRIES:
        raise SchoolsError(f"{name}: countryCode {fields['countryCode']} does not exist")
    prematches = row.get("prematch", True)
    if not isinstance(prematches, bool):
        raise SchoolsError(f"{name}: prematch must be true or false")
    return School(fields["organisationID"], fields, _portal(name, row), prematches)


def _portal(name: str, row: dict[str, Any]) -> tuple[str, str]:
    portal = row.get("portal")
    if portal is None:
        return ("", "")
    try:
        hub, key = str(portal["hubID"]), str(portal["portalID"])
    except (KeyError, TypeError) as problem:
        raise SchoolsError(f"{name}: portal needs hubID and portalID") from problem
    if hub not in HUBS or not 1 <= len(key) <= 64:
        raise SchoolsError(f"{name}: portal {hub} {key} is not correct")
    return (hub, key)
