"""Dataclasses at the border: what goes to Edu-iX and what comes back, without SOAP types.

Texts are empty where the element is absent. Field names are the partner's in snake case.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import ClassVar, Final


@dataclass(frozen=True)
class Record:
    """A record that can be compared with what Edu-iX holds."""

    # Written by Edu-iX alone: they never make our row differ.
    THEIRS: ClassVar[frozenset[str]] = frozenset()

    def pushed(self) -> dict[str, object]:
        """What we send, by column."""
        return {name: getattr(self, name) for name in self.pushed_names()}

    @classmethod
    @cache
    def pushed_names(cls) -> tuple[str, ...]:
        """The columns that we send."""
        return tuple(each.name for each in fields(cls) if each.name not in cls.THEIRS)

    def digest(self) -> str:
        """SHA-256 over what we send, to recognise our own request later."""
        return hashlib.sha256(_encode(self.pushed()).encode()).hexdigest()

    def differences(self, other: Record) -> list[str]:
        """Columns in which `other` holds something else than we would send."""
        ours, theirs = self.pushed(), other.pushed()
        return [name for name, value in ours.items() if theirs.get(name) != value]


_encode: Final = json.JSONEncoder(default=str, sort_keys=True).encode


@dataclass(frozen=True)
class PersonRecord(Record):
    """Profile 4.1 `person`."""

    THEIRS: ClassVar[frozenset[str]] = frozenset({"profile_id", "user_id"})

    distributor_person_id: str
    first_name: str
    surname: str
    postal_code: str
    country_code: str
    person_state: str = "A"
    preposition: str = ""
    date_of_birth: date | None = None
    gender: str = ""
    email: str = ""
    house_number: int | None = None
    eck_id: str = ""
    profile_id: int | None = None
    user_id: str = ""


@dataclass(frozen=True)
class Portal:
    """Profile 4.1 `portal`: an authentication hub and the key of a portal there."""

    hub_id: str  # Eduroute, Kennisnet or DAF
    portal_id: str  # 1..64 characters


@dataclass(frozen=True)
class SchoolRecord(Record):
    """Profile 4.1 `school`."""

    organisation_id: str
    name: str
    country_code: str
    address: str = ""
    house_number: int | None = None
    house_number_suffix: str = ""
    postal_code: str = ""
    city: str = ""
    brin: str = ""


@dataclass(frozen=True)
class SchoolPersonRecord(Record):
    """Profile 4.1 `schoolperson`."""

    distributor_school_person_id: str
    organisation_id: str
    distributor_person_id: str
    role: str
    school_student_number: str = ""


@dataclass(frozen=True)
class PersonInformation:
    """A person with its schools, as getPerson answers."""

    person: PersonRecord
    school_persons: tuple[SchoolPersonRecord, ...] = ()


@dataclass(frozen=True)
class PersonCreditRecord(Record):
    """Credit 4.1 `personCredit`."""

    distributor_person_credit_id: str
    distributor_school_person_id: str
    ean: str
    credit_start_date: date
    credit_end_date: date | None
    school_year: int
    person_product_state: str = "Active"


@dataclass(frozen=True)
class SchoolCreditRecord(Record):
    """Credit 4.1 `schoolCredit`."""

    distributor_school_credit_id: str
    organisation_id: str
    ean: str
    credit_start_date: date
    credit_end_date: date | None
    contact_name: str
    contact_email: str
    school_year: int
    amount: int


@dataclass(frozen=True)
class SpecificationRecord:
    """Credit 4.1 `specification`: what the publisher said, and on which day."""

    specification_state: str
    specification_state_date: date


@dataclass(frozen=True)
class PersonCreditInformation:
    """A person credit with its specification; None while the publisher was not asked yet."""

    credit: PersonCreditRecord
    specification: SpecificationRecord | None = None


@dataclass(frozen=True)
class SchoolCreditInformation:
    """A school credit with what was returned (0 when nothing) and its specification."""

    credit: SchoolCreditRecord
    returned: int = 0
    specification: SpecificationRecord | None = None
