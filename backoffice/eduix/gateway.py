"""The only door to Edu-iX: records in, records out, four errors (errors.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from django.conf import settings

from backoffice.eduix import mapping
from backoffice.eduix.errors import EduixUncertain
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonCreditRecord,
    PersonInformation,
    PersonRecord,
    Portal,
    SchoolCreditInformation,
    SchoolCreditRecord,
    SchoolPersonRecord,
    SchoolRecord,
)
from backoffice.eduix.service import Service, StoreOf

T = TypeVar("T")


class Config(Protocol):
    """What the gateway needs to know; Django's settings fit."""

    EDUIX_PROFILE_URL: str
    EDUIX_CREDIT_URL: str
    EDUIX_PROFILE_WSDL: str
    EDUIX_CREDIT_WSDL: str
    EDUIX_USERNAME: str
    EDUIX_PASSWORD: str
    EDUIX_DISTRIBUTOR_ID: int
    EDUIX_SESSION_MINUTES: int


class Gateway:
    """All operations of Profile 4.1 and Credit 4.1 but the logins, in terms of records.

    A get that asks by our own key answers one item or None; any other get answers a list, empty
    where Edu-iX finds nothing. Every method raises the errors of `errors.py`.
    """

    def __init__(self, config: Config, *, store_of: StoreOf | None = None) -> None:
        self._distributor_id = config.EDUIX_DISTRIBUTOR_ID
        login: dict[str, Any] = {
            "user": config.EDUIX_USERNAME,
            "password": config.EDUIX_PASSWORD,
            "minutes": config.EDUIX_SESSION_MINUTES,
            # Who names no environment gets the closed one: loopback only.
            "environment": getattr(config, "BACKOFFICE_ENV", "embedded"),
            "store_of": store_of,
        }
        self.profile = Service(
            "profile", address=config.EDUIX_PROFILE_URL, wsdl=config.EDUIX_PROFILE_WSDL, **login
        )
        self.credit = Service(
            "credit", address=config.EDUIX_CREDIT_URL, wsdl=config.EDUIX_CREDIT_WSDL, **login
        )

    def close(self) -> None:
        """Close idle connections."""
        self.profile.close()
        self.credit.close()

    # --- schools ---

    def get_school(self, *, organisation_id: str) -> SchoolRecord | None:
        """One school by its key; None when Edu-iX does not know it."""
        answer = self.profile.read("getSchool", organisationID=organisation_id)
        return _one(answer, "schoolInformation", mapping.school_record)

    def get_schools(self, *, portal: Portal | None = None) -> list[SchoolRecord]:
        """The schools of a portal; without one all schools that we may see."""
        choice = {"portal": mapping.portal_request(portal)} if portal else {}
        answer = self.profile.read("getSchool", **choice)
        return _all(answer, "schoolInformation", mapping.school_record)

    # --- persons ---

    def create_person(self, record: PersonRecord) -> None:
        """Register a person; refused with 2626 when the key exists."""
        self.profile.write("createPerson", person=self._person(record))

    def update_person(self, record: PersonRecord) -> None:
        """Replace a person's data."""
        self.profile.write("updatePerson", person=self._person(record))

    def get_person(self, *, distributor_person_id: str) -> PersonInformation | None:
        """A person by our key; None when Edu-iX does not know it."""
        answer = self.profile.read(
            "getPerson", distributorPerson=self._person_key(distributor_person_id)
        )
        return _one(answer, "personInformation", mapping.person_information)

    def get_persons(
        self,
        *,
        portal: Portal | None = None,
        profile_id: int | None = None,
        eck_id: str = "",
        user_id: str = "",
    ) -> list[PersonInformation]:
        """Persons by exactly one of: portal, Edu-iX' own number, ECK iD, user ID in the portal."""
        choice = _choice(
            portal=mapping.portal_request(portal) if portal else None,
            profileID=profile_id,
            eckID=eck_id,
            userID=user_id,
        )
        answer = self.profile.read("getPerson", **choice)
        return _all(answer, "personInformation", mapping.person_information)

    def delete_person(self, *, distributor_person_id: str) -> None:
        """Remove a person; refused with 3047 or 2907 when Edu-iX does not know it."""
        self.profile.write(
            "deletePerson", distributorPerson=self._person_key(distributor_person_id)
        )

    def update_person_id(self, *, from_id: str, to_id: str) -> None:
        """Give a person another key; both of 1..20 characters, whatever a key may have."""
        self.profile.write(
            "updatePersonID", fromDistributorPersonID=from_id, toDistributorPersonID=to_id
        )

    def merge_person(self, *, from_id: str, to_id: str) -> None:
        """Fold one person into another; both keys of 1..20 characters."""
        self.profile.write(
            "mergePerson", fromDistributorPersonID=from_id, toDistributorPersonID=to_id
        )

    # --- persons at schools ---

    def create_school_person(self, record: SchoolPersonRecord) -> None:
        """Register a person at a school; refused with 2806 when the key exists."""
        self.profile.write(
            "createSchoolperson", schoolperson=mapping.request_of(record, mapping.SCHOOL_PERSON)
        )

    def update_school_person(self, record: SchoolPersonRecord) -> None:
        """Replace school, number and role."""
        self.profile.write(
            "updateSchoolperson", schoolperson=mapping.request_of(record, mapping.SCHOOL_PERSON)
        )

    def get_school_person(self, *, distributor_school_person_id: str) -> SchoolPersonRecord | None:
        """A person at a school by our key; None when Edu-iX does not know it."""
        answer = self.profile.read(
            "getSchoolperson",
            distributorSchoolPerson=self._school_person_key(distributor_school_person_id),
        )
        return _one(answer, "schoolPersonInformation", mapping.school_person_record)

    def get_school_persons(self, *, distributor_person_id: str) -> list[SchoolPersonRecord]:
        """All schools of one person."""
        answer = self.profile.read(
            "getSchoolperson", distributorPerson=self._person_key(distributor_person_id)
        )
        return _all(answer, "schoolPersonInformation", mapping.school_person_record)

    def delete_school_person(self, *, distributor_school_person_id: str) -> None:
        """Remove a person from a school; refused with 3007 or 3207 when Edu-iX lacks it."""
        self.profile.write(
            "deleteSchoolperson",
            distributorSchoolPerson=self._school_person_key(distributor_school_person_id),
        )

    # --- person credits ---

    def create_person_credit(self, record: PersonCreditRecord) -> None:
        """Register a credit; refused with 2606 when the key exists."""
        self.credit.write(
            "createPersonCredit", personCredit=mapping.request_of(record, mapping.PERSON_CREDIT)
        )

    def update_person_credit(self, record: PersonCreditRecord) -> None:
        """Replace a credit's data; never its state Returned."""
        self.credit.write(
            "updatePersonCredit", personCredit=mapping.request_of(record, mapping.PERSON_CREDIT)
        )

    def get_person_credit(
        self, *, distributor_person_credit_id: str
    ) -> PersonCreditInformation | None:
        """A credit by our key, with its specification; None when Edu-iX does not know it."""
        answer = self.credit.read(
            "getPersonCredit",
            distributorPersonCredit=self._person_credit_key(distributor_person_credit_id),
        )
        return _one(answer, "personCreditInformation", mapping.person_credit_information)

    def get_person_credits(
        self,
        *,
        distributor_person_id: str = "",
        eck_id: str = "",
        ean: str = "",
        school_year: int | None = None,
    ) -> list[PersonCreditInformation]:
        """The credits of a person, by our key or by ECK iD; both filters are optional."""
        choice = _choice(
            distributorPerson=self._person_key(distributor_person_id)
            if distributor_person_id
            else None,
            eckID=eck_id,
        )
        answer = self.credit.read("getPersonCredit", **choice, **_filters(ean, school_year))
        return _all(answer, "personCreditInformation", mapping.person_credit_information)

    def return_person_credit(self, *, distributor_person_credit_id: str, reference: str) -> None:
        """Give a credit back; the same reference (1..64) for all tries of one return."""
        self.credit.write(
            "returnCredit",
            distributorPersonCredit=self._person_credit_key(distributor_person_credit_id),
            amount=1,
            returnCreditReferenceId=reference,
        )

    # --- school credits ---

    def create_school_credit(self, record: SchoolCreditRecord) -> None:
        """Register a school credit; refused with 2786 when the key exists."""
        self.credit.write(
            "createSchoolCredit", schoolCredit=mapping.request_of(record, mapping.SCHOOL_CREDIT)
        )

    def update_school_credit(self, record: SchoolCreditRecord) -> None:
        """Replace a school credit's data."""
        self.credit.write(
            "updateSchoolCredit", schoolCredit=mapping.request_of(record, mapping.SCHOOL_CREDIT)
        )

    def get_school_credit(
        self, *, distributor_school_credit_id: str
    ) -> SchoolCreditInformation | None:
        """A school credit by our key; None when Edu-iX does not know it."""
        answer = self.credit.read(
            "getSchoolCredit",
            distributorSchoolCredit=self._school_credit_key(distributor_school_credit_id),
        )
        return _one(answer, "schoolCreditInformation", mapping.school_credit_information)

    def get_school_credits(
        self,
        *,
        organisation_id: str = "",
        portal: Portal | None = None,
        ean: str = "",
        school_year: int | None = None,
    ) -> list[SchoolCreditInformation]:
        """The credits of a school or of a portal's schools; both filters are optional."""
        choice = _choice(
            organisationID=organisation_id,
            portal=mapping.portal_request(portal) if portal else None,
        )
        answer = self.credit.read("getSchoolCredit", **choice, **_filters(ean, school_year))
        return _all(answer, "schoolCreditInformation", mapping.school_credit_information)

    def return_school_credit(
        self, *, distributor_school_credit_id: str, amount: int, reference: str
    ) -> None:
        """Give `amount` licences back; the same reference (1..64) for all tries."""
        self.credit.write(
            "returnCredit",
            distributorSchoolCredit=self._school_credit_key(distributor_school_credit_id),
            amount=amount,
            returnCreditReferenceId=reference,
        )

    # --- keys ---

    def _person_key(self, key: str) -> dict[str, object]:
        return {"distributorID": self._distributor_id, "distributorPersonID": key}

    def _school_person_key(self, key: str) -> dict[str, object]:
        return {"distributorID": self._distributor_id, "distributorSchoolPersonID": key}

    def _person_credit_key(self, key: str) -> dict[str, object]:
        return {"distributorID": self._distributor_id, "distributorPersonCreditID": key}

    def _school_credit_key(self, key: str) -> dict[str, object]:
        return {"distributorID": self._distributor_id, "distributorSchoolCreditID": key}

    def _person(self, record: PersonRecord) -> dict[str, object]:
        return mapping.person_request(record, distributor_id=self._distributor_id)


