"""HTTP/1.1 on loopback, from the standard library: connections stay open, one write an answer."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from backoffice.eduix.contract import endpoint_path, wsdl_document

from . import control_api
from .controls import Controls
from .envelope import ENCODINGS
from .options import LOOPBACK
from .reply import TEXT, Reply
from .soap import SoapService
from .spoil import ELSEWHERE
from .visit import Page, Visit

logger = logging.getLogger(__name__)

_XML_TYPES: Final = frozenset({"text/xml", "application/xml"})


class BadBody(Exception):
    """The body cannot be read; the arguments are the HTTP status and a line of text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Application:
    """What a server serves; `url` is its own address."""

    services: dict[str, SoapService]
    controls: Controls
    url: str
    max_bytes: int
    page: Page | None = None

    def service_at(self, path: str) -> tuple[str, bool] | None:
        """The service at this path, and whether its WSDL is meant."""
        for name in self.services:
            base = endpoint_path(name)
            if path.rstrip("/") == base:
                return name, False
            if path.rstrip("/") == f"{base}/wsdl":
                return name, True
        return None


class HttpServer(ThreadingHTTPServer):
    """A thread per connection; `stop` ends those connections too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        """Take the port at once; raises `OSError` when it is in use."""
        self.application: Application | None = None
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        problem = sys.exception()
        if not isinstance(problem, ConnectionError | TimeoutError):
            lines = traceback.format_exception(problem)
            logger.error("sandbox_connection_failed", extra={"traceback": "".join(lines)})

    def stop(self) -> None:
        """Accept no more, and cut every connection: a client must not meet a ghost."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its other side was faster


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole, lets the application answer, sends the answer whole."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "eduix-sandbox"
    sys_version = ""
    timeout = 300
    server: HttpServer

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing: the ledger holds every call."""

    def _handle(self) -> None:
        try:
            raw = self._body()
        except BadBody as problem:
            self.close_connection = True  # what is left of the body is not a next request
            self._send(Reply(problem.status, f"{problem}\n".encode(), TEXT))
            return
        self._send(self._route(raw))

    def _route(self, raw: bytes) -> Reply:
        application = self.server.application
        if application is None:
            return Reply(503, b"The sandbox is starting.\n", TEXT)
        parts = urlsplit(self.path)
        if parts.path == "/healthz":
            return Reply(200, b"ok\n", TEXT)
        if parts.path.startswith("/control/"):
            return self._control(application, parts.path, parts.query, raw)
        if parts.path == ELSEWHERE:
            application.controls.note_visitor(self.command)
            return Reply(404, b"You should not have followed.\n", TEXT)
        if application.page is not None and application.page.owns(parts.path):
            return self._page(application, application.page, parts.path, parts.query, raw)
        service = application.service_at(parts.path)
        if service is None:
            return Reply(404, b"There is nothing here.\n", TEXT)
        name, wsdl = service
        if self.command == "GET" and (wsdl or parts.query.lower() == "wsdl"):
            address = application.url + endpoint_path(name)
            return Reply(200, wsdl_document(name, address=address))
        if self.command != "POST" or wsdl:
            allowed = {"Allow": "GET" if wsdl else "POST"}
            return Reply(405, b"This method is not allowed here.\n", TEXT, allowed)
        return self._soap(application.services[name], raw)

    def _soap(self, service: SoapService, raw: bytes) -> Reply:
        content_type = self.headers.get_content_type()
        charset = self.headers.get_content_charset()
        if content_type not in _XML_TYPES or self.headers.get("Content-Encoding"):
            return Reply(415, b"The content type must be text/xml.\n", TEXT)
        if charset is not None and charset not in ENCODINGS:
            return Reply(415, b"This character set is not supported.\n", TEXT)
        return service.answer(raw, charset)

    def _control(self, application: Application, path: str, query: str, raw: bytes) -> Reply:
        # A page in a browser on this machine must not steer the sandbox: its requests carry
        # another host, or a body type that needs no permission to be sent.
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in LOOPBACK:
            return Reply(403, b"The controls are for loopback only.\n", TEXT)
        if self.command == "POST" and self.headers.get_content_type() != "application/json":
            return Reply(415, b"The content type must be application/json.\n", TEXT)
        name = path.removeprefix("/control/").rstrip("/")
        return control_api.answer(
            application.controls, self.command, name, dict(parse_qsl(query)), raw
        )

    def _page(
        self, application: Application, page: Page, path: str, query: str, raw: bytes
    ) -> Reply:
        """The page for a browser on this machine; its forms must come from the page itself."""
        host = self.headers.get("Host", "")
        if urlsplit(f"//{host}").hostname not in LOOPBACK:
            return Reply(403, b"The page is for loopback only.\n", TEXT)
        language = self.headers.get("Accept-Language", "")[:2].lower()
        asked = dict(parse_qsl(query))
        if self.command in {"GET", "HEAD"}:
            return page.answer(application.controls, Visit(path, asked, None, language))
        # A browser names the origin of every form it posts; another page cannot forge it.
        if self.headers.get("Origin") != f"http://{host}":
            return Reply(403, b"This form does not come from the page itself.\n", TEXT)
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return Reply(415, b"A form is expected.\n", TEXT)
        try:
            form = dict(parse_qsl(raw.decode(), max_num_fields=40))
        except ValueError:
            return Reply(400, b"The form cannot be read.\n", TEXT)
        return page.answer(application.controls, Visit(path, asked, form, language))

    def _body(self) -> bytes:
        """The whole body; raises `BadBody` for what cannot be framed or is too large."""
        application = self.server.application
        most = application.max_bytes if application else 0
        lengths = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding"):
            if lengths or self.headers["Transfer-Encoding"].lower() != "chunked":
                raise BadBody(400, "The length of the body is not clear.")
            return self._chunks(most)
        if not lengths:
            if self.command == "POST":
                raise BadBody(411, "A length is required.")
            return b""
        if len(set(lengths)) > 1 or not lengths[0].isascii() or not lengths[0].isdecimal():
            raise BadBody(400, "The length of the body is not clear.")
        length = int(lengths[0][:20])
        if length > most:
            raise BadBody(413, "The body is too large.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise BadBody(400, "The body is cut short.")
        return body

    def _chunks(self, most: int) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > most:
                raise BadBody(413, "The body is too large.")
            chunk = self.rfile.read(size)
            if len(chunk) < size or self.rfile.readline(3) not in {b"\r\n", b"\n"}:
                raise BadBody(400, "A chunk is cut short.")
            body += chunk
        while self.rfile.readline(8192) not in {b"\r\n", b"\n", b""}:
            continue  # trailers
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self.rfile.readline(256).split(b";")[0].strip()
        if not line or len(line) > 8 or line.strip(b"0123456789abcdefABCDEF"):
            raise BadBody(400, "A chunk has no size.")
        return int(line, 16)

    def _send(self, reply: Reply) -> None:
        if reply.drop or reply.cut_at is not None:
            self.close_connection = True
        if reply.drop:
            return
        head = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            f"Server: {self.server_version}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *[f"{name}: {value}" for name, value in reply.headers.items()],
            # Not told before a cut: nothing may announce it.
            *(["Connection: close"] if self.close_connection and reply.cut_at is None else []),
        ]
        body = b"" if self.command == "HEAD" else reply.body[: reply.cut_at]
        # One write for head and body: the second of two would wait for an acknowledgement.
        whole = "\r\n".join([*head, "", ""]).encode("latin-1") + body
        if not reply.drip:
            self.wfile.write(whole)
            return
        for place in range(len(whole)):  # stopping the server cuts the line and ends this
            self.wfile.write(whole[place : place + 1])
            time.sleep(reply.drip)
