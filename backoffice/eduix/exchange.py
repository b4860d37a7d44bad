"""One HTTP exchange with Edu-iX: hardened, bounded in time and size, and masked for the record.

Over http.client and not `requests`, which costs half of a zeep call (docs/decisions/0003).
"""

from __future__ import annotations

import http.client
import re
import select
import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from backoffice.eduix.errors import EduixUncertain, EduixUnreachable

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 30.0
MAX_BYTES: Final = 5 * 1024 * 1024
IDLE_SECONDS: Final = 50.0  # most servers close an idle connection after a minute

SECRET_ELEMENTS: Final = ("password", "sessionID")
PERSONAL_ELEMENTS: Final = (
    "firstName",
    "preposition",
    "surname",
    "dateOfBirth",
    "email",
    "contactName",
    "contactEmail",
    "userID",
)

_MASKED = re.compile(
    rb"(<(?:[\w.-]+:)?(" + "|".join((*SECRET_ELEMENTS, *PERSONAL_ELEMENTS)).encode() + rb")"
    rb"(?:\s[^<>]*)?>)[^<]*(</)"
)
_ECK_ID = re.compile(rb"(<(?:[\w.-]+:)?eckID(?:\s[^<>]*)?>)([^<]*)(</)")
_KEPT_BYTES = 20_000


@dataclass(frozen=True)
class Exchange:
    """What went out and came back, masked; times in milliseconds."""

    service: str
    operation: str
    request: str
    response: str
    status: int | None
    milliseconds: int
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """For the attempt's row."""
        return dict(vars(self))


def masked(envelope: bytes) -> str:
    """An envelope without password, session, names, birth date or e-mail; ECK iD: its last six."""
    text = _MASKED.sub(rb"\1***\3", envelope[: _KEPT_BYTES * 2])
    text = _ECK_ID.sub(lambda m: m[1] + b"***" + m[2].strip()[-6:] + m[3] if m[2] else m[0], text)
    return storable(text[:_KEPT_BYTES].decode("utf-8", errors="replace"))


def storable(text: str) -> str:
    """A text that every database can keep: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode("utf-8")


class Reaper(threading.Thread):
    """Cuts connections that pass their deadline.

    A socket's own time-out starts anew with each byte: a partner that sends one byte a second
    would hold a sender for hours.
    """

    def __init__(self) -> None:
        super().__init__(name="eduix-deadlines", daemon=True)
        self._watched: dict[int, tuple[float, socket.socket]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def watch(self, connection: socket.socket, deadline: float) -> None:
        with self._lock:
            self._watched[id(connection)] = (deadline, connection)
            if not self.is_alive():
                self.start()
        self._wake.set()

    def release(self, connection: socket.socket) -> bool:
        """Stop watching; False when the deadline has cut this connection already."""
        with self._lock:
            return self._watched.pop(id(connection), None) is not None

    def run(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                for key, (deadline, connection) in list(self._watched.items()):
                    if deadline <= now:
                        del self._watched[key]
                        _cut(connection)
                idle = not self._watched
            if idle:
                self._wake.clear()
                self._wake.wait(timeout=5)
            else:
                time.sleep(0.1)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed by the other side in the same moment


_reaper = Reaper()


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    content_type: str
    body: bytes


class Transport:
    """Keep-alive connections to one address; safe to share between threads.

    No redirects, no proxies from the environment, no compressed answers, TLS 1.2 or newer.
    """

    def __init__(self, address: str, *, total_seconds: float = TOTAL_SECONDS) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http address: {address!r}")
        self._https = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._https else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._total_seconds = total_seconds
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()
        self._tls: ssl.SSLContext | None = None
        if self._https:
            self._tls = ssl.create_default_context()
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, body: bytes, *, action: str) -> Answer:
        """POST an envelope. Raises `EduixUnreachable` or `EduixUncertain`."""
        connection = self._connection()
        sock: socket.socket = connection.sock
        _reaper.watch(sock, time.monotonic() + self._total_seconds)
        try:
            connection.request(
                "POST",
                self._path,
                body=body,
                headers={
                    "Content-Type": "text/xml; charset=utf-8",
                    "SOAPAction": f'"{action}"',
                    "Accept-Encoding": "identity",
                    "User-Agent": "eduix-backoffice",
                },
            )
            answer, keep = self._read(connection)
        except (OSError, http.client.HTTPException) as problem:
            in_time = _reaper.release(sock)
            connection.close()
            reason = _reason(problem) if in_time else f"no answer in {self._total_seconds:g} s"
            raise EduixUncertain(f"The line broke after the request left: {reason}.") from problem
        except EduixUncertain:
            _reaper.release(sock)
            connection.close()
            raise
        if not _reaper.release(sock):
            connection.close()
            raise EduixUncertain(f"The answer took longer than {self._total_seconds:g} s.")
        if keep:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[1].close()

    def _connection(self) -> http.client.HTTPConnection:
        """An idle connection that still stands, else a new one."""
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if time.monotonic() - since < IDLE_SECONDS and _is_quiet(connection.sock):
                return connection
            connection.close()
        new: http.client.HTTPConnection
        if self._tls is not None:
            new = http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._tls
            )
        else:
            new = http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)
        try:
            new.connect()
        except OSError as problem:
            new.close()
            raise EduixUnreachable(f"Edu-iX cannot be reached: {_reason(problem)}.") from problem
        new.sock.settimeout(self._total_seconds)
        new.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return new

    def _read(self, connection: http.client.HTTPConnection) -> tuple[Answer, bool]:
        """The whole answer within the size limit, and whether the connection may be kept."""
        response = connection.getresponse()
        encoding = response.getheader("Content-Encoding", "identity").lower()
        if encoding not in {"", "identity"}:
            raise EduixUncertain(f"The answer is compressed ({encoding[:20]}), unasked.")
        announced = response.getheader("Content-Length", "")
        if announced.isdecimal() and int(announced) > MAX_BYTES:
            raise EduixUncertain(f"The answer is larger than {MAX_BYTES} bytes.")
        body = response.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise EduixUncertain(f"The answer is larger than {MAX_BYTES} bytes.")
        if response.length:  # read(n) does not complain about a body that was cut short
            raise EduixUncertain("The answer was cut short.")
        answer = Answer(response.status, response.getheader("Content-Type", ""), body)
        return answer, not response.will_close


def _is_quiet(sock: socket.socket | None) -> bool:
    """An idle connection with something to read was closed by the other side."""
    if sock is None or sock.fileno() < 0:
        return False
    try:
        readable, _, _ = select.select([sock], [], [], 0)
    except (OSError, ValueError):
        return False
    return not readable


def _reason(problem: BaseException) -> str:
    """What went wrong, without addresses: it is shown to colleagues."""
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    if isinstance(problem, socket.gaierror):
        return "unknown host name"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return "its certificate is not valid"
    if isinstance(problem, http.client.RemoteDisconnected):
        return "connection closed without an answer"
    return type(problem).__name__
