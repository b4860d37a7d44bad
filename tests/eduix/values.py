"""Values that the rules have nothing against, one set for every object of the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

TODAY = date(2026, 9, 1)

PERSON: Mapping[str, object] = {
    "distributor_person_id": "P-1001",
    "first_name": "Noor",
    "preposition": "van den",
    "surname": "Berg",
    "date_of_birth": date(2012, 3, 4),
    "gender": "F",
    "person_state": "A",
    "email": "noor@example.nl",
    "postal_code": "2601 DC",
    "house_number": 12,
    "country_code": "NL",
    "eck_id": "e" * 128,
}
SCHOOLPERSON: Mapping[str, object] = {
    "distributor_school_person_id": "SP-1001",
    "organisation_id": "97889c33",
    "distributor_person_id": "P-1001",
    "school_student_number": "4711",
    "role": "Student",
}
PERSON_CREDIT: Mapping[str, object] = {
    "distributor_person_credit_id": "PC-1",
    "distributor_school_person_id": "SP-1001",
    "ean": "9789001234560",
    "credit_start_date": date(2026, 8, 1),
    "credit_end_date": date(2027, 7, 31),
    "person_product_state": "Active",
    "school_year": 2627,
}
SCHOOL_CREDIT: Mapping[str, object] = {
    "distributor_school_credit_id": "SC-1",
    "organisation_id": "97889c33",
    "ean": "9789001234560",
    "credit_start_date": "2026-08-01",
    "credit_end_date": "",
    "contact_name": "Jan de Boer",
    "contact_email": "j.deboer@example.nl",
    "school_year": "2627",
    "amount": "30",
}
SCHOOL: Mapping[str, object] = {
    "organisation_id": "97889c33",
    "name": "Het Lyceum",
    "address": "Dorpsstraat",
    "house_number": 1,
    "house_number_suffix": "a",
    "postal_code": "2601 DC",
    "city": "Delft",
    "country_code": "NL",
    "brin": "35ZZ",
}
GOOD: dict[str, Mapping[str, object]] = {
    "person": PERSON,
    "schoolperson": SCHOOLPERSON,
    "personCredit": PERSON_CREDIT,
    "schoolCredit": SCHOOL_CREDIT,
    "school": SCHOOL,
    "portal": {"hub_id": "Kennisnet", "portal_id": "p-1"},
    "distributorPerson": {"distributor_id": 42, "distributor_person_id": "P-1001"},
    "distributorSchoolPerson": {
        "distributor_id": 42,
        "distributor_school_person_id": "SP-1001",
    },
    "distributorPersonCredit": {"distributor_id": 42, "distributor_person_credit_id": "PC-1"},
    "distributorSchoolCredit": {"distributor_id": 42, "distributor_school_credit_id": "SC-1"},
    "updatePersonIDRequest": {
        "from_distributor_person_id": "P-1",
        "to_distributor_person_id": "P-2",
    },
    "mergePersonRequest": {"from_distributor_person_id": "P-1", "to_distributor_person_id": "P-2"},
    "returnCreditRequest": {"amount": 1, "return_credit_reference_id": "R-1"},
    "getPersonCreditRequest": {"ean": "9789001234560", "school_year": 2627},
    "getSchoolCreditRequest": {},
    "getPersonRequestChoice": {"eck_id": "e" * 128},
    "getSchoolRequestChoice": {"organisation_id": "97889c33"},
    "getPersonCreditRequestChoice": {"eck_id": "e" * 128},
    "getSchoolCreditRequestChoice": {"organisation_id": "97889c33"},
    "schoolCreditInformation": {"returned": 3},
    "specification": {
        "specification_state": "Specified",
        "specification_state_date": "2026-08-02",
    },
    "loginHeader": {"username": "office", "password": "secret"},
    "sessionIDHeader": {"session_id": "s-1"},
    "Fault": {"code": -2606, "message": "Already exists"},
}
