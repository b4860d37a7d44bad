"""Each trouble as it looks on the wire, before or after the call was applied."""

from __future__ import annotations

import gzip
import http.client
import itertools
import re
import time
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from backoffice.eduix_sandbox import troubles
from backoffice.eduix_sandbox.troubles import (
    AFTER,
    BEFORE,
    CALL_KINDS,
    CHOICE,
    NOTIFICATION_KINDS,
    TroubleError,
    trouble_from,
)

from .callers import SOAP, Caller, code_of, envelope, xml
from .samples import person

README = Path(troubles.__file__).with_name("README.md")


class Raw:
    """One POST of createPerson with everything that came back, be it little."""

    def __init__(self, caller: Caller, key: str = "P1") -> None:
        header = "".join(
            xml(name, inside) for name, inside in caller.header("createPerson").items()
        )
        body = envelope("profile", xml("createPersonRequest", {"person": person(key)}), header)
        connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=10)
        self.status, self.headers, self.data = 0, {}, b""
        self.complete = False
        try:
            connection.request("POST", "/soap/4.1/profile", body, {"Content-Type": "text/xml"})
            answer = connection.getresponse()
            self.status, self.headers = answer.status, dict(answer.getheaders())
            self.data = answer.read()
            self.complete = True
        except http.client.IncompleteRead as problem:
            self.data = problem.partial
        except (http.client.RemoteDisconnected, ConnectionError):
            self.data = b""
        finally:
            connection.close()


def rows(caller: Caller) -> list[tuple[str, bool, int | None]]:
    ledger = caller.sandbox.control.ledger(operation="createPerson")
    return [(row.trouble, row.applied, row.code) for row in ledger]


CHOICES = [name for name, kind in CALL_KINDS.items() if kind.moment == CHOICE]


@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize("after", [False, True])
def test_what_can_come_before_or_after_applying_does_as_told(
    caller: Caller, kind: str, after: bool
) -> None:
    more = {"seconds": 0} if kind == "hang" else {}
    caller.sandbox.control.trouble(kind, "createPerson", after=after, **more)

    Raw(caller)

    ((trouble, applied, _),) = rows(caller)
    assert (trouble, applied) == (kind, after)
    assert caller.sandbox.control.state()["persons"] == int(after)
    assert caller.sandbox.control.state()["troubles"] == []


@pytest.mark.parametrize("kind", CHOICES)
def test_what_is_said_of_a_kind_is_what_it_does_unless_told_otherwise(
    caller: Caller, kind: str
) -> None:
    caller.sandbox.control.trouble(
        kind, "createPerson", **({"seconds": 0} if kind == "hang" else {})
    )

    Raw(caller)

    assert rows(caller)[0][1] == CALL_KINDS[kind].after_unless_said


@pytest.mark.parametrize(
    ("kind", "applied"),
    [
        (name, kind.moment == AFTER)
        for name, kind in CALL_KINDS.items()
        if kind.moment in {BEFORE, AFTER}
    ],
)
def test_what_has_one_moment_keeps_it(caller: Caller, kind: str, applied: bool) -> None:
    caller.sandbox.control.trouble(kind, "createPerson", seconds=0)

    Raw(caller)

    assert rows(caller) == [(kind, applied, None)]


def spoiled(caller: Caller, kind: str, **order: Any) -> Raw:
    caller.sandbox.control.trouble(kind, "createPerson", **order)
    return Raw(caller)


@pytest.mark.parametrize("status", [200, 502, 404])
def test_a_page_is_html_and_no_xml(caller: Caller, status: int) -> None:
    answer = spoiled(caller, "html", status=status)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.data)


def test_an_empty_answer_is_a_success_without_a_byte(caller: Caller) -> None:
    answer = spoiled(caller, "empty")

    assert (answer.status, answer.data, answer.complete) == (200, b"", True)


def test_a_truncated_answer_is_whole_for_http_and_half_for_xml(caller: Caller) -> None:
    answer = spoiled(caller, "truncated")

    assert answer.complete
    assert answer.data.startswith(b"<?xml")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.data)


def test_an_answer_can_be_cut_in_the_middle(caller: Caller) -> None:
    answer = spoiled(caller, "cut_answer")

    assert answer.status == 200
    assert 0 < len(answer.data) < int(answer.headers["Content-Length"])
    assert not answer.complete


def test_a_bomb_is_small_on_the_wire_and_large_in_memory(caller: Caller) -> None:
    answer = spoiled(caller, "gzip_bomb")

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 100_000
    unpacked = gzip.decompress(answer.data)
    assert len(unpacked) > 64 * 1024 * 1024
    assert unpacked.startswith(b"<?xml")
    assert unpacked.endswith(b"</soap:Envelope>")


def test_a_drip_sends_one_byte_at_a_time(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.control.trouble("drip", "createPerson", seconds=0.002)
    begun = time.monotonic()

    answer = Raw(caller)

    # Every byte waits: no machine is so fast that this comes sooner.
    assert time.monotonic() - begun >= 0.002 * len(answer.data)
    assert answer.complete
    assert b"createPersonResponse" in answer.data


def test_a_dtd_brings_entities(caller: Caller) -> None:
    answer = spoiled(caller, "dtd")

    parser = etree.XMLParser(resolve_entities=False)
    root = etree.fromstring(answer.data, parser)
    assert root.getroottree().docinfo.internalDTD is not None
    assert answer.data.count(b"<!ENTITY") == 3
    assert b"&c;" in answer.data


@pytest.mark.parametrize("service", ["profile", "credit"])
def test_an_answer_of_another_operation_is_one_of_this_service(
    caller: Caller, service: str
) -> None:
    caller.sandbox.control.trouble("wrong_operation", "login", service=service)
    login = envelope(service, xml("loginRequest", {}), xml("loginHeader", caller.login_header()))
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=10)
    connection.request("POST", f"/soap/4.1/{service}", login, {"Content-Type": "text/xml"})

    root = etree.fromstring(connection.getresponse().read())

    assert etree.QName(root[0][0]).localname == (
        "createPersonResponse" if service == "profile" else "createPersonCreditResponse"
    )


