"""Codes and messages in pasted text; hostile and huge input answers in bounded time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.explanations.recognise import MOST, Reference, parse_reference, references_in

FAULT = """<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>
  <faultcode>soap:Client</faultcode><faultstring>The surname is too long</faultstring>
  <detail><p:Fault xmlns:p="urn:edu-ix:profile:types:4.1">
    <p:code> -5022 </p:code><p:message>Max 50</p:message></p:Fault></detail>
</soap:Fault></soap:Body></soap:Envelope>"""

PHP_FAULT = "<SOAP-ENV:Fault><faultcode>ns1:2606</faultcode><detail/></SOAP-ENV:Fault>"

ARCHIVED = (
    "Deelnemer (8812) kon niet ingeschreven worden in aNewSpring. Feedback: updateUser: - "
    "Response: 'User is archived', StatusCode: 'Conflict': ReasonPhrase: ''"
)

BALANCE = (
    "Deelnemer (8812) kon niet ingeschreven worden in aNewSpring. Feedback: subscribe "
    "Response insufficient balance.In aNewSpring"
)

SPECIFICATION = (
    "<specificationChangedRequest><distributorCreditID>C1</distributorCreditID>"
    "<specification><amount>1</amount><errorCode>117</errorCode></specification>"
    "</specificationChangedRequest> EAN 9789001234567"
)

PASTED = [
    ("5022", ("eduix", 5022)),
    (" -5022 ", ("eduix", -5022)),
    ("code 5022", ("eduix", 5022)),
    ("Foutcode: -5022", ("eduix", -5022)),
    ("error code = 12", ("eduix", 12)),
    ("fout nr. 2626!", ("eduix", 2626)),
    ('{"code": -4962, "message": ""}', ("eduix", -4962)),
    (FAULT, ("eduix", -5022)),
    (FAULT.replace("<", "&lt;").replace(">", "&gt;"), ("eduix", -5022)),
    (PHP_FAULT, ("eduix", 2606)),
    ("ns1:2606", ("eduix", 2606)),
    ("<faultstring>[2626] Person already exists</faultstring>", ("eduix", 2626)),
    ("<faultstring>2626 Person already exists</faultstring>", ("eduix", 2626)),
    ("<code><![CDATA[-5022]]></code>", ("eduix", -5022)),
    ("<Fault><faultcode>soap:Server</faultcode><faultstring>x</faultstring></Fault>", ("eduix", 1)),
    ("person -> surname | Value is too long. (Max 50)", ("eduix", 5022)),
    ("personCredit -> ean: Missing", ("eduix", 5100)),
    ("getPersonRequest -> (choice element) Not found", ("eduix", 3767)),
    ("Session expired", ("eduix", 12)),
    ("You are not authorized to edit this record", ("eduix", 9)),
    ("we kregen 4962 terug voor deze leerling", ("eduix", 4962)),
    ("4426", ("eduix", 4426)),
    ("403", ("coachview", 403)),
    ("403 Forbidden", ("coachview", 403)),
    ("HttpStatusCode.NotFound", ("coachview", 404)),
    ("HTTP/1.1 503 Service Unavailable", ("coachview", 503)),
    ("status code 500", ("coachview", 500)),
    (ARCHIVED, ("anewspring", "user_archived")),
    ("Response: 'User  is not\na student'", ("anewspring", "user_not_a_student")),
    (BALANCE, ("anewspring", "insufficient_balance")),
    ("krijgt bij het inloggen de vraag om een toegangscode", ("anewspring", "access_code_prompt")),
    ("own:waiting", ("own", "waiting")),
    ("publisher:117", ("publisher", 117)),
    ("HTTPSConnectionPool: Read timed out.", ("own", "uncertain")),
    ("[Errno 111] Connection refused", ("own", "unreachable")),
]  # fmt: skip

NOTHING = [
    "",
    "   ",
    "niets bijzonders",
    "De leerling woont op 5022 AB in Tilburg",
    "om 12:30 uur op 21-11-2026",
    "EAN 9789001234567",
    "schooljaar 2627, 3 leerlingen",
    "+31 6 1234 5678",
    "<code>geen getal</code>",
]

HOSTILE = [
    "<code" * 40_000,
    "<code>" * 40_000,
    "<code>5022</code>" * 20_000,
    "code " * 60_000,
    "fout code nummer " * 20_000,
    "a -> " * 60_000,
    "person -> surname " * 20_000,
    "&lt;" * 60_000,
    "&#x26;#x26;" * 30_000,
    "[1234" * 60_000,
    "(" * 300_000,
    "> " * 150_000,
    "ns1:" * 60_000,
    "<![CDATA[" * 30_000,
    "<!DOCTYPE a [<!ENTITY b '&c;&c;'>]><code>&b;</code>" * 5_000,
    "\x00" * 300_000,
    " " * 2_000_000,
    "9" * 300_000,
    "x" * 5_000_000,
    "\ud800" * 100_000,
]


@pytest.mark.parametrize(("text", "expected"), PASTED)
def test_what_colleagues_paste_is_recognised(text: str, expected: tuple[str, int | str]) -> None:
    found = references_in(text)

    assert [(reference.source, reference.code) for reference in found][:1] == [expected]


@pytest.mark.parametrize("text", NOTHING)
def test_text_without_a_code_or_message_yields_nothing(text: str) -> None:
    assert references_in(text) == []


def test_an_error_code_in_a_notification_is_the_publishers_with_its_book() -> None:
    assert references_in(SPECIFICATION) == [Reference("publisher", 117, "9789001234567")]


def test_several_codes_are_all_found_once_and_in_order() -> None:
    found = references_in("code 5022, code 4962 en nog eens code 5022")

    assert [reference.code for reference in found] == [5022, 4962]


def test_a_list_of_codes_is_read_as_such() -> None:
    found = references_in("5022, 403 own:waiting")

    assert [str(reference.code) for reference in found] == ["5022", "403", "waiting"]


def test_one_text_yields_a_bounded_number_of_codes() -> None:
    text = " ".join(f"code {number}" for number in range(5000, 6000))

    assert len(references_in(text)) == MOST


def test_both_ends_of_a_long_text_are_looked_at() -> None:
    padding = "lorem ipsum " * 30_000

    assert references_in(f"code 5022 {padding}")[0].code == 5022
    assert references_in(f"{padding} code 5022")[0].code == 5022


@pytest.mark.timeout(60)  # a pattern that backtracks without bounds takes hours
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_is_answered(text: str) -> None:
    found = references_in(text)

    assert len(found) <= MOST


@given(st.text(max_size=400))
def test_any_text_is_safe(text: str) -> None:
    for reference in references_in(text):
        assert reference.code is not None


@given(st.integers(min_value=-(10**10), max_value=10**10))
def test_any_number_alone_is_a_reference(number: int) -> None:
    found = parse_reference(str(number))

    assert found is not None
    assert found.code == number


def test_a_reference_with_a_source_is_never_taken_for_another() -> None:
    assert parse_reference("eduix:403") == Reference("eduix", 403)
    assert parse_reference("coachview:5022") == Reference("coachview", 5022)
    assert parse_reference("own:5022") == Reference("own", "5022")
