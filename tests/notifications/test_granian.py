"""The server we ship, in a process of its own, on a database of its own."""

from __future__ import annotations

import hashlib
import random
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.notifications.bodies import GOOD
from tests.notifications.sending import PATH, Sender, exchange
from tests.notifications.servers import granian_at


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="module")
def granian(var: Path) -> Iterator[Sender]:
    with granian_at(var) as sender:
        yield sender


def digests(var: Path) -> set[str]:
    """What was stored, by the digest of what came in."""
    with closing(sqlite3.connect(var / "db.sqlite3")) as database:
        rows = database.execute("SELECT raw_sha256 FROM notifications_notification")
        return {row[0] for row in rows}


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def numbered(number: int) -> bytes:
    return GOOD.replace(b"C-1001", b"G-%d" % number)


HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nConnection: close\r\n"
).encode()


def test_any_chunks_are_stored_as_they_were_sent(granian: Sender, var: Path) -> None:
    numbers = random.Random(1)  # noqa: S311
    sent = [numbered(number) for number in range(40)]

    for body in sent:
        frame = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        size = numbers.randint(1, 1460)
        assert exchange(granian.port, frame + chunked(body, size)).status == 200

    assert {hashlib.sha256(body).hexdigest() for body in sent} <= digests(var)


def test_chunks_over_the_limit_are_refused(granian: Sender) -> None:
    frame = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

    response = exchange(granian.port, frame + chunked(b"x" * 300_000, 8192))

    assert response.status == 413


def test_of_two_lengths_the_chunks_are_believed_and_nothing_is_left_over(
    granian: Sender, var: Path
) -> None:
    """granian drops the Content-Length before the door can see it; nginx refuses both."""
    body, hidden = numbered(900), numbered(9000)
    smuggled = HEAD + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden
    frame = HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"

    response = exchange(granian.port, frame + chunked(body + b"<!-- " + smuggled + b" -->", 300))

    assert response.status in (200, 400)
    assert hashlib.sha256(hidden).hexdigest() not in digests(var)


def test_a_body_that_is_cut_short_is_never_stored(granian: Sender, var: Path) -> None:
    body = numbered(901)
    frame = HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 50)

    with socket.create_connection(("127.0.0.1", granian.port), timeout=10) as connection:
        connection.sendall(frame + body)
        connection.shutdown(socket.SHUT_WR)
        received = connection.recv(4096)

    assert not received.startswith(b"HTTP/1.1 200")
    assert hashlib.sha256(body).hexdigest() not in digests(var)


def test_a_sender_that_waits_for_100_continue_may_send(granian: Sender) -> None:
    body = numbered(902)
    frame = HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)

    with socket.create_connection(("127.0.0.1", granian.port), timeout=10) as connection:
        connection.sendall(frame)
        first = connection.recv(4096)
        connection.sendall(body)
        rest = connection.recv(4096)

    assert first.startswith(b"HTTP/1.1 100")
    assert rest.startswith(b"HTTP/1.1 200")


def test_many_deliveries_over_one_connection(granian: Sender, var: Path) -> None:
    bodies = [numbered(1000 + number) for number in range(30)]
    head = HEAD.replace(b"Connection: close\r\n", b"")

    with socket.create_connection(("127.0.0.1", granian.port), timeout=10) as connection:
        file = connection.makefile("rb")
        statuses = []
        for body in bodies:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            statuses.append(file.readline().split()[1])
            length = 0
            while (line := file.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            file.read(length)

    assert set(statuses) == {b"200"}
    assert {hashlib.sha256(body).hexdigest() for body in bodies} <= digests(var)


def test_the_row_is_there_before_the_answer_is(granian: Sender, var: Path) -> None:
    for number in range(2000, 2050):
        body = numbered(number)

        response = granian.post(body)

        assert response.status == 200
        assert hashlib.sha256(body).hexdigest() in digests(var)
