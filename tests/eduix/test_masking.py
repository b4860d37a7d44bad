"""What is kept of a call holds no secret and no pupil, whatever the partner makes of it."""

from __future__ import annotations

import html
import json
import logging
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from backoffice.eduix.client import SoapClient, recording
from backoffice.eduix.errors import EduixError
from backoffice.eduix.exchange import Exchange
from backoffice.eduix.masking import KEPT_CHARACTERS, Concealer, masked, masked_bytes
from tests.eduix.test_exchange import envelope, partner, response, sends

CANARIES = {
    "username": "canary-user",
    "password": "canary-password",
    "sessionID": "canary-session",
    "firstName": "Žanarië",
    "preposition": "van-canary",
    "surname": "Canary O'Brien",
    "contactName": "Canary Contact",
    "dateOfBirth": "2012-03-04",
    "email": "canary@example.org",
    "contactEmail": "contact.canary@example.org",
    "postalCode": "9876 ZX",
    "houseNumber": "98765",
    "address": "Canarystraat",
    "userID": "canary-portal-user",
    "gender": "canary-gender",
    "schoolStudentNumber": "canary-4711",
    "nickname": "canary-unknown-element",
}
ECK_ID = "e" * 122 + "abc123"
PREFIXES = ["", "a:", "types-4.1:"]
ELEMENTS = st.sampled_from(sorted(CANARIES))
WRAPS = st.sampled_from(["plain", "cdata", "attribute", "comment", "tail", "pi", "nested"])


def leaks(text: str) -> list[str]:
    return [value for value in CANARIES.values() if value in html.unescape(text)]


def written(name: str, wrap: str, prefix: str) -> str:
    value = html.escape(CANARIES[name])
    tag = f"{prefix}{name}"
    return {
        "plain": f"<{tag}>{value}</{tag}>",
        "cdata": f"<{tag}><![CDATA[{CANARIES[name]}]]></{tag}>",
        "attribute": f'<{tag} value="{value}"/>',
        "comment": f"<!-- {CANARIES[name]} -->",
        "tail": f"<{tag}/>{value}",
        "pi": f"<?eduix {CANARIES[name]}?>",
        "nested": f"<{tag}>{value}<b>{value}</b></{tag}>",
    }[wrap]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ELEMENTS, WRAPS, st.sampled_from(PREFIXES)), max_size=8), st.booleans())
def test_no_canary_survives_in_an_envelope(parts: list[tuple[str, str, str]], cut: bool) -> None:
    inside = "".join(written(*part) for part in parts)
    raw = envelope(
        f'<x xmlns:a="urn:a" xmlns:types-4.1="urn:b"><ean>9789001234562</ean>{inside}</x>'
    )
    if cut:
        raw = raw[: len(raw) - 40]

    text = masked_bytes(raw, "text/xml", Concealer())

    assert leaks(text) == []
    assert cut or "9789001234562" in text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_kept(raw: bytes) -> None:
    text = masked_bytes(raw, "text/html", Concealer("canary"))

    assert text.encode().decode() == text  # no half of a surrogate pair
    assert "\0" not in text


@pytest.mark.parametrize(
    "write",
    [
        str,
        html.escape,
        quote,
        lambda value: quote(value, safe="").replace("%20", "+"),
        lambda value: "".join(c if c.isascii() else f"&#{ord(c)};" for c in html.escape(value)),
        lambda value: value.encode().decode("latin-1"),
        str.upper,
        lambda value: json.dumps(value)[1:-1],
    ],
    ids=["plain", "html", "url", "form", "references", "misread", "upper", "json"],
)
def test_a_page_that_quotes_our_request_tells_nothing(write: Any) -> None:
    words = [write(value) for value in CANARIES.values()]
    page = f"<html><title>Error near {words[0]} {words[5]}</title><h1>{words[3]}</h1>{words}"
    hide = Concealer(*CANARIES.values())

    text = masked_bytes(page.encode(), "text/html", hide)

    assert [word for word in (words[0], words[5], words[3]) if word in text] == []
    assert leaks(text) == []
    assert "not an envelope" in text


def test_of_an_eck_id_the_last_six_signs_stay_and_keys_and_codes_are_seen() -> None:
    root = etree.fromstring(
        f"<a><eckID>{ECK_ID}</eckID><ean>9789001234562</ean><distributorPersonID>K1"
        f"</distributorPersonID><code>-5022</code></a>"
    )

    text = masked(root)

    assert "<eckID>***abc123</eckID>" in text
    assert all(word in text for word in ("9789001234562", "K1", "-5022"))