def _all(answer: Any, element: str, read: Callable[[Any], T]) -> list[T]:
    """The items of a get; raises `EduixUncertain` when they cannot be read."""
    try:
        return [read(item) for item in mapping.items(answer, element)]
    except (AttributeError, TypeError, ValueError) as problem:
        raise EduixUncertain(f"The {element} cannot be read.") from problem


def _one(answer: Any, element: str, read: Callable[[Any], T]) -> T | None:
    """The only item of a get by key."""
    found = _all(answer, element, read)
    return found[0] if found else None


def _choice(**options: object) -> dict[str, object]:
    """The one option that was given; a get without or with two of them is our own mistake."""
    given = {name: value for name, value in options.items() if value not in ("", None)}
    if len(given) != 1:
        raise ValueError(f"choose exactly one of {', '.join(options)}")
    return given


def _filters(ean: str, school_year: int | None) -> dict[str, object]:
    given = {"ean": ean or None, "schoolYear": school_year}
    return {name: value for name, value in given.items() if value is not None}


_lock = threading.Lock()
_gateway: Gateway | None = None
_store_of: StoreOf | None = None


def share_sessions(store_of: StoreOf) -> None:
    """Let the gateway of this process keep its sessions here; called once at the start."""
    global _store_of
    _store_of = store_of


def default_gateway() -> Gateway:
    """The gateway of this process, made at its first use; raises `EduixMisfit`."""
    global _gateway
    with _lock:
        if _gateway is None:
            _gateway = Gateway(settings, store_of=_store_of)
        return _gateway
