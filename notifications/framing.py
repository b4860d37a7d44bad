"""Reading the body of a delivery, however it is framed, and turning it into UTF-8.

Django sees a chunked body as empty and servers differ in what they let through, so lengths are
checked here: no length, two lengths, a length that is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message as Header
from functools import lru_cache
from typing import Any, Final, NamedTuple

from notifications.faults import Reason, Refused, refused

MAX_BYTES: Final = 256 * 1024  # a delivery is 1 to 2 kB; a school's pool of codes perhaps 100

_MEDIA_TYPES: Final = frozenset({"text/xml", "application/xml"})

# Encodings in which "<" and quotes can be trusted. UTF-7 and EBCDIC hide markup, so they are out.
_CODECS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""\A<\?xml[^>]{1,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")


class Body(NamedTuple):
    """The bytes that came in, and the same text as UTF-8 for the parser."""

    raw: bytes
    utf8: bytes
    codec: str = "utf-8"
    bom: bytes = b""

    def with_text(self, utf8: bytes) -> bytes:
        """Another text in the encoding that this body came in."""
        if self.codec == "utf-8":
            return self.bom + utf8
        return self.bom + utf8.decode().encode(self.codec)


def read_body(environ: Mapping[str, Any]) -> Body:
    """The whole body; raises `Refused` (400, 411, 413, 415)."""
    length = _announced_length(environ)
    charset = _charset(environ)
    if length is not None and length > MAX_BYTES:
        raise _too_large()
    return decoded(_read(environ["wsgi.input"], length), charset)


def decoded(raw: bytes, charset: str) -> Body:
    """The text of a body: byte order mark, then `charset` of the header, then the declaration.

    Raises `Refused` when the bytes are no text in that encoding.
    """
    bom, codec = _codec(raw, charset)
    content = raw[len(bom) :] if bom else raw
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        raise _not_xml() from None
    if "\0" in text:  # never allowed in XML, and the sign of an encoding that was guessed wrong
        raise _not_xml()
    return Body(raw, content if codec == "utf-8" else text.encode(), codec, bom)


@lru_cache(maxsize=256)
def media_type(content_type: str) -> tuple[str, str]:
    """Media type and charset of a Content-Type header, in lower case; "" where there is none."""
    header = Header()
    header["Content-Type"] = content_type
    if not content_type.strip():
        return "", ""
    charset = header.get_content_charset("")
    return header.get_content_type(), charset.strip().strip("'\"").lower()


def _announced_length(environ: Mapping[str, Any]) -> int | None:
    """The Content-Length; None for a chunked body."""
    length = str(environ.get("CONTENT_LENGTH") or "").strip()
    coding = str(environ.get("HTTP_TRANSFER_ENCODING") or "").strip().lower()
    if coding:
        if length:  # two lengths: somebody on the way may have read the other one
            raise refused(400, Reason.FRAMING, "Content-Length and Transfer-Encoding together.")
        if coding != "chunked":
            raise refused(400, Reason.FRAMING, "The only transfer encoding read here is chunked.")
        if not environ.get("wsgi.input_terminated"):
            raise refused(411, Reason.LENGTH, "Please send a Content-Length.")
        return None
    if not length:
        raise refused(411, Reason.LENGTH, "Please send a Content-Length.")
    if not (length.isascii() and length.isdigit()) or len(length) > 18:
        raise refused(400, Reason.FRAMING, "Content-Length is not a number.")
    return int(length)


def _charset(environ: Mapping[str, Any]) -> str:
    kind, charset = media_type(str(environ.get("CONTENT_TYPE") or ""))
    if kind not in _MEDIA_TYPES:
        raise refused(415, Reason.MEDIA_TYPE, "Please send text/xml (SOAP 1.1).")
    if str(environ.get("HTTP_CONTENT_ENCODING") or "identity").strip().lower() != "identity":
        raise refused(415, Reason.MEDIA_TYPE, "Please send the body without Content-Encoding.")
    if charset and charset not in _CODECS:
        raise refused(415, Reason.MEDIA_TYPE, "Please send UTF-8 or UTF-16.")
    return charset


def _read(stream: Any, length: int | None) -> bytes:
    """Exactly `length` bytes, or all of a chunked body."""
    wanted = MAX_BYTES + 1 if length is None else length
    parts: list[bytes] = []
    missing = wanted
    try:
        while missing > 0 and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
    except OSError:  # a broken chunk, or the sender hung up
        raise _cut_short() from None
    if length is None and missing <= 0:
        raise _too_large()
    if length is not None and missing > 0:
        raise _cut_short()
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _codec(raw: bytes, charset: str) -> tuple[bytes, str]:
    for bom, codec in _BOMS:
        if raw.startswith(bom):
            return bom, codec
    if charset:
        codec = _CODECS.get(charset, "")
    elif declared := _DECLARED.match(raw):
        codec = _CODECS.get(declared[1].decode("ascii").lower(), "")
        if codec.startswith("utf-16"):  # the declaration was read as bytes, so it is not true
            codec = "utf-8"
    else:
        codec = "utf-8"
    if codec == "utf-16" or (codec == "utf-8" and not charset):
        # UTF-16 without a byte order mark shows itself at the first "<".
        codec = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(raw[:2], codec)
        if codec == "utf-16":
            codec = "utf-16-be"  # RFC 2781: without a mark the big end comes first
    if not codec:
        raise _not_xml()
    return b"", codec


def _not_xml() -> Refused:
    return refused(400, Reason.NOT_XML, "The body cannot be read as XML.")


def _cut_short() -> Refused:
    return refused(400, Reason.FRAMING, "The body is shorter than announced.")


def _too_large() -> Refused:
    return refused(413, Reason.TOO_LARGE, f"At most {MAX_BYTES} bytes are accepted.")
