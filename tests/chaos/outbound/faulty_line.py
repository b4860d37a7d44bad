"""A line between the product and its partner that spoils answers after the partner has acted.

It forwards each request whole, reads the answer whole, and then does to it what was planned for
this intent, once; what was not planned passes unchanged.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Intent = tuple[str, int]  # the operation, and the number in its keys

SILENCE_SECONDS: Final = 60.0  # longer than any total deadline of a sender
PAGE: Final = b"<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OPERATION: Final = re.compile(rb"<(?:[\w.-]+:)?(\w+)Request[ >]")
_NUMBER: Final = re.compile(rb">[A-Z](\d{6})<")


@dataclass
class FaultyLine:
    """`plan` says which fault meets which intent; `address` is where the product finds it."""

    upstream: int
    seed: int = 1
    plan: dict[Intent, str] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)  # faults that were made
    address: str = ""

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311  chooses bytes, keeps no secret
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def open(self) -> Iterator[FaultyLine]:
        """Listen on loopback in a thread; afterwards no connection is left."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()

    def _serve(self, listener: socket.socket) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(self._talk, sock=listener))
        loop.run_forever()
        server.close()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        partner: Streams | None = None
        try:
            while request := await _message(reader):
                if partner is None:
                    partner = await asyncio.open_connection("127.0.0.1", self.upstream)
                answer = await _forward(request, partner)
                fault = self._planned(request)
                if not fault:
                    writer.write(answer)
                    await writer.drain()
                elif not await self._spoil(fault, request, answer, (reader, writer), partner):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # one side went away, which the other will notice
        except asyncio.CancelledError:
            return  # the line is closed
        finally:
            for one in (writer, *((partner[1],) if partner else ())):
                one.close()

    def _planned(self, request: bytes) -> str:
        operation, number = _OPERATION.search(request), _NUMBER.search(request)
        if operation is None or number is None:
            return ""
        fault = self.plan.pop((operation[1].decode(), int(number[1])), "")
        if fault:
            self.met[fault] += 1
        return fault

    async def _spoil(
        self, fault: str, request: bytes, answer: bytes, product: Streams, partner: Streams
    ) -> bool:
        """What happens to the answer; False when that ended the connection."""
        reader, writer = product
        if fault == "duplicate request":
            writer.write(await _forward(request, partner))
            await writer.drain()
            return True
        if fault == "silence":
            await asyncio.wait_for(reader.read(1), SILENCE_SECONDS)  # until the product hangs up
            return False
        if fault == "RST":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        writer.write(SPOILED[fault](answer, self._random))
        await writer.drain()
        return False


def _http(status: str, body: bytes, content_type: str = "text/xml; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


SPOILED: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    "504 html": lambda _answer, _random: _http("504 Gateway Time-out", PAGE, "text/html"),
    "truncate": lambda answer, random: answer[: random.randrange(1, len(answer) - 1)],
    "empty 200": lambda _answer, _random: _http("200 OK", b""),
    "garbage": lambda _answer, random: random.choice(
        [random.randbytes(200), _http("200 OK", random.randbytes(200))]
    ),
}
"""Fault -> the bytes that the product reads instead, before the connection ends."""

FAULTS: Final = ("RST", "silence", *SPOILED, "duplicate request")


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP message with its body; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _forward(request: bytes, partner: Streams) -> bytes:
    reader, writer = partner
    writer.write(request)
    await writer.drain()
    answer = await _message(reader)
    if not answer:
        raise ConnectionResetError("the partner hung up")
    return answer
