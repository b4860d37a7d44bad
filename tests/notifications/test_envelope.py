"""The gate."""

from __future__ import annotations

import pytest

from notifications.envelope import NAMESPACES, open_envelope, parse
from notifications.faults import Refused
from tests.notifications.bodies import GOOD, IN_ENVELOPE, NOT_XML


def refusal_of(body: bytes) -> Refused:
    with pytest.raises(Refused) as refusal:
        open_envelope(parse(body))
    return refusal.value


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_each_namespace_of_the_service_is_accepted(namespace: str) -> None:
    body = GOOD.replace(b"urn:edu-ix:notification:types:4.0", namespace.encode())

    opened = open_envelope(parse(body))

    assert (opened.operation, opened.namespace) == ("specificationChanged", namespace)


def test_there_are_the_namespaces_of_four_versions() -> None:
    assert set(NAMESPACES) == {
        f"urn:edu-ix:notification:{kind}{version}"
        for kind in ("types:", "")
        for version in ("4.0", "4.1", "4.2", "4.3")
    }


# Encodings are judged before the text is parsed, see test_framing.py.
TEXTS = [body for body in NOT_XML if b"\xff" not in body and b"UTF-7" not in body]


@pytest.mark.parametrize("body", TEXTS)
def test_what_cannot_be_parsed_is_no_xml(body: bytes) -> None:
    assert refusal_of(body).answer.status == 400


@pytest.mark.parametrize(
    ("body", "faultcode", "code"),
    [row[1:] for row in IN_ENVELOPE if row[3] in (6, 10)],
    ids=[row[0] for row in IN_ENVELOPE if row[3] in (6, 10)],
)
def test_what_soap_forbids_is_a_fault(body: bytes, faultcode: str, code: int) -> None:
    refusal = refusal_of(body)

    assert (refusal.answer.status, refusal.code) == (500, code)
    assert f"<faultcode>soap:{faultcode}</faultcode>".encode() in refusal.answer.body


@pytest.mark.parametrize(
    "harmless",
    [
        GOOD.replace(b"Active", b"<![CDATA[<!DOCTYPE x><?y z?>]]>"),
        GOOD.replace(b"<soap:Body>", b"<!-- <!DOCTYPE x> <?y z?> --><soap:Body>"),
        GOOD.replace(b"?>", b"?><!-- before -->", 1) + b"<!-- after -->",
        GOOD[GOOD.index(b"<soap:Envelope") :],
        b"\n" + GOOD[GOOD.index(b"<soap:Envelope") :],
        GOOD.replace(b"\n", b"\r\n"),
    ],
)
def test_words_that_only_look_forbidden_are_not(harmless: bytes) -> None:
    assert open_envelope(parse(harmless)).operation == "specificationChanged"


def test_a_second_byte_order_mark_does_not_hide_a_dtd() -> None:
    body = b"\xef\xbb\xbf" + GOOD.replace(b"?>", b"?><!DOCTYPE soap:Envelope>", 1)

    assert refusal_of(body).answer.status in (400, 500)


BOMB = b'<!DOCTYPE l [<!ENTITY a0 "ha">%s]><l>&a20;</l>' % b"".join(
    b'<!ENTITY a%d "&a%d;&a%d;&a%d;">' % (n, n - 1, n - 1, n - 1) for n in range(1, 21)
)
HOSTILE = {
    "billion laughs": BOMB,
    "quadratic": b'<!DOCTYPE q [<!ENTITY a "%s">]><q>%s</q>' % (b"x" * 100_000, b"&a;" * 2000),
    "deep": b"<a>" * 80_000,
    "attributes": b"<a " + b" ".join(b'x%d=""' % n for n in range(20_000)) + b"/>",
    "elements": b"<a>" + b"<b/>" * 60_000 + b"</a>",
    "comments": b"<a>" + b"<!---->" * 35_000 + b"</a>",
    "instructions": b"<a>" + b"<?b?>" * 50_000 + b"</a>",
    "prolog": b"<?x?>" * 50_000 + b"<!DOCTYP",
    "dtd far away": b"<!-- x -->" * 25_000 + b"<!DOCTYPE a><a/>",
    "long name": b"<" + b"a" * 250_000 + b"/>",
    "long value": b'<a b="' + b"x" * 250_000 + b'"/>',
    "namespaces": b"<a " + b" ".join(b'xmlns:x%d="urn:%d"' % (n, n) for n in range(8000)) + b"/>",
}


@pytest.mark.timeout(30)  # what costs its author nothing must not cost us minutes
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused(name: str) -> None:
    refusal = refusal_of(HOSTILE[name])

    assert refusal.answer.status in (400, 500)
