"""Between records and the partner's element names: one table per object, both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from backoffice.eduix.errors import EduixUncertain
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonCreditRecord,
    PersonInformation,
    PersonRecord,
    Portal,
    Record,
    SchoolCreditInformation,
    SchoolCreditRecord,
    SchoolPersonRecord,
    SchoolRecord,
    SpecificationRecord,
)

R = TypeVar("R", bound=Record)

# column of the record -> element of the service
PERSON: Final = {
    "profile_id": "profileID",
    "first_name": "firstName",
    "preposition": "preposition",
    "date_of_birth": "dateOfBirth",
    "person_state": "personState",
    "email": "email",
    "postal_code": "postalCode",
    "surname": "surname",
    "house_number": "houseNumber",
    "gender": "gender",
    "country_code": "countryCode",
    "user_id": "userID",
    "eck_id": "eckID",
}
SCHOOL: Final = {
    "organisation_id": "organisationID",
    "name": "name",
    "address": "address",
    "house_number": "houseNumber",
    "house_number_suffix": "houseNumberSuffix",
    "postal_code": "postalCode",
    "city": "city",
    "country_code": "countryCode",
    "brin": "brin",
}
SCHOOL_PERSON: Final = {
    "distributor_school_person_id": "distributorSchoolPersonID",
    "organisation_id": "organisationID",
    "distributor_person_id": "distributorPersonID",
    "school_student_number": "schoolStudentNumber",
    "role": "role",
}
PERSON_CREDIT: Final = {
    "distributor_person_credit_id": "distributorPersonCreditID",
    "distributor_school_person_id": "distributorSchoolPersonID",
    "ean": "ean",
    "credit_start_date": "creditStartDate",
    "credit_end_date": "creditEndDate",
    "person_product_state": "personProductState",
    "school_year": "schoolYear",
}
SCHOOL_CREDIT: Final = {
    "distributor_school_credit_id": "distributorSchoolCreditID",
    "organisation_id": "organisationID",
    "ean": "ean",
    "credit_start_date": "creditStartDate",
    "credit_end_date": "creditEndDate",
    "contact_name": "contactName",
    "contact_email": "contactEmail",
    "school_year": "schoolYear",
    "amount": "amount",
}

_DATES: Final = {"date_of_birth", "credit_start_date", "credit_end_date"}
_NUMBERS: Final = {"profile_id", "house_number", "school_year", "amount"}


def request_of(record: Record, names: Mapping[str, str]) -> dict[str, object]:
    """The elements of a request; empty ones are left out, as the service has them optional."""
    pushed = record.pushed()
    return {
        element: pushed[column]
        for column, element in names.items()
        if column in pushed and pushed[column] not in ("", None)
    }


def person_request(record: PersonRecord, *, distributor_id: int) -> dict[str, object]:
    """`person` with the distributor's own key."""
    elements = request_of(record, PERSON)
    elements["distributorPerson"] = {
        "distributorID": distributor_id,
        "distributorPersonID": record.distributor_person_id,
    }
    return elements


def portal_request(portal: Portal) -> dict[str, object]:
    """`portal`."""
    return {"hubID": portal.hub_id, "portalID": portal.portal_id}


def record_of(kind: type[R], answer: Any, names: Mapping[str, str], **more: object) -> R:
    """A record from zeep's object, read by local element name."""
    values: dict[str, Any] = dict(more)
    for column, element in names.items():
        values[column] = _value(column, getattr(answer, element, None))
    return kind(**values)


def _value(column: str, raw: Any) -> object:
    if column in _DATES:
        return _date(raw)
    if column in _NUMBERS:
        return int(raw) if raw not in (None, "") else None
    return "" if raw is None else str(raw).strip()


def _date(raw: Any) -> date | None:
    """A calendar date as written, whatever zone stands behind it."""
    if raw is None or isinstance(raw, date):
        return raw
    return date.fromisoformat(str(raw).strip()[:10]) if str(raw).strip() else None


def items(answer: Any, element: str) -> Iterable[Any]:
    """The list inside a get's response: absent, one or many.

    zeep unwraps a response with a single element, so the answer may be the list itself.
    """
    if answer is None:
        return []
    found = getattr(answer, element, answer) if not isinstance(answer, list) else answer
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def person_information(answer: Any) -> PersonInformation:
    """`personInformation`: the person and its schools."""
    person = answer.person
    key = getattr(person, "distributorPerson", None)
    return PersonInformation(
        person=record_of(
            PersonRecord,
            person,
            PERSON,
            distributor_person_id=str(key.distributorPersonID).strip() if key is not None else "",
        ),
        school_persons=tuple(
            record_of(SchoolPersonRecord, item, SCHOOL_PERSON)
            for item in (getattr(answer, "schoolperson", None) or [])
        ),
    )


def school_person_record(answer: Any) -> SchoolPersonRecord:
    """`schoolPersonInformation`."""
    return record_of(SchoolPersonRecord, answer.schoolperson, SCHOOL_PERSON)


def school_record(answer: Any) -> SchoolRecord:
    """`schoolInformation`."""
    return record_of(SchoolRecord, answer.school, SCHOOL)


def person_credit_information(answer: Any) -> PersonCreditInformation:
    """`personCreditInformation`."""
    return PersonCreditInformation(
        credit=record_of(PersonCreditRecord, answer.personCredit, PERSON_CREDIT),
        specification=_specification(answer),
    )


def school_credit_information(answer: Any) -> SchoolCreditInformation:
    """`schoolCreditInformation`."""
    return SchoolCreditInformation(
        credit=record_of(SchoolCreditRecord, answer.schoolCredit, SCHOOL_CREDIT),
        returned=int(getattr(answer, "returned", None) or 0),
        specification=_specification(answer),
    )


def _specification(answer: Any) -> SpecificationRecord | None:
    found = getattr(answer, "specification", None)
    if found is None:
        return None
    day = _date(found.specificationStateDate)
    if day is None:
        raise EduixUncertain("A specification without its date.")
    return SpecificationRecord(str(found.specificationState).strip(), day)
