"""Mutated bodies: an answer of the ladder for each, nothing unforeseen, nothing opened."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from notifications.faults import Refused
from notifications.framing import decoded
from notifications.login import Logins
from notifications.reading import Reader
from tests.notifications.bodies import ACCEPTED, IN_ENVELOPE, INVALID
from tests.notifications.conftest import PASSWORD, USER, envelope

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
]  # fmt: skip


def mutated(numbers: random.Random) -> bytes:
    """One to four changes to a body of the collection."""
    body = bytearray(numbers.choice(SEEDS))
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
            other = numbers.choice(SEEDS)
            cut = numbers.randrange(len(other))
            body[at:until] = other[cut : cut + numbers.randint(1, 60)]
    return bytes(body)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """What was opened or connected to while the test ran."""
    seen: list[str] = []
    listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event in ("open", "socket.connect", "subprocess.Popen"):
            seen.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    yield seen
    listening = False


def test_two_thousand_mutations_get_an_answer_each(opened: list[str]) -> None:
    seed = random.SystemRandom().randrange(2**32)
    numbers = random.Random(seed)  # noqa: S311
    reader = Reader()
    answers: Counter[str] = Counter()
    slowest = 0.0

    reader.read(decoded(envelope("specification_accepted"), "").utf8, LOGINS)
    opened.clear()  # modules that are loaded at the first delivery
    for number in range(2000):
        body = mutated(numbers)
        started = time.perf_counter()
        try:
            delivery = reader.read(decoded(body, "").utf8, LOGINS)
        except Refused as refusal:
            answers[refusal.reason.value] += 1
        except Exception as problem:
            raise AssertionError(f"seed {seed}, mutation {number}: {problem!r}") from problem
        else:
            answers["invalid" if delivery.content.invalid else "accepted"] += 1
        slowest = max(slowest, time.perf_counter() - started)

    assert sum(answers.values()) == 2000
    assert min(answers["accepted"], answers["not_xml"], answers["login"]) > 0
    assert slowest < 0.5
    assert opened == []
