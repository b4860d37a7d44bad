"""Every violation of a field gets its documented code, whatever the client is."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller, code_of, send
from .samples import (
    SCHOOLS,
    distributor_person,
    own_person_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)

LACKING = object()
"""The element is left out."""

PERSON = [
    ("profileID", "0", 5001),
    ("profileID", "-3", 5001),
    ("profileID", "x", 5005),
    ("profileID", "12345678901", 5005),
    ("profileID", "", 5005),
    ("firstName", LACKING, 4860),
    ("firstName", "", 4860),
    ("firstName", "  ", 4860),
    ("firstName", "x" * 51, 4862),
    ("firstName", {"deep": "x"}, 4865),
    ("preposition", "x" * 16, 4982),
    ("preposition", {"deep": "x"}, 4985),
    ("dateOfBirth", "31-12-2010", 4803),
    ("dateOfBirth", "2012-02-31", 4803),
    ("dateOfBirth", "", 4803),
    ("dateOfBirth", "3012-01-01", 4803),
    ("personState", LACKING, 4920),
    ("personState", "C", 4924),
    ("personState", "a", 4924),
    ("email", "x" * 255, 4842),
    ("email", {"deep": "x"}, 4845),
    ("postalCode", LACKING, 4960),
    ("postalCode", "x" * 11, 4962),
    ("postalCode", {"deep": "x"}, 4965),
    ("surname", LACKING, 5020),
    ("surname", "x" * 51, 5022),
    ("surname", {"deep": "x"}, 5025),
    ("houseNumber", "0", 4901),
    ("houseNumber", "-1", 4901),
    ("houseNumber", "12a", 4905),
    ("houseNumber", "1" * 12, 4905),
    ("houseNumber", "1.5", 4905),
    ("gender", "Q", 4884),
    ("gender", "", 4884),
    ("countryCode", LACKING, 4780),
    ("countryCode", "XX", 4784),
    ("countryCode", "nl", 4784),
    ("userID", "x" * 101, 7842),
    ("userID", {"deep": "x"}, 7845),
    ("eckID", "e" * 127, 7701),
    ("eckID", "", 7701),
    ("eckID", "e" * 129, 7702),
    ("eckID", {"deep": "x"}, 7705),
]
DISTRIBUTOR_PERSON = [
    ("distributorID", LACKING, 3020),
    ("distributorID", "x", 3025),
    ("distributorID", "12345678901", 3025),
    ("distributorPersonID", LACKING, 3040),
    ("distributorPersonID", "", 3040),
    ("distributorPersonID", "x" * 257, 3042),
    ("distributorPersonID", {"deep": "x"}, 3045),
]
SCHOOLPERSON = [
    ("distributorSchoolPersonID", LACKING, 6740),
    ("distributorSchoolPersonID", "x" * 257, 6742),
    ("distributorSchoolPersonID", {"deep": "x"}, 6745),
    ("organisationID", LACKING, 6720),
    ("organisationID", "", 6720),
    ("organisationID", "x" * 41, 6722),
    ("organisationID", {"deep": "x"}, 6725),
    ("distributorPersonID", LACKING, 6700),
    ("distributorPersonID", "x" * 257, 6702),
    ("distributorPersonID", {"deep": "x"}, 6705),
    ("schoolStudentNumber", "x" * 65, 6782),
    ("schoolStudentNumber", {"deep": "x"}, 6785),
    ("role", LACKING, 6760),
    ("role", "Leerling", 6764),
]
PERSON_CREDIT = [
    ("distributorPersonCreditID", LACKING, 5060),
    ("distributorPersonCreditID", "x" * 161, 5062),
    ("distributorPersonCreditID", {"deep": "x"}, 5065),
    ("distributorSchoolPersonID", LACKING, 5080),
    ("distributorSchoolPersonID", "x" * 257, 5082),
    ("distributorSchoolPersonID", {"deep": "x"}, 5085),
    ("ean", LACKING, 5100),
    ("ean", "9" * 31, 5102),
    ("ean", {"deep": "x"}, 5105),
    ("creditStartDate", LACKING, 5160),
    ("creditStartDate", "", 5160),
    ("creditStartDate", "2026-09-31", 5163),
    ("creditEndDate", "20270731", 5043),
    ("personProductState", LACKING, 5120),
    ("personProductState", "active", 5124),
    ("schoolYear", LACKING, 5140),
    ("schoolYear", "26/27", 5145),
    ("schoolYear", "20262", 5145),
]
SCHOOL_CREDIT = [
    ("distributorSchoolCreditID", LACKING, 6460),
    ("distributorSchoolCreditID", "x" * 161, 6462),
    ("distributorSchoolCreditID", {"deep": "x"}, 6465),
    ("organisationID", LACKING, 6480),
    ("organisationID", "x" * 41, 6482),
    ("organisationID", {"deep": "x"}, 6485),
    ("ean", LACKING, 6500),
    ("ean", "9" * 31, 6502),
    ("ean", {"deep": "x"}, 6505),
    ("creditStartDate", LACKING, 6540),
    ("creditStartDate", "1 augustus", 6543),
    ("creditEndDate", "2027-13-01", 6443),
    ("contactName", LACKING, 6420),
    ("contactName", "x" * 51, 6422),
    ("contactName", {"deep": "x"}, 6425),
    ("contactEmail", LACKING, 6400),
    ("contactEmail", "x" * 255, 6402),
    ("contactEmail", {"deep": "x"}, 6405),
    ("schoolYear", LACKING, 6520),
    ("schoolYear", "x", 6525),
    ("amount", LACKING, 6380),
    ("amount", "0", 6381),
    ("amount", "x", 6385),
    ("amount", "12345678901", 6385),
]

PERSON_ORDER = [
    "profileID",
    "distributorPerson",
    "firstName",
    "preposition",
    "dateOfBirth",
    "personState",
    "email",
    "postalCode",
    "surname",
    "houseNumber",
    "gender",
    "countryCode",
    "userID",
    "eckID",
]
SCHOOLPERSON_ORDER = [
    "distributorSchoolPersonID",
    "organisationID",
    "distributorPersonID",
    "schoolStudentNumber",
    "role",
]
PERSON_CREDIT_ORDER = [
    "distributorPersonCreditID",
    "distributorSchoolPersonID",
    "ean",
    "creditStartDate",
    "creditEndDate",
    "personProductState",
    "schoolYear",
]
SCHOOL_CREDIT_ORDER = [
    "distributorSchoolCreditID",
    "organisationID",
    "ean",
    "creditStartDate",
    "creditEndDate",
    "contactName",
    "contactEmail",
    "schoolYear",
    "amount",
]


def changed(values: dict[str, Any], order: list[str], field: str, value: object) -> dict[str, Any]:
    """The values with one of them changed or left out, in the order of the documentation."""
    merged = {**values, field: value}
    return {name: merged[name] for name in order if name in merged and merged[name] is not LACKING}


@pytest.fixture(scope="module")
def module_caller() -> Any:
    """One sandbox for all these refusals: none of them changes it."""
    with SandboxServer(schools=SCHOOLS) as server:
        yield Caller(server)


def codes(caller: Caller, operation: str, name: str, content: dict[str, Any]) -> int:
    before = len(caller.sandbox.control.ledger(applied=True))
    code = code_of(send(caller, operation, {name: content}))
    assert len(caller.sandbox.control.ledger(applied=True)) == before
    return code


@pytest.mark.parametrize("operation", ["createPerson", "updatePerson"])
@pytest.mark.parametrize(("field", "value", "code"), PERSON)
def test_a_wrong_person_gets_the_code_of_its_field(
    module_caller: Caller, operation: str, field: str, value: object, code: int
) -> None:
    content = changed(person(), PERSON_ORDER, field, value)

    assert codes(module_caller, operation, "person", content) == code


@pytest.mark.parametrize(("field", "value", "code"), DISTRIBUTOR_PERSON)
def test_a_wrong_distributor_person_gets_the_code_of_its_field(
    module_caller: Caller, field: str, value: object, code: int
) -> None:
    order = ["distributorID", "distributorPersonID"]
    inside = changed(distributor_person("P1"), order, field, value)
    content = changed(person(), PERSON_ORDER, "distributorPerson", inside)

    assert codes(module_caller, "createPerson", "person", content) == code
    assert codes(module_caller, "deletePerson", "distributorPerson", inside) == code


@pytest.mark.parametrize("operation", ["createSchoolperson", "updateSchoolperson"])
@pytest.mark.parametrize(("field", "value", "code"), SCHOOLPERSON)
def test_a_wrong_schoolperson_gets_the_code_of_its_field(
    module_caller: Caller, operation: str, field: str, value: object, code: int
) -> None:
    content = changed(schoolperson(), SCHOOLPERSON_ORDER, field, value)

    assert codes(module_caller, operation, "schoolperson", content) == code


@pytest.mark.parametrize("operation", ["createPersonCredit", "updatePersonCredit"])
@pytest.mark.parametrize(("field", "value", "code"), PERSON_CREDIT)
def test_a_wrong_person_credit_gets_the_code_of_its_field(
    module_caller: Caller, operation: str, field: str, value: object, code: int
) -> None:
    content = changed(person_credit(), PERSON_CREDIT_ORDER, field, value)

    assert codes(module_caller, operation, "personCredit", content) == code


@pytest.mark.parametrize("operation", ["createSchoolCredit", "updateSchoolCredit"])
@pytest.mark.parametrize(("field", "value", "code"), SCHOOL_CREDIT)
def test_a_wrong_school_credit_gets_the_code_of_its_field(
    module_caller: Caller, operation: str, field: str, value: object, code: int
) -> None:
    content = changed(school_credit(), SCHOOL_CREDIT_ORDER, field, value)

    assert codes(module_caller, operation, "schoolCredit", content) == code


@pytest.mark.parametrize(
    ("operation", "content", "code"),
    [
        ("createPerson", {}, 2620),
        ("updatePerson", {}, 7360),
        ("deletePerson", {}, 2900),
        ("createSchoolperson", {}, 2800),
        ("updateSchoolperson", {}, 7440),
        ("deleteSchoolperson", {}, 3000),
        ("getPerson", {}, 3760),
        ("getSchoolperson", {}, 4240),
        ("updatePersonID", {}, 7320),
        ("updatePersonID", {"fromDistributorPersonID": "P1"}, 7340),
        ("mergePerson", {}, 4740),
        ("mergePerson", {"fromDistributorPersonID": "P1"}, 4760),
        ("createPersonCredit", {}, 2600),
        ("updatePersonCredit", {}, 7300),
        ("createSchoolCredit", {}, 2780),
        ("updateSchoolCredit", {}, 7420),
        ("getPersonCredit", {}, 3660),
        ("getSchoolCredit", {}, 4140),
        ("returnCredit", {}, 5960),
        ("returnCredit", {"distributorPersonCredit": own_person_credit()}, 5940),
    ],
)
def test_an_empty_request_gets_the_code_of_what_it_lacks(
    module_caller: Caller, operation: str, content: dict[str, Any], code: int
) -> None:
    assert code_of(send(module_caller, operation, content)) == code


@pytest.mark.parametrize(
    ("operation", "content", "code"),
    [
        ("getSchool", {"organisationID": ""}, 4320),
        ("getSchool", {"organisationID": "x" * 41}, 4322),
        ("getSchool", {"portal": {"hubID": "Kennisnet"}}, 5280),
        ("getSchool", {"portal": {"portalID": "x"}}, 5260),
        ("getSchool", {"portal": {"hubID": "Other", "portalID": "x"}}, 5264),
        ("getSchool", {"portal": {"hubID": "DAF", "portalID": "x" * 65}}, 5282),
        ("getPerson", {"profileID": ""}, 3860),
        ("getPerson", {"profileID": "0"}, 3861),
        ("getPerson", {"profileID": "x"}, 3865),
        ("getPerson", {"eckID": ""}, 7720),
        ("getPerson", {"eckID": "x"}, 7721),
        ("getPerson", {"eckID": "x" * 129}, 7722),
        ("getPerson", {"userID": ""}, 7820),
        ("getPerson", {"userID": "x" * 101}, 7822),
        ("getPersonCredit", {"eckID": "x"}, 7621),
        ("getPersonCredit", {"eckID": "x" * 128, "ean": "9" * 31}, 3642),
        ("getPersonCredit", {"eckID": "x" * 128, "schoolYear": "x"}, 3685),
        ("getSchoolCredit", {"organisationID": "x" * 41}, 4182),
        ("getSchoolCredit", {"organisationID": "x", "ean": "9" * 31}, 4122),
        ("getSchoolCredit", {"organisationID": "x", "schoolYear": "x"}, 4165),
    ],
)
def test_a_wrong_selector_gets_its_code(
    module_caller: Caller, operation: str, content: dict[str, Any], code: int
) -> None:
    assert code_of(send(module_caller, operation, content)) == code


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount", "0", 5941),
        ("amount", "x", 5945),
        ("returnCreditReferenceId", LACKING, 7520),
        ("returnCreditReferenceId", "x" * 65, 7522),
    ],
)
def test_a_wrong_return_gets_the_code_of_its_field(
    module_caller: Caller, field: str, value: object, code: int
) -> None:
    request = {
        "distributorPersonCredit": {"distributorID": "1001", "distributorPersonCreditID": "C1"},
        "amount": "1",
        "returnCreditReferenceId": "R1",
    }
    content = changed(request, list(request), field, value)

    assert code_of(send(module_caller, "returnCredit", content)) == code


def test_two_selectors_at_once_are_incorrect(module_caller: Caller) -> None:
    two = {"eckID": "e" * 128, "userID": "u"}

    assert code_of(send(module_caller, "getPerson", two)) == 6


def test_a_blank_optional_text_counts_as_absent(caller: Caller) -> None:
    content = changed(person(), PERSON_ORDER, "preposition", " ")

    assert send(caller, "createPerson", {"person": content}).status == 200

    (found,) = caller.call("getPerson", distributorPerson=distributor_person("P1"))
    assert found["person"]["preposition"] is None


def test_a_text_is_kept_exactly_as_it_was_sent(caller: Caller) -> None:
    content = changed(person(), PERSON_ORDER, "surname", " Hof  tot ")

    assert send(caller, "createPerson", {"person": content}).status == 200

    (found,) = caller.call("getPerson", distributorPerson=distributor_person("P1"))
    assert found["person"]["surname"] == " Hof  tot "


def test_of_a_date_with_a_zone_the_day_as_written_counts(caller: Caller) -> None:
    content = changed(person(), PERSON_ORDER, "dateOfBirth", "2014-01-08+02:00")

    assert send(caller, "createPerson", {"person": content}).status == 200

    (found,) = caller.call("getPerson", distributorPerson=distributor_person("P1"))
    assert found["person"]["dateOfBirth"].isoformat() == "2014-01-08"


def test_elements_in_another_order_are_incorrect(caller: Caller) -> None:
    in_order = changed(person(), PERSON_ORDER, "gender", "F")
    backwards = dict(reversed(in_order.items()))

    assert code_of(send(caller, "createPerson", {"person": backwards})) == 6


def test_an_element_that_does_not_exist_is_incorrect(caller: Caller) -> None:
    content = changed(person(), [*PERSON_ORDER, "nickname"], "nickname", "Z")

    assert code_of(send(caller, "createPerson", {"person": content})) == 6


def test_the_first_violation_in_the_order_of_the_documentation_wins(caller: Caller) -> None:
    content = changed(person(gender="Q", surname="x" * 51), PERSON_ORDER, "firstName", LACKING)

    assert code_of(send(caller, "createPerson", {"person": content})) == 4860
