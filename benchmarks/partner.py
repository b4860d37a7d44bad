"""A partner that answers every call with the same bytes, at once and after a delay.

It stands for Edu-iX where the cost of sending is measured: the sandbox validates and keeps a
ledger, and would be the slower of the two. Only logins and createPerson are answered; it counts
both, and the keys of the persons. Run as `python -m benchmarks.partner MILLISECONDS...`: one port
for each delay, told on the first line; `counts` on standard input prints what each was asked.
"""

from __future__ import annotations

import heapq
import itertools
import json
import re
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Final

from backoffice.eduix.contract import types_namespace

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEY: Final = re.compile(rb"<(?:[\w.-]+:)?distributorPersonID>([^<]+)<")


def _http(status: str, content: str) -> bytes:
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{content}</soap:Body></soap:Envelope>'
    ).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_TYPES: Final = types_namespace("profile")
LOGGED_IN: Final = _http(
    "200 OK",
    f'<loginResponse xmlns="{_TYPES}"><sessionID>canned-session</sessionID></loginResponse>',
)
CREATED: Final = _http("200 OK", f'<createPersonResponse xmlns="{_TYPES}"/>')
NOT_SERVED: Final = _http(
    "500 Internal Server Error",
    "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>10 not served here</faultstring>"
    "</soap:Fault>",
)


@dataclass
class Counts:
    """What was asked at one port; a key that came twice counts once in `keys`."""

    logins: int = 0
    creates: int = 0
    others: int = 0
    keys: set[bytes] = field(default_factory=set)

    def as_json(self) -> dict[str, int]:
        """Counts only."""
        return {
            "logins": self.logins,
            "creates": self.creates,
            "others": self.others,
            "keys": len(self.keys),
        }


@dataclass
class _Port:
    delay: float
    counts: Counts


@dataclass
class _Line:
    sock: socket.socket
    port: _Port
    received: bytes = b""


def answer(request: bytes, counts: Counts) -> bytes:
    """The canned answer to a whole request, counted."""
    if b"createPersonRequest" in request:
        counts.creates += 1
        found = _KEY.search(request)
        if found is not None:
            counts.keys.add(found[1])
        return CREATED
    if b"loginRequest" in request:
        counts.logins += 1
        return LOGGED_IN
    counts.others += 1
    return NOT_SERVED


class Partner:
    """One thread, one loop; answers that must wait stand in a heap by their moment."""

    def __init__(self, delays_ms: list[float]) -> None:
        self.selector = selectors.DefaultSelector()
        self.counts: dict[int, Counts] = {}
        self._waiting: list[tuple[float, int, _Line, bytes]] = []
        self._order = itertools.count()
        for delay in delays_ms:
            listener = socket.create_server(("127.0.0.1", 0), backlog=256)
            number = int(listener.getsockname()[1])
            self.counts[number] = Counts()
            port = _Port(delay / 1000, self.counts[number])
            self.selector.register(listener, selectors.EVENT_READ, port)

    def serve(self) -> None:
        """Until standard input ends."""
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        print(json.dumps({"ports": list(self.counts)}), flush=True)
        while True:
            for key, _events in self.selector.select(self._pause()):
                if isinstance(key.data, _Line):
                    self._receive(key.data)
                elif isinstance(key.data, _Port):
                    self._accept(key.fileobj, key.data)
                elif not self._told():
                    return
            self._send_due()

    def _pause(self) -> float | None:
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None

    def _told(self) -> bool:
        if not sys.stdin.readline():
            return False
        counts = {port: counts.as_json() for port, counts in self.counts.items()}
        print(json.dumps(counts), flush=True)
        return True

    def _accept(self, listener: object, port: _Port) -> None:
        assert isinstance(listener, socket.socket)
        sock, _address = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ, _Line(sock, port))

    def _receive(self, line: _Line) -> None:
        try:
            data = line.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.selector.unregister(line.sock)
            line.sock.close()
            return
        line.received += data
        head, blank, body = line.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or (length is not None and len(body) < int(length[1])):
            return
        reply = answer(line.received, line.port.counts)
        line.received = b""
        if line.port.delay:
            due = time.monotonic() + line.port.delay
            heapq.heappush(self._waiting, (due, next(self._order), line, reply))
        else:
            self._send(line, reply)

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _due, _order, line, reply = heapq.heappop(self._waiting)
            self._send(line, reply)

    def _send(self, line: _Line, reply: bytes) -> None:
        if line.sock.fileno() >= 0:
            try:
                line.sock.sendall(reply)
            except ConnectionError:
                return  # the caller hung up; its next bytes tell so


if __name__ == "__main__":
    Partner([float(text) for text in sys.argv[1:]]).serve()
