"""N9: however a body is cut into chunks and packets, it is stored as it was sent."""

from __future__ import annotations

import hashlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.envelopes import PASSWORD
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.senders import SILENCE, Answer, envelope, head, read_answer
from tests.chaos.inbound.serving import PRODUCT, Served

EMPTY_CHUNKS: Final = "tests.chaos.inbound.broken.empty_chunks:application"
LARGEST: Final = 1460  # bytes of a chunk or a packet: what one frame of Ethernet carries
MOST: Final = 60_000  # signs in a body
# Names as Python and XML both know them; UTF-16 with its mark, the others without.
CODECS: Final = ("utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1")
WAYS: Final = ("chunked", "chunked with extensions", "chunked with a trailer", "length", "continue")


@dataclass(frozen=True)
class Sent:
    """A body, and what of it should be kept."""

    key: str
    codec: str
    body: bytes

    @property
    def kept(self) -> bytes:
        """All but the password."""
        word = PASSWORD.encode("utf-16le" if self.codec == "utf-16" else self.codec)
        return self.body.replace(word, b"")


def run(workshop: Workshop, size: Size) -> Outcome:
    """Under granian, and under gunicorn."""
    return _framed(workshop, size, PRODUCT)


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with a door that sees what Django sees of a chunked body."""
    return _framed(workshop, size, EMPTY_CHUNKS)


def _framed(workshop: Workshop, size: Size, application: str) -> Outcome:
    outcome = Outcome()
    numbers = random.Random(9)  # noqa: S311
    kind = POSTGRESQL if POSTGRESQL in workshop.kinds else SQLITE
    granian = Served(workshop, workshop.database(kind, "in"), application=application)
    gunicorn = Served(
        workshop, workshop.database(SQLITE, "in"), application=application, command=_gunicorn
    )
    for door in (granian, gunicorn):
        door.begin()
    for name, door in (("granian", granian), ("gunicorn", gunicorn)):
        door.wait()
        sent: list[Sent] = []
        for number in range(size.of(500, smoke=25, quick=100)):
            one, way = _made(numbers, number), WAYS[number % len(WAYS)]
            try:
                answer = _deliver(door.port, one, way, numbers)
            except OSError as problem:
                outcome.violations.append(f"{name}, {way}: {problem!r}")
                continue
            if answer.status != 200:
                outcome.violations.append(f"{name}, {way}: answered {answer} ({one.codec})")
            else:
                sent.append(one)
            outcome.tried += 1
        outcome.violations += [f"{name}: {what}" for what in _differences(workshop, door, sent)]
        door.kill()
    return outcome


def _gunicorn(port: int, application: str) -> list[str]:
    return [
        *("-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}", "--log-level", "error", application),
    ]


def _made(numbers: random.Random, number: int) -> Sent:
    """Of any size, in any encoding that the door reads, with what is not ASCII in a comment."""
    key = f"F{number:08d}"
    codec = numbers.choice(CODECS)
    text = envelope(key).decode()
    signs = "abc é\n" if codec == "iso-8859-1" else "abc é€ц\n"
    filling = "".join(numbers.choices(signs, k=50))
    size = numbers.choice((0, 1, 500, 5_000, MOST))
    comment = f"<!--{(filling * (size // 50 + 1))[:size]}-->"
    text = text.replace("encoding='UTF-8'", f"encoding='{codec.upper()}'")
    text = text.replace("<soapenv:Body>", f"{comment}<soapenv:Body>")
    return Sent(key, codec, text.encode(codec))


def _deliver(port: int, sent: Sent, way: str, numbers: random.Random) -> Answer:
    """Over a connection of its own, in packets of any size. Raises `OSError`."""
    body = sent.body
    with socket.create_connection(("127.0.0.1", port), SILENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if way == "continue":
            sock.sendall(
                head(f"Content-Length: {len(body)}", "Expect: 100-continue", charset=sent.codec)
            )
            if not sock.recv(4096).startswith(b"HTTP/1.1 100"):
                raise ConnectionError("no 100 Continue")
            frame = body
        elif way == "length":
            frame = head(f"Content-Length: {len(body)}", charset=sent.codec) + body
        else:
            coded = ["Transfer-Encoding: chunked"]
            coded += ["Trailer: X-Digest"] if "trailer" in way else []
            frame = head(*coded, charset=sent.codec) + b"".join(_chunks(body, way, numbers))
        for packet in _pieces(frame, numbers):
            sock.sendall(packet)
        return read_answer(sock)


def _chunks(body: bytes, way: str, numbers: random.Random) -> Iterator[bytes]:
    extension = b";name=value" if "extensions" in way else b""
    for piece in _pieces(body, numbers):
        yield b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
    yield b"0\r\nX-Digest: none\r\n\r\n" if "trailer" in way else b"0\r\n\r\n"


def _pieces(data: bytes, numbers: random.Random) -> Iterator[bytes]:
    """Mostly of any size up to the largest, and some of a single byte."""
    at = 0
    while at < len(data):
        size = 1 if numbers.random() < 0.05 else numbers.randint(1, LARGEST)
        yield data[at : at + size]
        at += size


def _differences(workshop: Workshop, door: Served, sent: list[Sent]) -> Iterator[str]:
    """Each body that is not stored as it was sent."""
    rows = workshop.query(
        door.database,
        "SELECT subject, raw, raw_sha256, raw_length FROM notifications_notification",
    )
    there = {subject: (bytes(raw), digest, length) for subject, raw, digest, length in rows}
    for one in sent:
        if one.key not in there:
            yield f"{one.key} was answered 200 and is not there"
            continue
        raw, digest, length = there[one.key]
        if digest != hashlib.sha256(one.body).hexdigest() or length != len(one.body):
            yield f"{one.key}: other bytes came in than were sent ({one.codec})"
        elif raw != one.kept:
            yield f"{one.key}: other bytes are kept than came in ({one.codec})"


EXPERIMENTS: Final = (
    Experiment(
        "N9",
        "However a body is framed, it is stored as it was sent, but for the password",
        run,
        control,
        "the body of a chunked request counts as empty",
    ),
)