def visits(caller: Caller) -> list[str]:
    """The troubles that brought somebody to where no service is."""
    rows = caller.sandbox.control.ledger()
    return [row.trouble for row in rows if row.service == "elsewhere"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_elsewhere_and_who_follows_is_written_down(
    caller: Caller, status: int
) -> None:
    answer = spoiled(caller, "redirect", status=status)

    assert (answer.status, answer.headers["Location"]) == (status, "/elsewhere")
    assert visits(caller) == []
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=10)
    connection.request("GET", "/elsewhere")
    assert connection.getresponse().status == 404
    assert visits(caller) == ["redirect"]


def test_a_redirect_can_lead_to_another_address_of_this_machine(caller: Caller) -> None:
    answer = spoiled(caller, "redirect", status=307, location="http://127.0.0.1:9/x")

    assert answer.headers["Location"] == "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("place", "faultcode", "faultstring"),
    [
        ("nowhere", "soap:Server", "as ordered"),
        ("faultcode", "t:-2606", "as ordered"),
        ("faultstring", "soap:Server", "[-2606] as ordered"),
    ],
)
def test_a_fault_can_have_its_code_elsewhere_or_nowhere(
    caller: Caller, place: str, faultcode: str, faultstring: str
) -> None:
    answer = spoiled(caller, "fault_without_detail", code=2606, sign=-1, place=place)

    fault = etree.fromstring(answer.data).find(f".//{{{SOAP}}}Fault")
    assert fault is not None
    assert answer.status == 500
    assert fault.findtext("faultcode") == faultcode
    assert fault.findtext("faultstring") == faultstring
    assert fault.find("detail") is None
    assert rows(caller) == [("fault_without_detail", False, -2606)]


def test_a_fault_after_applying_stands_in_the_ledger_with_both(caller: Caller) -> None:
    answer = spoiled(caller, "fault", code=3, sign=1, after=True)

    assert code_of(answer) == 3
    assert rows(caller) == [("fault", True, 3)]


def test_sessions_end_before_the_call_or_right_after_it(caller: Caller) -> None:
    credit_session = caller.log_in("credit")
    caller.log_in("profile")
    caller.sandbox.control.trouble("session_expired")
    assert code_of(Raw(caller)) == 12
    ((trouble, applied, code),) = rows(caller)
    assert (trouble, applied, abs(code or 0)) == ("session_expired", False, 12)

    caller.log_in("profile")
    caller.sandbox.control.trouble("session_expired", "createPerson", after=True)
    assert Raw(caller).status == 200
    assert code_of(Raw(caller)) == 12
    assert rows(caller)[1][:2] == ("session_expired", True)
    assert caller.sessions["credit"] == credit_session
    assert caller.sandbox.control.state()["sessions"] == 1


def test_an_ended_session_waits_for_a_call_that_has_one(caller: Caller) -> None:
    caller.sandbox.control.trouble("session_expired")

    caller.log_in("profile")

    assert len(caller.sandbox.control.state()["troubles"]) == 1


def test_the_connection_goes_on_after_a_body_that_is_wrong(caller: Caller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=10)
    caller.sandbox.control.trouble("html", status=502)
    login = envelope("profile", xml("loginRequest", {}), xml("loginHeader", caller.login_header()))

    statuses = []
    for _ in range(2):
        connection.request("POST", "/soap/4.1/profile", login, {"Content-Type": "text/xml"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    assert statuses == [502, 200]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"kind": "cut", "after": True}, "drop_reply"),
        ({"kind": "html", "status": 204}, "status must be one of"),
        ({"kind": "redirect", "status": 200}, "status must be one of"),
        ({"kind": "redirect", "location": "https://example.nl/"}, "loopback"),
        ({"kind": "redirect", "location": "http://127.0.0.1/\r\nX: y"}, "loopback"),
        ({"kind": "fault_without_detail", "place": "here"}, "place must be one of"),
        ({"kind": "fault", "code": 10**10}, "at most"),
        ({"kind": "fault", "after": "yes"}, "true or false"),
        ({"kind": "delay", "seconds": float("nan")}, "number"),
        ({"kind": "duplicate", "operation": "createPerson"}, "no operation createPerson"),
        ({"kind": "duplicate", "service": "profile"}, "service must be notification"),
        ({"kind": "late", "after": True}, "no after"),
        ({"kind": "html", "operation": "prematchChanged"}, "no operation prematchChanged"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(order: dict[str, Any], words: str) -> None:
    with pytest.raises(TroubleError, match=words):
        trouble_from(order)


def test_every_kind_says_what_it_does() -> None:
    for name, kind in itertools.chain(CALL_KINDS.items(), NOTIFICATION_KINDS.items()):
        assert kind.text, name
        assert trouble_from({"kind": name}).kind == name


def test_the_readme_says_of_every_kind_what_it_does() -> None:
    told = README.read_text().partition("## Troubles")[2].partition("## Choices")[0]
    table = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", told, re.MULTILINE))

    assert list(table) == [*CALL_KINDS, *NOTIFICATION_KINDS]
    for name, kind in CALL_KINDS.items():
        usual = {True: "choice, yes", False: "choice, no"}[kind.after_unless_said]
        expected = {CHOICE: usual, BEFORE: "no", AFTER: "yes"}.get(kind.moment, table[name])
        assert table[name] == expected
