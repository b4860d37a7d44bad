"""A real server in front of the real application, and a sender that speaks raw HTTP to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.db import connections
from lxml import etree
from pytest_django import Settings

from notifications import taking_over
from notifications.refusals import Counts, counts
from notifications.uses import Uses, uses

ENVELOPES = Path(__file__).resolve().parent.parent / "envelopes"
USER = "eduix"
PASSWORD = "a-long-password-for-tests-0123456789"  # noqa: S105  as it stands in the envelopes
PATH = "/soap/4.0/notification"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def envelope(name: str) -> bytes:
    """A file from tests/envelopes."""
    return (ENVELOPES / f"{name}.xml").read_bytes()


@dataclass
class Response:
    """What came back over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.body.decode()

    @property
    def fault_code(self) -> int:
        """The code in `detail/Fault/code`, as it stands there."""
        found = etree.fromstring(self.body).find(".//{*}detail/{*}Fault/{*}code")
        assert found is not None
        return int(found.text or "")

    @property
    def faultcode(self) -> str:
        """SOAP's own code, without its prefix."""
        return (etree.fromstring(self.body).findtext(".//faultcode") or "").rpartition(":")[2]


def exchange(port: int, request: bytes, *, half_close: bool = False) -> Response:
    """Send these bytes and read the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        # Refused before all of it was read: then the answer is already waiting.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := _receive(connection):
            received += part
            if _is_whole(received):
                break
    head, _blank, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _colon, value in pairs}
    return Response(int(status_line.split()[1]), headers, body)


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def _is_whole(received: bytes) -> bool:
    head, blank, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if blank and line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


@dataclass
class Sender:
    """Posts to the endpoint on one port."""

    port: int

    def post(
        self,
        body: bytes,
        *,
        path: str = PATH,
        method: str = "POST",
        content_type: str | None = "text/xml; charset=utf-8",
        headers: dict[str, str] | None = None,
        length: int | str | None = -1,
    ) -> Response:
        """One request; `length` None leaves Content-Length out."""
        lines = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", "SOAPAction": '""'}
        if content_type is not None:
            lines["Content-Type"] = content_type
        if length is not None:
            lines["Content-Length"] = str(len(body) if length == -1 else length)
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        # Only a sender that announced more than it has must say that it is finished: granian takes
        # a half-closed connection for one that was given up.
        return exchange(self.port, request, half_close=length not in (-1, None))

    def get(self, path: str, method: str = "GET") -> Response:
        """One request without a body."""
        return self.post(b"", path=path, method=method, content_type=None, length=None)


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *args: Any) -> None:
        pass


class ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        connections.close_all()


def serve(application: Any) -> Iterator[Sender]:
    """Serve a WSGI application on a free port while the test runs."""
    server = ThreadedServer(("127.0.0.1", 0), QuietHandler)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Sender(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def credentials(settings: Settings) -> None:
    """The login that the envelopes of the tests carry."""
    settings.NOTIFICATION_CREDENTIALS = [(USER, PASSWORD)]
    settings.NOTIFICATION_ALLOWED_IPS = []


@pytest.fixture(autouse=True)
def quiet_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    """Refusals and uses of logins are counted, and written only when a test says so."""
    monkeypatch.setattr(Counts, "_start_timer", lambda self: None)
    monkeypatch.setattr(Uses, "_start_timer", lambda self: None)
    yield counts
    counts._waiting.clear()
    uses._waiting.clear()


@pytest.fixture
def door(transactional_db: None) -> Iterator[Sender]:
    """The whole application behind a threaded server."""
    from backoffice.wsgi import application

    yield from serve(application)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The handler of persons raises; call it to mend the handler."""

    def raises(**_arguments: object) -> None:
        raise RuntimeError("the handler is broken")

    monkeypatch.setattr(taking_over, "record_prematch", raises)
    return monkeypatch.undo
