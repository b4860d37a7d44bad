"""A sender that speaks raw HTTP to a door, and the envelopes it sends; needs no Django."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

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
