"""Mutated bodies, and reading them as the door does, short of the database.

What is wrong is noted and the next one is read: an answer that is not of the ladder, a secret in
it, a file or a connection that a body had us open.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from notifications.blanking import blanked
from notifications.envelope import NAMESPACES, NIL
from notifications.faults import SOAP, Refused
from notifications.framing import Body, decoded
from notifications.login import Logins
from notifications.reading import Delivery, Reader
from tests.notifications.bodies import ACCEPTED, GOOD, IN_ENVELOPE, INVALID, SECRET
from tests.notifications.sending import PASSWORD, USER, envelope

LOGINS = Logins([(USER, PASSWORD)])
SEEDS = [
    *map(envelope, ACCEPTED),
    *(row[1] for row in IN_ENVELOPE),
    *(row[1] for row in INVALID),
]
PIECES = [
    b"<", b">", b"&", b'"', b"'", b"/", b"\0", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x?>",
    b"<!DOCTYPE x>", b"&amp;", b"&#0;", b"&#x41;", b"&x;", b"xmlns=''", b' xsi:nil="true"',
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"soap:", b"n:", b"9" * 50, b" " * 300,
    b"<n:state>", b"</n:state>", b"<soap:Body>", b"</soap:Envelope>", "é".encode(), b"\r\n",
    b"<n:eckSpecification>", b"<n:timeStamp>", b"types:4.3", b"-0001-01-01T24:00:00Z", b"+14:00",
]  # fmt: skip


CHARSETS = ["utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "us-ascii", "windows-1252"]
TEXTS = [
    "", " ", "0", "-1", "+1", "9" * 10, "9" * 41, "0" * 5000, "1e3", "NaN", "true", "1", "perhaps",
    "C-1001", "x" * 31, "x" * 129, "x" * 300, "Active", "skipped", "Fault", "2026-08-20T09:12:00Z",
    "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "24:00:00",
    "2026-08-20T24:00:00", "2026-08-20T09:12:00.123456789Z", "\U0001f600", "\u202e", "\ufeff",
    PASSWORD,
]  # fmt: skip
NAMES = [
    "distributorCreditID", "state", "specification", "correction", "amount", "responseID",
    "errorCode", "distributorPersonID", "userID", "eckID", "isSingleUpdate", "eckSpecification",
    "eckCorrection", "eckLicenseBlock", "auditID", "requestID", "ownerID", "timeStamp", "blockType",
    "prematchChangedRequest", "specificationChangedRequest", "loginHeader", "password", "Body",
]  # fmt: skip


def calling_out(port: int, file: Path) -> list[bytes]:
    """Bodies that would have a careless parser fetch something."""
    places = [f"http://127.0.0.1:{port}/x", f"ftp://127.0.0.1:{port}/x", file.as_uri()]
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    made = []
    for place in map(str.encode, places):
        dtd = b'?><!DOCTYPE x [<!ENTITY %% p SYSTEM "%b"> %%p; <!ENTITY a SYSTEM "%b">]>'
        made += [
            GOOD.replace(b"?>", dtd % (place, place), 1).replace(b"C-1001", b"&a;"),
            GOOD.replace(b"?>", b'?><!DOCTYPE x SYSTEM "%b">' % place, 1),
            GOOD.replace(b"?>", b'?><?xml-stylesheet href="%b" type="text/xsl"?>' % place, 1),
            GOOD.replace(
                b"<soap:Body>",
                b'<soap:Body %b xsi:schemaLocation="urn:x %b" xsi:noNamespaceSchemaLocation="%b">'
                % (xsi.encode(), place, place),
            ),
            GOOD.replace(
                b"Active",
                b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="%b"/>' % place,
            ),
        ]
    return made


def mutated(numbers: random.Random, seeds: list[bytes]) -> bytes:
    """One to four changes to a body of the collection."""
    body = bytearray(numbers.choice(seeds))
    for _ in range(numbers.randint(1, 4)):
        at = numbers.randrange(len(body) + 1)
        until = min(len(body), at + numbers.choice((0, 1, 1, 3, 30)))
        kind = numbers.randrange(5)
        if kind == 0:
            body[at:until] = numbers.choice(PIECES)
        elif kind == 1:
            body[at:until] = numbers.randbytes(numbers.randint(0, 4))
        elif kind == 2:
            del body[at:until]
        elif kind == 3:
            body[at:at] = body[until : until + numbers.randint(1, 80)]
        else:
            other = numbers.choice(seeds)
            cut = numbers.randrange(len(other))
            body[at:until] = other[cut : cut + numbers.randint(1, 60)]
    return bytes(body)


def _rooted(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None


ROOTS = [root for root in map(_rooted, SEEDS) if root is not None]


def rebuilt(numbers: random.Random) -> bytes:
    """One to three changes to the elements of a body: it stays XML and comes further in."""
    root = copy.deepcopy(numbers.choice(ROOTS))
    for _ in range(numbers.randint(1, 3)):
        elements = list(root.iter(etree.Element))
        element = numbers.choice(elements)
        parent = element.getparent()
        kind = numbers.randrange(7)
        if kind == 0:
            element.text = numbers.choice(TEXTS)
        elif kind == 1 and parent is not None:
            parent.remove(element)
        elif kind == 2 and parent is not None:
            parent.insert(numbers.randrange(len(parent) + 1), copy.deepcopy(element))
        elif kind == 3:
            space = numbers.choice(["", *(f"{{{namespace}}}" for namespace in NAMESPACES)])
            element.tag = space + numbers.choice(NAMES)
        elif kind == 4:
            element.set(numbers.choice([NIL, f"{{{SOAP}}}mustUnderstand", "x"]), "true")
        elif kind == 5:
            element.append(copy.deepcopy(numbers.choice(elements)))
        else:
            element.tail = numbers.choice(TEXTS)
    return etree.tostring(root)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What Python opens, connects to or starts meanwhile; what C opens it does not hear."""
    seen: list[str] = []
    is_on = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_on and event in ("open", "socket.connect", "subprocess.Popen"):
            seen.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)  # for good: Python takes none away
    try:
        yield seen
    finally:
        is_on = False


