"""Those who deliver: connections that send one notification after another, and note the answers."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Failed
from benchmarks.envelopes import specification_changed
from tests.chaos.waiting import PATIENCE, comes_true

PATH: Final = endpoint_path("notification")
SILENCE: Final = 30.0  # seconds without an answer after which a sender hangs up
_PARTS: Final = [part.encode() for part in specification_changed()]
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY: Final = re.compile(rb"\r\nretry-after: *(\S+)", re.IGNORECASE)
_SIDE: Final = re.compile(rb"<faultcode>soap:(\w+)</faultcode>")
_CODE: Final = re.compile(rb"<e:code>-?(\d+)</e:code>")


class Answer(NamedTuple):
    """What the door said; the rest is empty where there is no Fault or no such header."""

    status: int
    code: int = 0
    side: str = ""  # Server or Client
    retry_after: str = ""


class Line:
    """One connection to the door, made anew when it was cut."""

    def __init__(
        self,
        port: int,
        silence: float = SILENCE,
        wrap: Callable[[socket.socket], socket.socket] | None = None,
    ) -> None:
        self._port = port
        self._silence = silence
        self._wrap = wrap
        self._sock: socket.socket | None = None

    def deliver(self, key: str) -> Answer:
        """Send the notification about `key`. Raises `OSError` when no answer came."""
        try:
            return self._exchange(request(key))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _exchange(self, frame: bytes) -> Answer:
        if self._sock is None:
            self._sock = socket.create_connection(("127.0.0.1", self._port), self._silence)
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._wrap:
                self._sock = self._wrap(self._sock)
        self._sock.sendall(frame)
        return read_answer(self._sock)


def read_answer(sock: socket.socket) -> Answer:
    """One whole answer. Raises `OSError` when the connection ends before."""
    received = b""
    while True:
        head, blank, body = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if blank else None
        if length is not None and len(body) >= int(length[1]):
            break
        part = sock.recv(65536)
        if not part:
            raise ConnectionResetError("the door hung up")
        received += part
    code, side, retry = _CODE.search(body), _SIDE.search(body), _RETRY.search(head)
    return Answer(
        int(head[9:12]),
        int(code[1]) if code else 0,
        side[1].decode() if side else "",
        retry[1].decode() if retry else "",
    )


def envelope(key: str) -> bytes:
    """A notification about `key`, of at most 30 characters."""
    return key.encode().join(_PARTS)


def request(key: str) -> bytes:
    """The same with its HTTP head."""
    body = envelope(key)
    return head(f"Content-Length: {len(body)}") + body


def head(*lines: str, charset: str = "utf-8") -> bytes:
    """The head of a delivery with these lines in it."""
    own = (
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: text/xml; charset={charset}",
        'SOAPAction: ""',
    )
    return "\r\n".join((*own, *lines, "", "")).encode()


class Senders:
    """Connections that deliver one notification after another and note which was answered 200."""

    def __init__(self, port: int, mark: str, connections: int = 8) -> None:
        self.acked: list[str] = []
        self.others: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._port = port
        self._mark = mark
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(connections)
        ]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(SILENCE + 5)

    def wait_for(self, number: int) -> None:
        """Until `number` more were answered 200. Raises `Failed`."""
        wanted = len(self.acked) + number
        if not comes_true(lambda: len(self.acked) >= wanted):
            came = f"{len(self.acked) - wanted + number} came, and {dict(self.others)}"
            raise Failed(f"not within {PATIENCE:g} s: {number} answers with 200; {came}")

    def _work(self) -> None:
        line = Line(self._port)
        while not self._ending.is_set():
            key = f"{self._mark}{next(self._numbers):08d}"
            try:
                answer = line.deliver(key)
            except OSError as problem:
                self.others[type(problem).__name__] += 1
                self._ending.wait(0.02)
                continue
            if answer.status == 200:
                self.acked.append(key)
            else:
                self.others[f"{answer.status}/{answer.code}"] += 1
        line.close()
