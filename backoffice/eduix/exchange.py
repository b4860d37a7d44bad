"""One HTTP exchange with Edu-iX: hardened, bounded in time and size, and masked for the record.

Over http.client and not `requests`, which costs half of a zeep call (docs/decisions/0003).
"""

from __future__ import annotations

import codecs
import http.client
import os
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


@dataclass(frozen=True)
class Exchange:
    """What went out and came back, masked (`masking.py`); `code` as received, with its sign."""

    service: str
    operation: str
    request: str
    response: str
    status: int | None
    milliseconds: int
    error: str = ""
    code: int | None = None

    def as_json(self) -> dict[str, object]:
        """For the attempt's row; `sign` is "-", "+" or empty where there is no code."""
        sign = "" if self.code is None else "-" if self.code < 0 else "+"
        return vars(self) | {"sign": sign}


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
        # Not SSLSocket's own: that takes the encryption off before it closes the line, and what is
        # being written in that moment would leave in the clear.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # closed by the other side in the same moment


_reaper = Reaper()


def _new_reaper() -> None:
    """A thread does not live on in a forked process, and cannot be started twice."""
    global _reaper
    _reaper = Reaper()


os.register_at_fork(after_in_child=_new_reaper)


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer; `date` is the partner's clock as its Date header tells it."""

    status: int
    content_type: str
    body: bytes
    date: str = ""

    @property
    def charset(self) -> str | None:
        """The character set that the Content-Type names; a byte order mark goes before it."""
        if self.body[:3] == b"\xef\xbb\xbf" or self.body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return None
        found = self.content_type.lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
        try:
            return codecs.lookup(found).name if found else None
        except LookupError:
            return None


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
        self.partner_date = ""  # the Date header of the last answer
        self.certificate_ends = ""  # of the newest connection, as OpenSSL writes it; "" over http
        self._tls: ssl.SSLContext | None = None
        if self._https:
            self._tls = ssl.create_default_context()
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, body: bytes, *, action: str) -> Answer:
        """POST an envelope. Raises `EduixUnreachable` or `EduixUncertain`."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        return self._exchange("POST", body, headers, MAX_BYTES)

    def get(self, *, max_bytes: int) -> Answer:
        """GET the address itself, for a WSDL. Raises `EduixUnreachable` or `EduixUncertain`."""
        return self._exchange("GET", None, {"Accept": "text/xml, application/xml"}, max_bytes)

    def _exchange(
        self, method: str, body: bytes | None, headers: dict[str, str], max_bytes: int
    ) -> Answer:
        connection = self._connection()
        sock: socket.socket = connection.sock
        _reaper.watch(sock, time.monotonic() + self._total_seconds)
        try:
            connection.request(
                method,
                self._path,
                body=body,
                headers=headers | {"Accept-Encoding": "identity", "User-Agent": "eduix-backoffice"},
            )
            answer, keep = _read(connection, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            in_time = _reaper.release(sock)
            connection.close()
            reason = _reason(problem) if in_time else f"no answer in {self._total_seconds:g} s"
            raise EduixUncertain(f"The line broke after the request left: {reason}.") from problem
        except EduixUncertain as problem:
            in_time = _reaper.release(sock)
            connection.close()
            if not in_time:
                raise EduixUncertain(self._late) from problem
            raise
        if not _reaper.release(sock):
            connection.close()
            raise EduixUncertain(self._late)
        self.partner_date = answer.date
        if keep:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()
        return answer

    @property
    def _late(self) -> str:
        return f"The answer took longer than {self._total_seconds:g} s."

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
        return self._connected()

    def _connected(self) -> http.client.HTTPConnection:
        """A new connection, its handshake done; raises `EduixUnreachable`: nothing has left."""
        new: http.client.HTTPConnection
        if self._tls is not None:
            new = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        else:
            new = http.client.HTTPConnection(self._host, self._port)
        new.auto_open = 0  # a request goes out over this socket or not at all
        try:
            line = socket.create_connection((self._host, self._port), timeout=CONNECT_SECONDS)
            new.sock = line
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                new.sock = self._encrypted(self._tls, line)
        except (OSError, ValueError) as problem:
            new.close()
            raise EduixUnreachable(f"Edu-iX cannot be reached: {_reason(problem)}.") from problem
        new.sock.settimeout(self._total_seconds)
        return new

    def _encrypted(self, tls: ssl.SSLContext, line: socket.socket) -> ssl.SSLSocket:
        """The handshake, within the time for connecting as a whole."""
        safe = tls.wrap_socket(line, server_hostname=self._host, do_handshake_on_connect=False)
        _reaper.watch(safe, time.monotonic() + CONNECT_SECONDS)
        try:
            safe.do_handshake()
        except BaseException as problem:
            in_time = _reaper.release(safe)
            safe.close()
            if not in_time:
                raise TimeoutError from problem
            raise
        if not _reaper.release(safe):
            safe.close()
            raise TimeoutError
        self.certificate_ends = str((safe.getpeercert() or {}).get("notAfter", ""))
        return safe


def _read(connection: http.client.HTTPConnection, max_bytes: int) -> tuple[Answer, bool]:
    """The whole answer within the size limit, and whether the connection may be kept."""
    response = connection.getresponse()
    if response.status < 200:
        # The real answer would still follow, and be taken for that of the next request.
        raise EduixUncertain(f"The answer is only an interim one (HTTP {response.status}).")
    encoding = response.getheader("Content-Encoding", "identity").lower()
    if encoding not in {"", "identity"}:
        raise EduixUncertain(f"The answer is compressed ({encoding[:20]}), unasked.")
    announced = response.getheader("Content-Length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise EduixUncertain(f"The answer is larger than {max_bytes} bytes.")
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise EduixUncertain(f"The answer is larger than {max_bytes} bytes.")
    if response.length:  # read(n) does not complain about a body that was cut short
        raise EduixUncertain("The answer was cut short.")
    answer = Answer(
        response.status,
        response.getheader("Content-Type", ""),
        body,
        response.getheader("Date", ""),
    )
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
    if isinstance(problem, ssl.SSLError):
        return "no TLS 1.2 or newer is spoken there"
    if isinstance(problem, http.client.RemoteDisconnected):
        return "connection closed without an answer"
    return type(problem).__name__
