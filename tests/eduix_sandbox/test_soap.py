"""From bytes to an answer: dispatch, faults, and a ledger of every call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zeep
from lxml import etree

from backoffice.eduix.contract import OPERATIONS, types_namespace, wsdl_namespace
from backoffice.eduix_sandbox import soap
from backoffice.eduix_sandbox.schema import Schema

from .callers import SOAP, Caller, code_of, envelope, post, send, transport, xml
from .samples import (
    own_person_credit,
    own_school_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)


def own_schoolperson(key: str) -> dict[str, Any]:
    return {"distributorID": 1001, "distributorSchoolPersonID": key}


def own_person(key: str) -> dict[str, Any]:
    return {"distributorID": 1001, "distributorPersonID": key}


def test_every_operation_of_both_services_is_answered() -> None:
    assert set(soap.OPERATIONS["profile"]) == set(OPERATIONS["profile"])
    assert set(soap.OPERATIONS["credit"]) == set(OPERATIONS["credit"])


def test_all_twenty_operations_work_for_a_client_that_knows_only_the_wsdl(caller: Caller) -> None:
    login = {"loginHeader": caller.login_header()}
    answered: dict[str, Any] = {}
    clients = {
        "profile": zeep.Client(f"{caller.sandbox.profile_url}/wsdl", transport=transport()),
        "credit": zeep.Client(f"{caller.sandbox.credit_url}?wsdl", transport=transport()),
    }

    def run(service: str, operation: str, **request: Any) -> None:
        if operation == "login":
            headers: dict[str, Any] = login
        else:
            session = {"sessionIDHeader": {"sessionID": answered[f"{service}.login"]}}
            headers = {"authHeader": session} if operation.startswith("get") else session
        call = getattr(clients[service].service, operation)
        answered[f"{service}.{operation}"] = call(**request, _soapheaders=headers)

    run("profile", "login")
    run("profile", "getSchool")
    run("profile", "createPerson", person=person("P1"))
    run("profile", "createPerson", person=person("P2"))
    run("profile", "getPerson", distributorPerson=own_person("P1"))
    run("profile", "updatePerson", person=person("P1", surname="Bakker"))
    run("profile", "createSchoolperson", schoolperson=schoolperson("SP1", "P1"))
    run("profile", "createSchoolperson", schoolperson=schoolperson("SP2", "P2"))
    run("profile", "getSchoolperson", distributorPerson=own_person("P1"))
    run("profile", "updateSchoolperson", schoolperson=schoolperson("SP1", "P1", role="Teacher"))
    run(
        "profile",
        "updatePersonID",
        fromDistributorPersonID="P1",
        toDistributorPersonID="P3",
    )
    run("profile", "mergePerson", fromDistributorPersonID="P2", toDistributorPersonID="P3")
    run("credit", "login")
    run("credit", "createPersonCredit", personCredit=person_credit())
    run("credit", "getPersonCredit", distributorPersonCredit=own_person_credit())
    run("credit", "updatePersonCredit", personCredit=person_credit(creditEndDate=None))
    run("credit", "createSchoolCredit", schoolCredit=school_credit())
    run("credit", "getSchoolCredit", distributorSchoolCredit=own_school_credit())
    run("credit", "updateSchoolCredit", schoolCredit=school_credit(amount=31))
    run(
        "credit",
        "returnCredit",
        distributorPersonCredit=own_person_credit(),
        amount=1,
        returnCreditReferenceId="R1",
    )
    run("profile", "deleteSchoolperson", distributorSchoolPerson=own_schoolperson("SP2"))
    run("profile", "deletePerson", distributorPerson=own_person("P3"))

    expected = {f"{service}.{name}" for service in clients for name in OPERATIONS[service]}
    assert set(answered) == expected
    assert caller.sandbox.control.state()["persons"] == 0
    assert {row.code for row in caller.sandbox.control.ledger()} == {None}


def test_answers_fit_the_schema_they_are_served_with(caller: Caller) -> None:
    caller.call("createPerson", person=person(eckID="e" * 128))
    caller.call("createSchoolperson", schoolperson=schoolperson())
    caller.call("createPersonCredit", personCredit=person_credit())
    caller.call("createSchoolCredit", schoolCredit=school_credit())
    assert caller.sandbox.control.wait_until_quiet()
    caller.sandbox.control.link("P1")
    requests = {
        "getSchool": {},
        "getPerson": {"distributorPerson": own_person("P1")},
        "getSchoolperson": {"distributorPerson": own_person("P1")},
        "getPersonCredit": {"distributorPersonCredit": own_person_credit()},
        "getSchoolCredit": {"distributorSchoolCredit": own_school_credit()},
    }

    for operation, content in requests.items():
        answer = send(caller, operation, content)
        body = etree.fromstring(answer.data).find(f"{{{SOAP}}}Body")
        assert body is not None
        service = "credit" if "Credit" in operation else "profile"
        Schema(service).check(body[0])
        assert len(body[0]) > 0


@pytest.mark.parametrize("namespace", ["types", "wsdl", "none"])
def test_an_operation_is_known_by_its_local_name(caller: Caller, namespace: str) -> None:
    uri = {
        "types": types_namespace("profile"),
        "wsdl": wsdl_namespace("profile"),
        "none": "",
    }[namespace]
    session = caller.log_in("profile")
    body = (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><authHeader xmlns="{uri}"><sessionIDHeader>'
        f"<sessionID>{session}</sessionID></sessionIDHeader></authHeader></s:Header>"
        f'<s:Body><getPersonRequest xmlns="{uri}"><userID>u</userID></getPersonRequest>'
        "</s:Body></s:Envelope>"
    )

    answer = post(caller.sandbox, "profile", body.encode())

    assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [
        "<t:forgetPersonRequest/>",
        "<t:createPerson/>",
        '<getPersonRequest xmlns="urn:other"/>',
        "<t:createPersonCreditRequest/>",
    ],
)
def test_an_operation_that_does_not_exist_is_not_implemented(caller: Caller, body: str) -> None:
    answer = post(caller.sandbox, "profile", envelope("profile", body))

    assert (answer.status, code_of(answer)) == (500, 10)


def test_what_is_not_xml_gets_400_without_an_envelope(caller: Caller) -> None:
    answer = post(caller.sandbox, "profile", b"hello")

    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_document_type_is_a_fault(caller: Caller) -> None:
    answer = post(caller.sandbox, "profile", b"<!DOCTYPE x><x/>")

    assert (answer.status, code_of(answer)) == (500, 6)


def test_other_character_sets_are_understood(caller: Caller) -> None:
    def log_in(raw: bytes, content_type: str) -> int:
        return int(post(caller.sandbox, "profile", raw, Content_Type=content_type).status)

    text = envelope(
        "profile", xml("loginRequest", {}), xml("loginHeader", caller.login_header())
    ).decode()
    assert log_in(text.encode("utf-16"), "text/xml; charset=utf-16") == 200
    assert log_in(b"\xef\xbb\xbf" + text.encode(), "text/xml") == 200
    assert log_in(text.encode("latin-1"), "application/xml; charset=ISO-8859-1") == 200
    assert log_in(text.encode(), "text/xml; charset=utf-7") == 415


def test_the_ledger_holds_every_call_with_its_outcome(caller: Caller) -> None:
    caller.call("createPerson", person=person("P1"))
    caller.refused("createPerson", person=person("P1"))
    caller.call("getPerson", userID="nobody")
    post(caller.sandbox, "profile", envelope("profile", "<t:nonsense/>"))

    login, created, refused, read, nonsense = caller.sandbox.control.ledger()
    assert (login.operation, login.applied, login.session) == ("login", False, "")
    assert (created.subject, created.applied, created.code) == ("person:P1", True, None)
    assert (refused.subject, refused.applied, abs(refused.code or 0)) == ("person:P1", False, 2626)
    assert (read.operation, read.subject, read.applied) == ("getPerson", "user:nobody", False)
    assert (nonsense.operation, abs(nonsense.code or 0)) == ("", 10)
    assert created.session == refused.session != ""
    assert caller.sessions["profile"] not in str(caller.sandbox.control.ledger())


def test_the_intent_is_the_request_without_headers_and_prefixes(caller: Caller) -> None:
    def of(text: str) -> str:
        return soap.intent_of(etree.fromstring(text))

    assert of('<a xmlns="u"> <b>1</b> </a>') == of('<x:a xmlns:x="u"><x:b>1</x:b></x:a>')
    assert of("<a><b>1</b></a>") != of("<a><b>2</b></a>") != of("<a><c>2</c></a>")
    caller.call("createPerson", person=person("P1"))
    caller.log_in("profile")
    caller.refused("createPerson", person=person("P1"))
    caller.refused("createPerson", person=person("P1", surname="Bakker"))
    rows = caller.sandbox.control.ledger(operation="createPerson")
    assert rows[0].intent == rows[1].intent != rows[2].intent


def test_of_sixteen_threads_with_one_person_one_is_applied(caller: Caller) -> None:
    caller.log_in("profile")
    callers = [Caller(caller.sandbox) for _ in range(16)]
    for one in callers:
        one.sessions = caller.sessions
        one.proxy("profile")

    def create(one: Caller, key: str) -> int:
        answer = send(one, "createPerson", {"person": person(key)})
        return code_of(answer) if answer.status != 200 else 0

    for round_number in range(10):
        key = f"P{round_number}"
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(create, callers, [key] * 16))

        assert sorted(codes) == [0] + [2626] * 15
    rows = caller.sandbox.control.ledger(operation="createPerson")
    assert len(rows) == 160
    assert sum(row.applied for row in rows) == caller.sandbox.control.state()["persons"] == 10


def test_a_bug_is_answered_as_a_general_error_and_logged(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a bug with secrets in it")

    caller.log_in("profile")
    monkeypatch.setattr(caller.sandbox.control._world.schools, "all", fail)

    answer = send(caller, "getSchool", {})

    assert (answer.status, code_of(answer)) == (500, 1)
    assert b"secrets" not in answer.data
    assert "sandbox_bug" in caplog.text
