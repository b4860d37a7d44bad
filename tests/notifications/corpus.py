"""Hundreds of bodies that trouble parsers, each with its name and the charset of its header."""

from __future__ import annotations

from collections.abc import Iterator

from notifications.framing import MAX_BYTES
from tests.notifications.bodies import ACCEPTED, GOOD, IN_ENVELOPE, INVALID, NOT_XML
from tests.notifications.sending import envelope

Case = tuple[str, bytes, str]

ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1")
ENTRY = GOOD[GOOD.index(b"<n:specification>") : GOOD.index(b"</n:specification>") + 18]
ROOM = MAX_BYTES - len(GOOD) - 1000


def corpus(calling: list[bytes]) -> list[Case]:
    """All of them; `calling` are the bodies that would have us call somewhere."""
    return [
        *_as_they_are(calling),
        *_encoded(),
        *((name, body, "") for name, body in _heavy()),
        *((name, body, "") for name, body in _strange()),
    ]


def _as_they_are(calling: list[bytes]) -> Iterator[Case]:
    yield from ((name, envelope(name), "") for name in ACCEPTED)
    yield from ((name, body, "") for name, body, *_rest in (*IN_ENVELOPE, *INVALID))
    for kind, bodies in (("not xml", NOT_XML), ("calls", calling)):
        yield from ((f"{kind} {place}", body, "") for place, body in enumerate(bodies))


def _encoded() -> Iterator[Case]:
    """The declaration still says UTF-8: sometimes the header is right, sometimes nobody is."""
    for name in ACCEPTED:
        text = envelope(name).decode()
        for codec in ENCODINGS:
            body = text.encode(codec, "xmlcharrefreplace")
            yield f"{name} in {codec}", body, ""
            yield f"{name} in {codec}, told", body, codec.removesuffix("-sig").replace("16-", "16")


def _heavy() -> Iterator[tuple[str, bytes]]:
    """As much of one thing as a body has room for."""
    things = {
        "entries": (ENTRY, b"<n:state>"),
        "elements": (b"<n:x/>", b"<n:state>"),
        "names": (b"<n:x%06d/>", b"<n:state>"),
        "namespaces": (b'<x%06d:x xmlns:x%06d="urn:x"/>', b"<n:state>"),
        "references": (b"&amp;", b"Active"),
        "numbers of signs": (b"&#x41;", b"Active"),
        "comments": (b"<!---->", b"Active"),
        "sections": (b"<![CDATA[x]]>", b"Active"),
        "blanks": (b" ", b"Active"),
        "letters": (b"x", b"C-1001"),
        "zeros": (b"0", b"1</n:amount>"),
        "less than": (b"<", b"Active"),
        "ends": (b"</n:x>", b"Active"),
        "headers": (b'<x:x xmlns:x="urn:x"/>', b"<n:loginHeader>"),
        "bodies": (b"<soap:Body/>", b"<soap:Body>"),
        "bytes of two": ("é".encode(), b"Active"),
        "bytes of four": ("\U0001f600".encode(), b"Active"),
    }
    for name, (thing, before) in things.items():
        yield f"many {name}", GOOD.replace(before, _many(thing, ROOM) + before, 1)
    attributes = _many(b' a%06d=""', ROOM)
    yield "many attributes", GOOD.replace(b"<n:state>", b"<n:state%b>" % attributes)
    declared = _many(b' xmlns:a%06d="urn:a"', ROOM)
    yield "many declarations", GOOD.replace(b"<soap:Body>", b"<soap:Body%b>" % declared)
    for depth in (10, 100, 250, 256, 257, 1000, 20_000):
        nested = b"<n:a>" * depth + b"</n:a>" * depth
        yield f"{depth} deep", GOOD.replace(b"Active", nested)
    for length in (100, 10_000, 60_000, 200_000):
        yield f"a name of {length}", GOOD.replace(b"n:state", b"n:" + b"s" * length)
        yield f"a value of {length}", GOOD.replace(b"Active", b"A" * length)
        yield f"a namespace of {length}", GOOD.replace(b'xmlns:n="', b'xmlns:n="' + b"u" * length)
        yield f"{length} blanks before", b" " * length + GOOD
        yield f"{length} blanks behind", GOOD + b"\n" * length


def _many(thing: bytes, room: int) -> bytes:
    size = len(thing.replace(b"%06d", b"000000"))
    holes = thing.count(b"%06d")
    return b"".join(thing % ((at,) * holes) if holes else thing for at in range(room // size))


def _strange() -> Iterator[tuple[str, bytes]]:
    """Declarations, entities and signs of all sorts."""
    bomb = b"".join(
        b'<!ENTITY l%d "%b">' % (at, b"&l%d;" % (at - 1) * 10 if at else b"lol") for at in range(10)
    )
    types = {
        "laughs": b"<!DOCTYPE x [%b]>" % bomb,
        "quadratic": b'<!DOCTYPE x [<!ENTITY a "%b">]>' % (b"a" * 50_000),
        "parameters": b"<!DOCTYPE x [<!ENTITY % p \"<!ENTITY a 'x'>\"> %p;]>",
        "notation": b'<!DOCTYPE x [<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "a" NDATA n>]>',
        "defaults": b'<!DOCTYPE x [<!ATTLIST x a CDATA "1">]>',
        "unfinished": b"<!DOCTYPE x [",
        "public": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "xhtml.dtd">',
    }
    for name, declared in types.items():
        yield name, GOOD.replace(b"?>", b"?>" + declared, 1)
        used = GOOD.replace(b"C-1001", b"&l9;&a;" * 50)
        yield f"{name}, used", used.replace(b"?>", b"?>" + declared, 1)
    for version in (b"1.1", b"2.0", b"", b"1.0\0"):
        yield f"version {version!r}", GOOD.replace(b'version="1.0"', b'version="%b"' % version)
    for codec in (b"UTF-7", b"EBCDIC-CP-NL", b"UCS-4", b"x" * 300, b"", b"utf-16", b"idna", b"hex"):
        yield f"encoding {codec[:12]!r}", GOOD.replace(b"UTF-8", codec)
    for sign in "\ufeff\u202e\u2028\ufffe\x0b\x85\x7f\ud7ff\ue000":
        yield f"sign {ord(sign):x}", GOOD.replace(b"C-1001", sign.encode() * 3)
    for text in ("&#0;", "&#xD800;", "&#x110000;", "&#-1;", "&#x;", "&;", "&a", "&a;", "&amp"):
        yield f"reference {text}", GOOD.replace(b"C-1001", text.encode())
    for text in ("1e9", "0x1", "\u0661", "1_000", "+-1", "1.0", "NaN", "9" * 5000, "-0", "+1"):
        yield f"amount {text[:8]}", GOOD.replace(b"<n:amount>1", b"<n:amount>" + text.encode())
