"""A server for tests of the load: real sockets, answers of the test's choice."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving(reply: Callable[[bytes], bytes]) -> Iterator[int]:
    """The port of a server that gives `reply(body)` to each request; b"" hangs up."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := _head(self.rfile.readline):
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                answer = reply(self.rfile.read(int(length[1]) if length else 0))
                if not answer:
                    return
                self.wfile.write(answer)

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def _head(readline: Callable[[], bytes]) -> bytes:
    lines = []
    while (line := readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join(lines)
