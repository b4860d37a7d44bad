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
from backoffice.eduix.http_answer import read_from

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
            self._wake.clear()  # before the look: who comes after it wakes us
            with self._lock:
                now = time.monotonic()
                for key, (deadline, connection) in list(self._watched.items()):
                    if deadline <= now:
                        del self._watched[key]
                        _cut(connection)
                idle = not self._watched
            if idle:
                self._wake.wait()
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
        name = f"[{self._host}]" if ":" in self._host else self._host
        standard = self._port == (443 if self._https else 80)
        self._fixed = (
            f"Host: {name if standard else f'{name}:{self._port}'}\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: eduix-backoffice\r\n"
        )
        self._idle: deque[tuple[float, socket.socket]] = deque()
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
        sock = self._connection()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if body is not None:
            lines += f"Content-Length: {len(body)}\r\n"
        head = f"{method} {self._path} HTTP/1.1\r\n{self._fixed}{lines}\r\n".encode("ascii")
        _reaper.watch(sock, time.monotonic() + self._total_seconds)
        try:
            sock.sendall(head + (body or b""))
            answer, keep = _read(sock, method, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            in_time = _reaper.release(sock)
            sock.close()
            reason = _reason(problem) if in_time else f"no answer in {self._total_seconds:g} s"
            raise EduixUncertain(f"The line broke after the request left: {reason}.") from problem
        except EduixUncertain as problem:
            in_time = _reaper.release(sock)
            sock.close()
            if not in_time:
                raise EduixUncertain(self._late) from problem
            raise
        if not _reaper.release(sock):
            sock.close()
            raise EduixUncertain(self._late)
        self.partner_date = answer.date
        if keep:
            self._idle.append((time.monotonic(), sock))
        else:
            sock.close()
        return answer

    @property
    def _late(self) -> str:
        return f"The answer took longer than {self._total_seconds:g} s."

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[1].close()

    def _connection(self) -> socket.socket:
        """An idle connection that still stands, else a new one."""
        while self._idle:
            try:
                since, sock = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if time.monotonic() - since < IDLE_SECONDS and _is_quiet(sock):
                return sock
            sock.close()
        return self._connected()

    def _connected(self) -> socket.socket:
        """A new connection, its handshake done; raises `EduixUnreachable`: nothing has left."""
        line: socket.socket | None = None
        try:
            line = socket.create_connection((self._host, self._port), timeout=CONNECT_SECONDS)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            new = self._encrypted(self._tls, line) if self._tls is not None else line
        except (OSError, ValueError) as problem:
            if line is not None:
                line.close()
            raise EduixUnreachable(f"Edu-iX cannot be reached: {_reason(problem)}.") from problem
        # Who watches the deadlines cuts it in time. A time-out of its own would ask the kernel
        # before each read and write, and let another thread go first each time.
        new.settimeout(None)
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


def _read(sock: socket.socket, method: str, max_bytes: int) -> tuple[Answer, bool]:
    """The whole answer within the size limit, and whether the connection may be kept."""
    response = read_from(sock, method)
    if response.status < 200:
        # The real answer would still follow, and be taken for that of the next request.
        raise EduixUncertain(f"The answer is only an interim one (HTTP {response.status}).")
    encoding = response.field("content-encoding").lower()
    if encoding not in {"", "identity"}:
        raise EduixUncertain(f"The answer is compressed ({encoding[:20]}), unasked.")
    if response.length is not None and response.length > max_bytes:
        raise EduixUncertain(f"The answer is larger than {max_bytes} bytes.")
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise EduixUncertain(f"The answer is larger than {max_bytes} bytes.")
    if response.length:  # read(n) does not complain about a body that was cut short
        raise EduixUncertain("The answer was cut short.")
    answer = Answer(response.status, response.field("content-type"), body, response.field("date"))
    return answer, not response.will_close


def _is_quiet(sock: socket.socket) -> bool:
    """An idle connection with something to read was closed by the other side."""
    if sock.fileno() < 0:
        return False
    try:
        # Not `select`: it knows no file beyond the 1,024th.
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return not poll.poll(0)
    except (OSError, ValueError):
        return False


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
