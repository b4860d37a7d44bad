"""Two ways to call a sandbox: zeep, as a client would, and plain XML for what zeep cannot send."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import requests
import urllib3
import zeep
from lxml import etree
from zeep.transports import Transport

from backoffice.eduix.contract import OPERATIONS, types_namespace
from backoffice.eduix_sandbox.server import SandboxServer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

Content = Mapping[str, Any] | str | int | None


def service_of(operation: str) -> str:
    return next(name for name in ("profile", "credit") if operation in OPERATIONS[name])


def transport() -> Transport:
    session = requests.Session()
    session.trust_env = False
    return Transport(session=session, timeout=10, operation_timeout=10)


@cache
def _client(service: str) -> zeep.Client:
    """Loaded once per test run, from the WSDL that a sandbox serves."""
    with SandboxServer(schools=[]) as sandbox:
        url = {"profile": sandbox.profile_url, "credit": sandbox.credit_url}[service]
        return zeep.Client(f"{url}/wsdl", transport=transport())


class Caller:
    """A client of one sandbox that logs in when it must and keeps its sessions."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self.sessions: dict[str, str] = {}
        self._proxies: dict[str, Any] = {}

    def proxy(self, service: str) -> Any:
        if service not in self._proxies:
            client = _client(service)
            (binding,) = client.wsdl.bindings
            url = {"profile": self.sandbox.profile_url, "credit": self.sandbox.credit_url}[service]
            self._proxies[service] = client.create_service(binding, url)
        return self._proxies[service]

    def login_header(self) -> dict[str, str]:
        return {"username": self.sandbox.username, "password": self.sandbox.password}

    def log_in(self, service: str) -> str:
        header = {"loginHeader": self.login_header()}
        self.sessions[service] = self.proxy(service).login(_soapheaders=header)
        return self.sessions[service]

    def header(self, operation: str) -> dict[str, Any]:
        """The header of an operation, with the session of its service."""
        service = service_of(operation)
        session = self.sessions.get(service) or self.log_in(service)
        inside = {"sessionIDHeader": {"sessionID": session}}
        return {"authHeader": inside} if operation.startswith("get") else inside

    def call(self, operation: str, *, headers: dict[str, Any] | None = None, **request: Any) -> Any:
        """What zeep makes of the answer; raises its `Fault` when refused."""
        proxy = self.proxy(service_of(operation))
        used = self.header(operation) if headers is None else headers
        return getattr(proxy, operation)(**request, _soapheaders=used)

    def refused(self, operation: str, **request: Any) -> int:
        """The code, without its sign, that the call is refused with."""
        return abs(self.signed_refusal(operation, **request))

    def signed_refusal(self, operation: str, **request: Any) -> int:
        try:
            answer = self.call(operation, **request)
        except zeep.exceptions.Fault as fault:
            return int(fault.detail.findtext(".//{*}Fault/{*}code"))
        raise AssertionError(f"{operation} was not refused but answered {answer!r}")


def xml(name: str, content: Content) -> str:
    """An element in the prefix t; a mapping becomes its children, None an empty element."""
    if isinstance(content, Mapping):
        inside = "".join(xml(key, value) for key, value in content.items())
    else:
        inside = "" if content is None else escape(str(content))
    return f"<t:{name}>{inside}</t:{name}>"


def envelope(service: str, body: str, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    namespaces = f'xmlns:s="{SOAP}" xmlns:t="{types_namespace(service)}"'
    text = f"<s:Envelope {namespaces}>{head}<s:Body>{body}</s:Body></s:Envelope>"
    return text.encode()


def post(sandbox: SandboxServer, service: str, body: bytes, **headers: str) -> Any:
    """The HTTP response of urllib3 to these bytes."""
    url = {"profile": sandbox.profile_url, "credit": sandbox.credit_url}[service]
    sent = {"Content-Type": "text/xml; charset=utf-8"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return urllib3.request("POST", url, body=body, headers=sent, retries=False, timeout=10)


def send(caller: Caller, operation: str, content: Content) -> Any:
    """Post a request of any content with a good header."""
    service = service_of(operation)
    header = "".join(xml(name, inside) for name, inside in caller.header(operation).items())
    body = envelope(service, xml(f"{operation}Request", content), header)
    return post(caller.sandbox, service, body)


def code_of(response: Any) -> int:
    """The code in a Fault, without its sign; 0 when the answer is no Fault."""
    text = etree.fromstring(response.data).findtext(".//{*}detail/{*}Fault/{*}code")
    return abs(int(text)) if text else 0
