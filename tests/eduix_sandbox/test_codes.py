"""Every documented code can be had: by its rule where a rule gives it, else as a trouble."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any, Final

import pytest
from lxml import etree

from backoffice.eduix_sandbox.faults import (
    MISSING,
    NOT_ALLOWED,
    TOO_LONG,
    TOO_SMALL,
    WRONG_FORMAT,
    WRONG_TYPE,
)
from backoffice.eduix_sandbox.fields import OBJECTS, REQUESTS, Choice, Field
from backoffice.eduix_sandbox.forms import Number, Text
from backoffice.eduix_sandbox.server import SandboxServer
from tests.facts import rows

from .callers import Caller, code_of, envelope, send, xml
from .samples import (
    SCHOOLS,
    distributor_person,
    own_person_credit,
    own_school_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)

DOCUMENTED: Final = {
    service: sorted(int(row["code"]) for row in rows("codes") if row["service"] == service)
    for service in ("profile", "credit")
}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """One sandbox for all: none of these calls changes it."""
    with SandboxServer(schools=SCHOOLS) as running:
        yield running


def test_the_lists_are_long() -> None:
    assert len(DOCUMENTED["profile"]) == 292
    assert len(DOCUMENTED["credit"]) == 252


@pytest.mark.parametrize("service", ["profile", "credit"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_every_documented_code_can_be_ordered_with_either_sign(
    server: SandboxServer, service: str, sign: int
) -> None:
    login = envelope(service, xml("loginRequest", {}), xml("loginHeader", {}))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    told = []
    for code in DOCUMENTED[service]:
        server.control.trouble("fault", "login", service=service, code=code, sign=sign)
        connection.request("POST", f"/soap/4.1/{service}", login, {"Content-Type": "text/xml"})
        fault = etree.fromstring(connection.getresponse().read())
        told.append(int(fault.findtext(".//{*}detail/{*}Fault/{*}code") or 0))

    assert told == [sign * code for code in DOCUMENTED[service]]
    assert [row.code for row in server.control.ledger()[-len(told) :]] == told


SCHOOLPERSON_KEY = {"distributorID": 1001, "distributorSchoolPersonID": "SP1"}
PORTAL = {"hubID": "Kennisnet", "portalID": "baken"}
OBJECT: Final[dict[str, dict[str, Any]]] = {
    "person": person(profileID=1, userID="u", eckID="e" * 128),
    "schoolperson": schoolperson(),
    "personCredit": person_credit(),
    "schoolCredit": school_credit(),
    "portal": PORTAL,
    "distributorPerson": distributor_person("P1"),
    "distributorSchoolPerson": SCHOOLPERSON_KEY,
    "distributorPersonCredit": own_person_credit(),
    "distributorSchoolCredit": own_school_credit(),
}
VALUE: Final = {
    "organisationID": SCHOOLS[0]["organisationID"],
    "profileID": 5,
    "eckID": "e" * 128,
    "userID": "u1",
    "ean": "9789001205416",
    "schoolYear": 2627,
    "amount": 1,
    "returnCreditReferenceId": "R1",
    "fromDistributorPersonID": "P1",
    "toDistributorPersonID": "P2",
}


def wrong_value(field: Field, kind: int) -> Any:
    """A value that violates the field in this way; None when no value can."""
    form = field.form
    if kind == TOO_SMALL and isinstance(form, Number) and form.least is not None:
        return form.least - 1
    if kind == TOO_SMALL and isinstance(form, Text) and form.shortest > 1:
        return "x" * (form.shortest - 1)  # of one character, too short is missing
    if kind == TOO_LONG and isinstance(form, Text):
        return "x" * (form.longest + 1)
    if kind == WRONG_TYPE and form is not None:
        return "x" if isinstance(form, Number) else {"inside": "x"}
    return "wrong" if kind in {WRONG_FORMAT, NOT_ALLOWED} else None


def violations(field: Field, value: Any) -> Iterator[tuple[int, Any]]:
    """Codes of a field with what to send in its place; None = leave it out."""
    if MISSING in field.kinds:
        yield field.base + MISSING, None
    for kind in (TOO_SMALL, TOO_LONG, WRONG_FORMAT, NOT_ALLOWED, WRONG_TYPE):
        wrong = wrong_value(field, kind) if kind in field.kinds else None
        if wrong is not None:
            yield field.base + kind, wrong
    if field.part:
        for inside in OBJECTS[field.part]:
            for code, wrong in violations(inside, OBJECT.get(inside.name, "")):
                yield code, ordered(field.part, {**value, inside.name: wrong})


def ordered(part: str, values: dict[str, Any]) -> dict[str, Any]:
    """In the documented order, without what is None."""
    names = [field.name for field in OBJECTS[part]]
    return {name: values[name] for name in names if values.get(name) is not None}


def wrong_requests() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Operation, documented code, and a request that must get it."""
    for operation, members in REQUESTS.items():
        for place, member in enumerate(members):
            fields = member.options if isinstance(member, Choice) else (member,)
            for field in fields:
                given = OBJECT.get(field.name) or VALUE[field.name]
                for code, wrong in violations(field, given):
                    if wrong is None and isinstance(member, Choice):
                        continue  # without its option a choice is another choice
                    yield operation, code, request(members, place, field, wrong)
            if isinstance(member, Choice) and member.required:
                yield operation, member.base, {}


def request(members: tuple[Any, ...], place: int, field: Field, wrong: Any) -> dict[str, Any]:
    """All members of a request, the one at `place` with its wrong value or without it."""
    content: dict[str, Any] = {}
    for number, member in enumerate(members):
        one = member.options[0] if isinstance(member, Choice) else member
        if number != place:
            content[one.name] = OBJECT.get(one.name) or VALUE[one.name]
        elif wrong is not None:
            content[field.name] = wrong
    return content


def test_every_field_of_every_request_gives_its_own_codes(server: SandboxServer) -> None:
    caller = Caller(server)
    expected, got = [], []
    for operation, code, content in wrong_requests():
        expected.append((operation, code))
        got.append((operation, code_of(send(caller, operation, content))))

    assert got == expected
    assert len({code for _, code in expected}) > 150
    documented = {*DOCUMENTED["profile"], *DOCUMENTED["credit"]}
    assert {code for _, code in expected} <= documented
