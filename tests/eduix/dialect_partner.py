"""Edu-iX in another dialect: it validates by another WSDL and lets the sandbox answer."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from backoffice.eduix import contract
from tests.eduix import variants
from tests.eduix.variants import XS, Dialect

ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


def orders(service: str) -> dict[str, list[str]]:
    """Object or message -> its elements in the order of the bundled schema."""
    root: Any = etree.parse(str(contract.xsd_path(service))).getroot()
    found = {}
    for owner in root:
        inside = [node.get("name") for node in owner.iter(f"{XS}element") if node is not owner]
        if inside:
            found[owner.get("name")] = inside
    return found


@dataclass
class Translator:
    """Between a dialect and the one that the sandbox speaks."""

    service: str
    dialect: Dialect
    wsdl: Path
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._orders = orders(self.service)
        self._theirs = variants.types_of(self.service, self.dialect)
        self._ours = contract.types_namespace(self.service)
        self._schema = etree.XMLSchema(etree.fromstring(self._standalone()))
        self._lock = threading.Lock()

    def _standalone(self) -> bytes:
        """The schema of the dialect without the WSDL around it."""
        root: Any = etree.parse(str(self.wsdl)).getroot()
        schema = root.find(f"{variants.WSDL}types/{XS}schema")
        if self.dialect.files == "inline":
            return etree.tostring(schema)
        place = (self.wsdl.parent / schema[0].get("schemaLocation")).as_uri()
        text = (
            f'<xs:schema xmlns:xs="{XS[1:-1]}"><xs:import namespace="{self._theirs}"'
            f' schemaLocation="{place}"/></xs:schema>'
        )
        return text.encode()

    def check(self, body: Any, what: str) -> None:
        """Remember what the schema of the dialect says against this message."""
        alone = etree.fromstring(etree.tostring(body))
        with self._lock:
            if not self._schema.validate(alone):
                log: Any = self._schema.error_log
                self.wrong.append(f"{what}: {log.last_error}")

    def into_ours(self, node: Any) -> None:
        """Names and order as the sandbox wants them."""
        local = etree.QName(node).localname
        node.tag = f"{{{self._ours}}}{local}"
        for child in node:
            self.into_ours(child)
        order = self._orders.get(local, [])
        node[:] = sorted(node, key=lambda one: order.index(etree.QName(one).localname))

    def into_theirs(self, node: Any, *, top: bool = True) -> None:
        """Names and order as the dialect has them."""
        local = etree.QName(node).localname
        node.tag = f"{{{self._theirs}}}{local}" if top or self.dialect.qualified else local
        for child in node:
            self.into_theirs(child, top=False)
        if self.dialect.reversed:
            order = self._orders.get(local, [])
            node[:] = sorted(node, key=lambda one: -order.index(etree.QName(one).localname))

    def header(self, node: Any) -> None:
        """A header as the sandbox wants it; its namespaces must be those of the dialect."""
        spaces = [etree.QName(one).namespace for one in node.iter()]
        space = self._theirs
        if self.dialect.headers == "wsdl":
            space = self.dialect.wsdl.format(self.service)
        inside = self._theirs if self.dialect.qualified else None
        if spaces != [space] + [inside] * (len(spaces) - 1):
            self.wrong.append(f"header in {spaces}")
        self.into_ours(node)

    def request(self, raw: bytes) -> bytes:
        """A request of the client as the sandbox wants it."""
        root: Any = etree.fromstring(raw)
        body = root.find(f"{ENVELOPE}Body")[0]
        self.check(body, etree.QName(body).localname)
        self.into_ours(body)
        for header in root.iterfind(f"{ENVELOPE}Header/*"):
            self.header(header)
        return etree.tostring(root)

    def answer(self, raw: bytes) -> bytes:
        """An answer of the sandbox as the dialect has it."""
        root: Any = etree.fromstring(raw)
        body = root.find(f"{ENVELOPE}Body")[0]
        if body.tag == f"{ENVELOPE}Fault":
            if self.dialect.bare_faults:
                code = body.find(".//{*}code").text
                body.find("faultcode").text = f"ns1:{code}"
                body.remove(body.find("detail"))
            return etree.tostring(root)
        self.into_theirs(body)
        self.check(body, etree.QName(body).localname)
        return etree.tostring(root)


@contextmanager
def partner(translator: Translator, behind: str) -> Iterator[str]:
    """A server in this dialect in front of an address of the sandbox."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            root: Any = etree.fromstring(raw)
            operation = etree.QName(root.find(f"{ENVELOPE}Body")[0]).localname
            expected = f'"{translator.dialect.action}{operation.removesuffix("Request")}"'
            if translator.dialect.action and self.headers["SOAPAction"] != expected:
                translator.wrong.append(f"SOAPAction {self.headers['SOAPAction']}")
            parts = urlsplit(behind)
            line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
            line.request("POST", parts.path, translator.request(raw), {"Content-Type": "text/xml"})
            answer = line.getresponse()
            body = translator.answer(answer.read())
            line.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/soap/{translator.service}"
    finally:
        server.shutdown()
        server.server_close()
