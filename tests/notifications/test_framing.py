"""Lengths, chunks and encodings, without a server between."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

import pytest

from notifications.faults import Refused
from notifications.framing import MAX_BYTES, decoded, media_type, read_body
from tests.notifications.bodies import GOOD


class Trickle(BytesIO):
    """A stream that gives as little as it likes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        return super().read(random.randint(1, max(1, min(size, 1460))))  # noqa: S311


def environ(body: bytes, **more: Any) -> dict[str, Any]:
    return {"CONTENT_TYPE": "text/xml", "wsgi.input": Trickle(body), **more}


def chunked(body: bytes) -> dict[str, Any]:
    return environ(body, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True})


def status_of(environ: dict[str, Any]) -> int:
    with pytest.raises(Refused) as refusal:
        read_body(environ)
    return refusal.value.answer.status


@pytest.mark.parametrize("size", [1, 7, 1459, 1460, 1461, 100_000, MAX_BYTES])
def test_a_body_is_read_whole_with_a_length_and_in_chunks(size: int) -> None:
    body = b"x" * size

    assert read_body(environ(body, CONTENT_LENGTH=str(size))).raw == body
    assert read_body(chunked(body)).raw == body


def test_nothing_is_read_beyond_the_length() -> None:
    stream = environ(b"<a/>next request", CONTENT_LENGTH="4")

    assert read_body(stream).raw == b"<a/>"
    assert stream["wsgi.input"].getvalue()[4:] == b"next request"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (environ(b"<a/>"), 411),
        (environ(b"<a/>", CONTENT_LENGTH=""), 411),
        (environ(b"<a/>", HTTP_TRANSFER_ENCODING="chunked"), 411),
        (chunked(b"<a/>") | {"CONTENT_LENGTH": "4"}, 400),
        (chunked(b"<a/>") | {"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, 400),
        (environ(b"<a/>", CONTENT_LENGTH="5"), 400),
        (environ(b"<a/>", CONTENT_LENGTH="٤"), 400),
        (environ(b"", CONTENT_LENGTH=str(MAX_BYTES + 1)), 413),
        (chunked(b"x" * (MAX_BYTES + 1)), 413),
        (environ(b"<a/>", CONTENT_LENGTH="4") | {"CONTENT_TYPE": "text/html"}, 415),
        (environ(b"", CONTENT_LENGTH=str(MAX_BYTES + 1)) | {"CONTENT_TYPE": "text/html"}, 415),
        (environ(b"<a/>", CONTENT_LENGTH="4", HTTP_CONTENT_ENCODING="br"), 415),
    ],
)
def test_a_wrong_frame_has_its_own_answer(wrong: dict[str, Any], status: int) -> None:
    assert status_of(wrong) == status


class Broken(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_a_sender_that_hangs_up_delivers_nothing() -> None:
    assert status_of(environ(b"", CONTENT_LENGTH="4") | {"wsgi.input": Broken()}) == 400


TEXT = GOOD.decode().replace("C-1001", "C-é")


@pytest.mark.parametrize(
    ("charset", "declared", "encode"),
    [
        ("", "UTF-8", "utf-8"),
        ("utf-8", "UTF-8", "utf-8"),
        ("utf-8", "ISO-8859-1", "utf-8"),
        ("", "UTF-8", "utf-8-sig"),
        ("iso-8859-1", "UTF-8", "utf-8-sig"),
        ("", "UTF-16", "utf-16"),
        ("", "UTF-16", "utf-16-le"),
        ("", "UTF-16", "utf-16-be"),
        ("utf-16", "UTF-16", "utf-16"),
        ("utf-16", "UTF-16", "utf-16-be"),
        ("utf-16le", "UTF-16", "utf-16-le"),
        ("", "ISO-8859-1", "iso-8859-1"),
        ("iso-8859-1", "UTF-8", "iso-8859-1"),
        ("windows-1252", "UTF-8", "cp1252"),
        ("", "UTF-16", "utf-8"),
    ],
)
def test_the_mark_then_the_header_then_the_declaration_tell_the_encoding(
    charset: str, declared: str, encode: str
) -> None:
    text = TEXT.replace('encoding="UTF-8"', f'encoding="{declared}"')
    raw = text.encode(encode)

    body = decoded(raw, charset)

    assert body.utf8.decode() == text
    assert body.with_text(body.utf8) == raw


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        (b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-</a>', ""),
        (b'<?xml version="1.0" encoding="cp037"?><a/>', ""),
        ("<a>é</a>".encode("latin-1"), "utf-8"),
        ("<a>é</a>".encode("latin-1"), ""),
        ("<a>é</a>".encode(), "us-ascii"),
        ("<a/>".encode("utf-16-le"), "utf-8"),
        ("<a/>".encode("utf-32"), ""),
        (b"<a>\0</a>", ""),
        (b"\xff\xfe<", ""),
        (b"<a>\xed\xa0\x80</a>", "utf-8"),
    ],
)
def test_bytes_that_are_no_text_in_their_encoding_are_refused(raw: bytes, charset: str) -> None:
    with pytest.raises(Refused) as refusal:
        decoded(raw, charset)

    assert refusal.value.answer.status == 400


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/xml", ("text/xml", "")),
        ("Text/XML; Charset=UTF-8", ("text/xml", "utf-8")),
        ('text/xml; charset="utf-8"; action="urn:x"', ("text/xml", "utf-8")),
        ("text/xml;charset='utf-8'", ("text/xml", "utf-8")),
        ("application/xml ; charset=iso-8859-1", ("application/xml", "iso-8859-1")),
        ("", ("", "")),
        ("nonsense", ("text/plain", "")),
    ],
)
def test_a_content_type_is_read_as_senders_write_it(header: str, expected: tuple[str, str]) -> None:
    assert media_type(header) == expected