def test_the_address_of_a_school_is_seen_and_that_of_a_person_is_not() -> None:
    inside = "<name>Het Baken</name><postalCode>3011 AB</postalCode><city>Rotterdam</city>"

    school = masked(etree.fromstring(f"<a><school>{inside}</school></a>"))
    person = masked(etree.fromstring(f"<a><person>{inside}</person></a>"))

    assert all(word in school for word in ("Het Baken", "3011 AB", "Rotterdam"))
    assert not any(word in person for word in ("Het Baken", "3011 AB", "Rotterdam"))


def test_a_large_answer_is_described() -> None:
    text = masked_bytes(envelope("<a>" + "<b>x</b>" * 60_000 + "</a>"), "text/xml", Concealer())

    assert len(text) < 200 < KEPT_CHARACTERS


PERSON = {
    "distributorPerson": {"distributorID": 1, "distributorPersonID": "K1"},
    "firstName": CANARIES["firstName"],
    "surname": CANARIES["surname"],
    "email": CANARIES["email"],
    "postalCode": CANARIES["postalCode"],
    "eckID": ECK_ID,
    "personState": "A",
    "countryCode": "NL",
}


def call(answer: bytes) -> tuple[Exchange, EduixError | None]:
    with partner(sends(answer)) as address, recording() as exchanges:
        client = SoapClient("profile", address=address, total_seconds=3)
        header = {"sessionIDHeader": {"sessionID": CANARIES["sessionID"]}}
        try:
            client.call("createPerson", headers=header, person=PERSON)
        except EduixError as problem:
            return exchanges[0], problem
        finally:
            client.close()
    return exchanges[0], None


FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>{0}</faultstring><detail><Fault>"
    "<code>-5022</code><message>{0}</message></Fault></detail></s:Fault>"
)


def test_a_fault_that_quotes_a_value_keeps_its_code_and_loses_the_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    quoted = f"surname {CANARIES['surname']} too long for {CANARIES['firstName'].upper()}"

    with caplog.at_level(logging.DEBUG):
        exchange, problem = call(
            response(envelope(FAULT.format(html.escape(quoted))), status="500 Error")
        )

    assert problem is not None
    assert problem.text == "surname *** too long for ***"
    assert str(problem) == problem.text
    kept = exchange.as_json()
    assert (kept["code"], kept["sign"], kept["status"]) == (-5022, "-", 500)
    assert isinstance(kept["milliseconds"], int)
    assert leaks(json.dumps(kept, ensure_ascii=False) + caplog.text) == []
    assert "too long" in str(kept["response"])


@pytest.mark.parametrize(
    "body",
    [
        "<html><h1>Bad request</h1><pre>{}</pre></html>",
        "<html><title>{}</title>",
        "{}",
        "<!DOCTYPE a [<!ENTITY b '{}'>]><a/>",
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><x>{}',
    ],
)
def test_an_answer_that_echoes_our_request_is_not_kept(body: str) -> None:
    echoed = " ".join(str(value) for value in PERSON.values()) + CANARIES["sessionID"]

    exchange, problem = call(response(body.format(echoed).encode(), status="400 Bad Request"))

    assert problem is not None
    text = json.dumps(exchange.as_json(), ensure_ascii=False) + problem.text
    assert leaks(text) == []
    assert ECK_ID not in text


def test_a_good_call_is_kept_without_its_person() -> None:
    exchange, problem = call(
        response(envelope("<createPersonResponse xmlns='urn:edu-ix:profile:types:4.1'/>"))
    )

    assert problem is None
    kept = exchange.as_json()
    assert leaks(json.dumps(kept, ensure_ascii=False)) == []
    assert ("K1" in exchange.request, kept["code"], kept["sign"]) == (True, None, "")
    assert exchange.request.count("***") >= 6


def test_a_fault_without_a_number_has_no_code() -> None:
    fault = "<s:Fault><faultcode>s:Server</faultcode><faultstring>oops</faultstring></s:Fault>"

    exchange, _problem = call(response(envelope(fault), status="500 Error"))

    assert (exchange.code, exchange.as_json()["sign"]) == (None, "")
