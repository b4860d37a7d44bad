"""One HTTP answer from a socket, read by http.client with a plain table of its header fields.

http.client itself reads the fields as an e-mail, which costs more than the rest of the answer.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import Any, Final

MOST_FIELDS: Final = 100
LONGEST_LINE: Final = 65_536  # both as in http.client


class Fields:
    """The header fields of an answer; names without regard to case, in the order they came."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._found: dict[str, list[str]] = {}
        last: list[str] | None = None
        for line in lines:
            text = line.decode("iso-8859-1").rstrip("\r\n")
            if text[:1] in (" ", "\t"):  # the field goes on; long out of use
                if last is not None:
                    last[-1] = f"{last[-1]} {text.strip()}".strip()
                continue
            name, colon, value = text.partition(":")
            if not colon or not name or name != name.strip():
                raise http.client.HTTPException("a header line that is none")
            last = self._found.setdefault(name.lower(), [])
            last.append(value.strip())

    def get(self, name: str, failobj: Any = None) -> Any:
        """The first value of a field."""
        found = self._found.get(name.lower())
        return found[0] if found else failobj

    def get_all(self, name: str, failobj: Any = None) -> Any:
        """All values of a field."""
        return self._found.get(name.lower()) or failobj


class Response(http.client.HTTPResponse):
    """An answer whose lengths, chunks and end http.client works out; interim ones are left alone.

    A 100 is passed over; any other answer below 200 is for the caller to refuse.
    """

    def begin(self) -> None:
        """Read the status line and the fields, and find out how the body ends."""
        status, reason, version = self._head()
        while status == http.client.CONTINUE:
            status, reason, version = self._head()
        self.code = self.status = status
        self.reason = reason
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.chunked = self.fields.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._closes()
        self.length = self._length()
        if self.length is None and not self.chunked:
            self.will_close = True

    def field(self, name: str) -> str:
        """A header field; several of one name are put together, none is empty."""
        return ", ".join(self.fields.get_all(name, ()))

    def _head(self) -> tuple[int, str, str]:
        line = self._line()
        version, _blank, rest = line.decode("iso-8859-1").rstrip("\r\n").partition(" ")
        number, _blank, reason = rest.strip().partition(" ")
        if not line:
            raise http.client.RemoteDisconnected("no answer")
        if not version.startswith("HTTP/1.") or not (number.isdecimal() and len(number) == 3):
            raise http.client.BadStatusLine("no HTTP status line")
        self.fields = Fields(self._field_lines())
        return int(number), reason.strip(), version

    def _field_lines(self) -> Iterator[bytes]:
        for _ in range(MOST_FIELDS + 1):
            line = self._line()
            if line in (b"\r\n", b"\n"):
                return
            if not line:
                raise http.client.IncompleteRead(b"")
            yield line
        raise http.client.HTTPException("too many header fields")

    def _line(self) -> bytes:
        line: bytes = self.fp.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise http.client.LineTooLong("header line")
        return line

    def _closes(self) -> bool:
        asked = self.field("connection").lower()
        if self.version == 11:
            return "close" in asked
        return "keep-alive" not in asked

    def _length(self) -> int | None:
        if self.status in (http.client.NO_CONTENT, http.client.NOT_MODIFIED):
            return 0
        if self.chunked:
            return None
        told = set(self.fields.get_all("content-length", ()))
        if len(told) > 1:  # somebody on the way may have believed the other one
            raise http.client.HTTPException("two lengths")
        text = next(iter(told), "")
        return int(text) if text.isdecimal() else None


def read_from(sock: socket.socket, method: str) -> Response:
    """The head of the answer that comes now; raises what http.client raises, and `OSError`."""
    response = Response(sock, method=method)
    response.begin()
    return response