@dataclass
class Run:
    """Bodies, one after the other."""

    seed: int
    seeds: list[bytes]
    canary: str  # stands in a file that bodies ask for
    done: int = 0
    slowest: float = 0.0  # seconds of processor time
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = random.Random(self.seed)  # noqa: S311
        self._reader = Reader()
        for codec in (*CHARSETS, "iso-8859-15", "utf-8-sig"):
            "<".encode(codec)  # Python reads each from a file when it is first needed
        for name in ("specification_accepted", "specification_43"):
            Reader().read(decoded(envelope(name), "").utf8, LOGINS)  # so it does with modules

    def go(self, most: int) -> None:
        """So many mutations."""
        for _ in range(most):
            body = self._body()
            charset = self._numbers.choice(CHARSETS) if self._numbers.random() < 0.05 else ""
            self.read(body, charset, f"seed {self.seed}, mutation {self.done}")

    def read(self, body: bytes, charset: str, name: str) -> None:
        """One body; what is wrong with its answer is noted."""
        started = time.process_time()
        try:
            answer = self._answer(body, charset)
        except Exception as problem:
            self.violations.append(f"{name}: {problem!r:.300} for {charset} {body!r:.2000}")
        else:
            self.answers[answer] += 1
        self.slowest = max(self.slowest, time.process_time() - started)
        self.done += 1

    def _body(self) -> bytes:
        if self._numbers.random() < 0.5:
            return rebuilt(self._numbers)
        return mutated(self._numbers, self.seeds)

    def _answer(self, raw: bytes, charset: str) -> str:
        """As the door does it, short of the database."""
        try:
            body = decoded(raw, charset)
            delivery = self._reader.read(body.utf8, LOGINS)
        except Refused as problem:
            refusal = problem
        else:
            return self._kept(body, delivery, charset)
        told = refusal.answer.body
        assert SECRET not in told
        assert self.canary.encode() not in told
        return refusal.reason.value

    def _kept(self, body: Body, delivery: Delivery, charset: str) -> str:
        kept = body.with_text(blanked(body.utf8, delivery.password))
        assert SECRET not in decoded(kept, charset).utf8
        assert self.canary not in json.dumps(delivery.content)
        return "invalid" if delivery.content.invalid else "accepted"
