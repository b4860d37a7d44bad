"""A notification endpoint in small: records envelopes, and refuses when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lxml import etree

from backoffice.eduix.contract import types_namespace, xsd_path

Answer = Callable[[str], tuple[int, str]]


def accept(operation: str) -> tuple[int, str]:
    body = f'<{operation}Response xmlns="{types_namespace("notification")}"/>'
    return 200, in_envelope(body)


def in_envelope(body: str) -> str:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{soap}"><s:Body>{body}</s:Body></s:Envelope>'


class Endpoint:
    """`answer` decides what comes back, given the operation; `received` holds what came."""

    def __init__(self) -> None:
        self.received: list[etree._Element] = []
        self.moments: list[float] = []
        self.answer: Answer = accept
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/soap/4.0/notification"

    def start(self) -> Endpoint:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                root = etree.fromstring(raw)
                endpoint.received.append(root)
                endpoint.moments.append(time.monotonic())
                status, text = endpoint.answer(operation_of(root))
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def bodies(self, operation: str = "") -> list[etree._Element]:
        """The requests, narrowed to one operation."""
        return [
            root[-1][0] for root in list(self.received) if operation in {"", operation_of(root)}
        ]


def operation_of(root: etree._Element) -> str:
    return etree.QName(root[-1][0]).localname.removesuffix("Request")


def text_of(body: etree._Element, name: str) -> str | None:
    """The text of a direct child; None when it is absent."""
    found: str | None = body.findtext(f"{{*}}{name}")
    return found


def notification_schema(version: str = "") -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(xsd_path("notification", version))))
