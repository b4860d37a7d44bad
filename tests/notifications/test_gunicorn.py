"""The other server that must do: gunicorn with threads, which leaves chunks to the application."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.empty_tables import make_tables
from tests.notifications.conftest import PASSWORD, USER, Sender, exchange
from tests.notifications.servers import ROOT, wait_until_it_listens
from tests.notifications.test_granian import HEAD, chunked, digests, numbered


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="module")
def gunicorn(var: Path) -> Iterator[Sender]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {
        "BACKOFFICE_VAR": str(var),
        "NOTIFICATION_CREDENTIALS": f"{USER}:{PASSWORD}",
    }
    make_tables(var / "db.sqlite3", environment)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)  # handed over as it is, so nobody else can take the port
        port = listener.getsockname()[1]
        command = [
            *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"),
            *("--bind", f"fd://{listener.fileno()}", "--timeout", "30", "backoffice.wsgi"),
        ]
        with (var / "server.log").open("w") as log:
            server = subprocess.Popen(  # noqa: S603  our own server
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
            )
    try:
        wait_until_it_listens(port, server)
        yield Sender(port)
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_any_chunks_are_stored_as_they_were_sent(gunicorn: Sender, var: Path) -> None:
    numbers = random.Random(1)  # noqa: S311
    sent = [numbered(number) for number in range(20)]

    for body in sent:
        frame = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        size = numbers.randint(1, 1460)
        assert exchange(gunicorn.port, frame + chunked(body, size)).status == 200

    assert {hashlib.sha256(body).hexdigest() for body in sent} <= digests(var)


def test_chunks_over_the_limit_are_refused(gunicorn: Sender) -> None:
    frame = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

    assert exchange(gunicorn.port, frame + chunked(b"x" * 300_000, 8192)).status == 413


def test_two_lengths_are_refused(gunicorn: Sender, var: Path) -> None:
    body = numbered(900)
    frame = HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"

    assert exchange(gunicorn.port, frame + chunked(body, 300)).status == 400
    assert hashlib.sha256(body).hexdigest() not in digests(var)


def test_a_sender_that_waits_for_100_continue_may_send(gunicorn: Sender) -> None:
    body = numbered(902)
    frame = HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)

    with socket.create_connection(("127.0.0.1", gunicorn.port), timeout=20) as connection:
        file = connection.makefile("rb")
        connection.sendall(frame)
        first, _blank = file.readline(), file.readline()
        connection.sendall(body)
        second = file.readline()

    assert first.startswith(b"HTTP/1.1 100")
    assert second.startswith(b"HTTP/1.1 200")


def test_a_body_that_is_cut_short_is_never_stored(gunicorn: Sender, var: Path) -> None:
    body = numbered(901)
    frame = HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 50)

    response = exchange(gunicorn.port, frame + body, half_close=True)

    assert response.status == 400
    assert hashlib.sha256(body).hexdigest() not in digests(var)
