"""The only door to Edu-iX: records in, records out, four errors (errors.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from django.conf import settings

from backoffice.eduix import mapping
from backoffice.eduix.client import SoapClient
from backoffice.eduix.errors import (
    LOGIN_REFUSED,
    NOT_THERE,
    SESSION_GONE,
    EduixRefused,
    EduixUncertain,
)
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonCreditRecord,
    PersonInformation,
    PersonRecord,
    SchoolCreditInformation,
    SchoolCreditRecord,
    SchoolPersonRecord,
    SchoolRecord,
)
from backoffice.eduix.session import SessionKeeper

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


class Service:
    """One of the two services with its own login and session."""

    def __init__(
        self, name: str, *, address: str, wsdl: str, user: str, password: str, minutes: float
    ) -> None:
        self._client = SoapClient(name, address=address, wsdl=wsdl)
        self._user = user
        self._password = password
        self._session = SessionKeeper(self.login, minutes=minutes)

    def login(self) -> str:
        """A new sessionID; raises `EduixRefused` with `on_login` when we are not let in."""
        answer = self._client.call(
            "login",
            headers={"loginHeader": {"username": self._user, "password": self._password}},
        )
        session = str(getattr(answer, "sessionID", answer) or "").strip()
        if not session:
            raise EduixUncertain("The login was answered without a session.")
        return session

    def write(self, operation: str, **arguments: Any) -> None:
        """An operation that changes something, with a session."""
        self._with_session(
            operation, lambda session: {"sessionIDHeader": {"sessionID": session}}, arguments
        )

    def read(self, operation: str, **arguments: Any) -> Any:
        """A get; None where nothing was found."""
        try:
            return self._with_session(
                operation,
                lambda session: {"authHeader": {"sessionIDHeader": {"sessionID": session}}},
                arguments,
            )
        except EduixRefused as refused:
            if refused.number in NOT_THERE:
                return None
            raise

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _with_session(
        self,
        operation: str,
        headers: Callable[[str], dict[str, Any]],
        arguments: dict[str, Any],
    ) -> Any:
        """Call once; when the session is gone, log in once more and call once more."""
        session = self._session.current()
        try:
            return self._client.call(operation, headers=headers(session), **arguments)
        except EduixRefused as refused:
            # 2 on a call that carried a session speaks of the session, not of our password
            if refused.number not in SESSION_GONE and refused.number not in LOGIN_REFUSED:
                raise
            self._session.drop(session)
        return self._client.call(operation, headers=headers(self._session.current()), **arguments)


class Gateway:
    """The operations that this product uses, in terms of records."""

    def __init__(self, config: Config) -> None:
        self._distributor_id = config.EDUIX_DISTRIBUTOR_ID
        login: dict[str, Any] = {
            "user": config.EDUIX_USERNAME,
            "password": config.EDUIX_PASSWORD,
            "minutes": config.EDUIX_SESSION_MINUTES,
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
            "getPerson",
            distributorPerson={
                "distributorID": self._distributor_id,
                "distributorPersonID": distributor_person_id,
            },
        )
        return _one(answer, "personInformation", mapping.person_information)

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
            distributorSchoolPerson={
                "distributorID": self._distributor_id,
                "distributorSchoolPersonID": distributor_school_person_id,
            },
        )
        return _one(answer, "schoolPersonInformation", mapping.school_person_record)

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
            distributorPersonCredit={
                "distributorID": self._distributor_id,
                "distributorPersonCreditID": distributor_person_credit_id,
            },
        )
        return _one(answer, "personCreditInformation", mapping.person_credit_information)

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
            distributorSchoolCredit={
                "distributorID": self._distributor_id,
                "distributorSchoolCreditID": distributor_school_credit_id,
            },
        )
        return _one(answer, "schoolCreditInformation", mapping.school_credit_information)

    def _person(self, record: PersonRecord) -> dict[str, object]:
        return mapping.person_request(record, distributor_id=self._distributor_id)


def _one(answer: Any, element: str, read: Callable[[Any], T]) -> T | None:
    """The only item of a get by key; raises `EduixUncertain` when it cannot be read."""
    try:
        found = [read(item) for item in mapping.items(answer, element)]
    except (AttributeError, TypeError, ValueError) as problem:
        raise EduixUncertain(f"The {element} cannot be read.") from problem
    return found[0] if found else None


_lock = threading.Lock()
_gateway: Gateway | None = None


def default_gateway() -> Gateway:
    """The gateway of this process, made at its first use."""
    global _gateway
    with _lock:
        if _gateway is None:
            _gateway = Gateway(settings)
        return _gateway
