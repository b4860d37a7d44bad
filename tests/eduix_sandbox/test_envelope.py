"""Envelopes are read by a hardened parser and written in one namespace."""

from __future__ import annotations

import pytest
from lxml import etree

from backoffice.eduix_sandbox.checks import local
from backoffice.eduix_sandbox.envelope import (
    SOAP,
    NotXml,
    into_namespace,
    open_envelope,
    parse,
    write,
    write_fault,
)
from backoffice.eduix_sandbox.faults import Refusal


def wrapped(inside: str) -> bytes:
    return f'<e:Envelope xmlns:e="{SOAP}">{inside}</e:Envelope>'.encode()


@pytest.mark.parametrize("raw", [b"", b"hello", b"<a>", b"<a>&lt</a>", b"\xff\xfe<a/>"])
def test_what_is_not_xml_is_told_apart(raw: bytes) -> None:
    with pytest.raises(NotXml):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    ],
)
def test_a_document_type_is_refused_in_any_encoding(raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse(raw)

    assert refused.value.code == 6


def test_comments_and_processing_instructions_do_not_split_a_value() -> None:
    root = parse(b"<a>1<!-- -->2<?x y?>3</a>")

    assert root.text == "123"


def test_header_and_body_are_found() -> None:
    inside = "<e:Header><h xmlns='u'/></e:Header><e:Body><b xmlns='u'/></e:Body>"

    envelope = open_envelope(parse(wrapped(inside)))

    assert list(envelope.headers) == ["h"]
    assert local(envelope.body) == "b"


@pytest.mark.parametrize(
    "raw",
    [
        b"<a/>",
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><a/></e:Body>'
        b"</e:Envelope>",
        wrapped(""),
        wrapped("<e:Header/>"),
        wrapped("<e:Body/>"),
        wrapped("<e:Body><a/><b/></e:Body>"),
        wrapped("<e:Body><a/></e:Body><e:Body><a/></e:Body>"),
        wrapped("<e:Body><a/></e:Body><e:Header/>"),
        wrapped("<e:Header/><e:Header/><e:Body><a/></e:Body>"),
        wrapped("<e:Header><h/><h xmlns='u'/></e:Header><e:Body><a/></e:Body>"),
    ],
)
def test_any_other_shape_is_incorrect(raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        open_envelope(parse(raw))

    assert refused.value.code == 6


def test_elements_of_accepted_namespaces_move_and_others_stay() -> None:
    root = parse(b'<a xmlns="w"><b xmlns="">1</b><c xmlns="other"/></a>')

    into_namespace(root, "t", frozenset({"w", ""}))

    assert [one.tag for one in root.iter()] == ["{t}a", "{t}b", "{other}c"]


def test_what_soap_stacks_leave_behind_is_dropped() -> None:
    raw = b'<a xmlns="t" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x">1</a>'
    root = parse(raw)

    into_namespace(root, "t", frozenset())

    assert len(root.attrib) == 0


def test_what_is_written_can_be_read() -> None:
    raw = write("urn:x", ("answer", [("name", "Zoë & co"), ("empty", [])]), headers=("h", "1"))

    envelope = open_envelope(parse(raw))
    assert envelope.headers["h"].text == "1"
    assert envelope.body[0].text == "Zoë & co"
    assert envelope.body[1].tag == "{urn:x}empty"


def test_a_fault_has_its_code_below_detail_and_a_short_message() -> None:
    raw = write_fault("urn:x", code=-2626, message="x" * 5000, server_fault=False)

    fault = open_envelope(parse(raw)).body
    assert etree.QName(fault).namespace == SOAP
    assert fault.findtext("faultcode") == "soap:Client"
    assert fault.findtext("detail/{urn:x}Fault/{urn:x}code") == "-2626"
    assert len(fault.findtext("detail/{urn:x}Fault/{urn:x}message") or "") == 4096
