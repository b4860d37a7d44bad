"""Requests that are right, to be changed by the tests."""

from __future__ import annotations

from typing import Any

DISTRIBUTOR = 1001

LINKING: dict[str, Any] = {
    "organisationID": "97889c33-0000-4000-8000-000000000001",
    "name": "Het Baken College",
    "address": "Vuurtorenlaan",
    "houseNumber": 12,
    "postalCode": "3063 BK",
    "city": "Rotterdam",
    "countryCode": "NL",
    "brin": "97BK00",
    "portal": {"hubID": "Kennisnet", "portalID": "baken"},
}
NOT_LINKING: dict[str, Any] = {
    "organisationID": "97889c33-0000-4000-8000-000000000002",
    "name": "Lyceum Zuiderlinde",
    "countryCode": "NL",
    "portal": {"hubID": "Eduroute", "portalID": "zuiderlinde"},
    "prematch": False,
}
SCHOOLS = [LINKING, NOT_LINKING]

ACCEPTING = "9789001205416"
REFUSING_117 = "9789034000002"
REFUSING_2041 = "9789028000001"
SILENT = "9789086000009"
SLOW = "9789020000003"


def distributor_person(key: str) -> dict[str, Any]:
    return {"distributorID": DISTRIBUTOR, "distributorPersonID": key}


def person(key: str = "P1", **changes: Any) -> dict[str, Any]:
    values = {
        "distributorPerson": distributor_person(key),
        "firstName": "Zoë",
        "preposition": "van 't",
        "dateOfBirth": "2014-01-08",
        "personState": "A",
        "email": "zoe@example.nl",
        "postalCode": "3071 NA",
        "surname": "Hof",
        "houseNumber": 120,
        "gender": "F",
        "countryCode": "NL",
    }
    return values | changes


def schoolperson(key: str = "SP1", of: str = "P1", **changes: Any) -> dict[str, Any]:
    values = {
        "distributorSchoolPersonID": key,
        "organisationID": LINKING["organisationID"],
        "distributorPersonID": of,
        "schoolStudentNumber": "20403",
        "role": "Student",
    }
    return values | changes


def person_credit(key: str = "C1", of: str = "SP1", **changes: Any) -> dict[str, Any]:
    values = {
        "distributorPersonCreditID": key,
        "distributorSchoolPersonID": of,
        "ean": ACCEPTING,
        "creditStartDate": "2026-08-01",
        "creditEndDate": "2027-07-31",
        "personProductState": "Active",
        "schoolYear": 2627,
    }
    return values | changes


def school_credit(key: str = "S1", **changes: Any) -> dict[str, Any]:
    values = {
        "distributorSchoolCreditID": key,
        "organisationID": LINKING["organisationID"],
        "ean": ACCEPTING,
        "creditStartDate": "2026-08-01",
        "creditEndDate": "2027-07-31",
        "contactName": "Marja Kuijpers",
        "contactEmail": "mediatheek@example.nl",
        "schoolYear": 2627,
        "amount": 30,
    }
    return values | changes


def own_person_credit(key: str = "C1") -> dict[str, Any]:
    return {"distributorID": DISTRIBUTOR, "distributorPersonCreditID": key}


def own_school_credit(key: str = "S1") -> dict[str, Any]:
    return {"distributorID": DISTRIBUTOR, "distributorSchoolCreditID": key}
