"""SOAP with Edu-iX: zeep builds and reads the envelopes, our own transport carries them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import zeep
import zeep.exceptions
from lxml import etree
from zeep.transports import Transport as ZeepTransport

from backoffice.eduix import contract
from backoffice.eduix.errors import (
    GENERAL_ERROR,
    EduixContractBroken,
    EduixError,
    EduixRefused,
    EduixUncertain,
    fault_code,
)
from backoffice.eduix.exchange import Answer, Exchange, Transport, masked

SOAP: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"

_SETTINGS = zeep.Settings(
    strict=True,
    forbid_dtd=True,
    forbid_entities=True,
    forbid_external=True,
    xml_huge_tree=False,
)

_recorder: ContextVar[list[Exchange] | None] = ContextVar("eduix_recorder", default=None)


@contextmanager
def recording() -> Iterator[list[Exchange]]:
    """Collect the masked exchanges of this thread, for the attempt's row."""
    exchanges: list[Exchange] = []
    token = _recorder.set(exchanges)
    try:
        yield exchanges
    finally:
        _recorder.reset(token)


class _WsdlFromFile(ZeepTransport):  # type: ignore[misc]  # zeep is untyped here
    """Loads WSDL and XSD from files; an address is read only when the settings name one."""

    def __init__(self, *, remote: bool) -> None:
        super().__init__(timeout=10, operation_timeout=10)
        self.session.trust_env = False
        self.session.max_redirects = 0
        self._remote = remote

    def load(self, url: str) -> bytes:
        if not self._remote and "://" in str(url):
            raise EduixContractBroken("The bundled WSDL refers to an address.")
        return bytes(super().load(url))


class SoapClient:
    """One service: `call()` sends an operation and returns zeep's answer object.

    Knows local names of operations and elements, never a namespace, so that another WSDL can
    take the place of the bundled one without a change in code.
    """

    def __init__(
        self, service: str, *, address: str, wsdl: str = "", total_seconds: float = 30.0
    ) -> None:
        self.service = service
        location = wsdl or str(contract.wsdl_path(service))
        self._client = zeep.Client(
            location,
            transport=_WsdlFromFile(remote=bool(wsdl)),
            settings=_SETTINGS,
        )
        definition = next(iter(self._client.wsdl.services.values()))
        self._port = next(iter(definition.ports.values()))
        self._proxy = self._client.bind(definition.name, self._port.name)
        self._transport = Transport(
            address or self._port.binding_options["address"], total_seconds=total_seconds
        )
        self._schema_path: Path | None = None if wsdl else contract.xsd_path(service)
        self._threads = threading.local()

    def call(self, operation: str, *, headers: dict[str, Any], **arguments: Any) -> Any:
        """Send one operation; None for an empty response.

        Raises the four errors of `errors.py`, and nothing else on purpose.
        """
        envelope = self._build(operation, headers, arguments)
        started = time.monotonic()
        answer: Answer | None = None
        problem: EduixError | None = None
        try:
            answer = self._transport.post(envelope, action=self._action(operation))
            return self._read(operation, answer)
        except EduixError as error:
            problem = error
            raise
        finally:
            exchanges = _recorder.get()
            if exchanges is not None:
                exchanges.append(
                    Exchange(
                        service=self.service,
                        operation=operation,
                        request=masked(envelope),
                        response=masked(answer.body) if answer else "",
                        status=answer.status if answer else None,
                        milliseconds=round((time.monotonic() - started) * 1000),
                        error=problem.text if problem else "",
                    )
                )

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _action(self, operation: str) -> str:
        return str(self._port.binding.get(operation).soapaction or "")

    def _build(self, operation: str, headers: dict[str, Any], arguments: dict[str, Any]) -> bytes:
        """The envelope as bytes, held against the schema: zeep sends too long values silently."""
        try:
            envelope = self._client.create_message(
                self._proxy, operation, _soapheaders=headers, **arguments
            )
        except (zeep.exceptions.Error, TypeError, ValueError, AttributeError) as problem:
            raise EduixContractBroken(
                f"{operation} cannot be written: {type(problem).__name__}."
            ) from problem
        body = envelope.find(f"{SOAP}Body")
        request = body[0] if body is not None and len(body) else None
        schema = self._schema()
        if schema is not None and request is not None and not schema.validate(request):
            log: Any = schema.error_log  # iterable, whatever its stubs say
            where = next((str(error.path).rpartition("/")[2] for error in log), "")
            raise EduixContractBroken(f"{operation} does not fit the schema at {where}.")
        return bytes(
            etree.tostring(envelope, xml_declaration=True, encoding="utf-8", pretty_print=False)
        )

    def _schema(self) -> etree.XMLSchema | None:
        """One per thread: shared over threads libxml2 loses the reason of some rejections."""
        if self._schema_path is None:
            return None
        schema: etree.XMLSchema | None = getattr(self._threads, "schema", None)
        if schema is None:
            schema = self._threads.schema = etree.XMLSchema(etree.parse(str(self._schema_path)))
        return schema

    def _read(self, operation: str, answer: Answer) -> Any:
        envelope = _parsed(answer)
        body = envelope.find(f"{SOAP}Body")
        if body is None or envelope.tag != f"{SOAP}Envelope":
            raise EduixUncertain(f"The answer (HTTP {answer.status}) is not a SOAP envelope.")
        fault = body.find(f"{SOAP}Fault")
        if fault is not None:
            raise _refusal(fault, on_login=operation == "login")
        expected = f"{operation}Response"
        first = next(iter(body), None)  # comments were removed while parsing
        if answer.status != 200 or first is None or etree.QName(first).localname != expected:
            raise EduixUncertain(f"The answer (HTTP {answer.status}) is not a {expected}.")
        try:
            return self._port.binding.get(operation).output.deserialize(envelope)
        except (
            zeep.exceptions.Error,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
        ) as problem:
            raise EduixUncertain(f"The {expected} cannot be read.") from problem


def _parsed(answer: Answer) -> etree._Element:
    """The answer as XML without DTD or entities; raises `EduixUncertain`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(answer.body, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise EduixUncertain(f"The answer (HTTP {answer.status}) is not XML.") from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise EduixUncertain("The answer holds a DTD.")
    return root


def _refusal(fault: etree._Element, *, on_login: bool) -> EduixError:
    """The Fault as an error: `EduixRefused`, or uncertain for the code that means success."""
    faultstring = (fault.findtext("faultstring") or "").strip()
    detail = fault.find("detail")
    code_text, message = None, ""
    if detail is not None:
        for element in detail.iter():
            name = etree.QName(element).localname
            text = (element.text or "").strip()
            if name == "code" and text and code_text is None:
                code_text = text
            elif name == "message" and text and not message:
                message = text
    code = fault_code(code_text, (fault.findtext("faultcode") or "").strip(), faultstring)
    text = message or faultstring
    if code == 0:  # "success" inside a Fault: believe neither, ask
        return EduixUncertain("Edu-iX answered with a Fault whose code means success.")
    return EduixRefused(code if code is not None else GENERAL_ERROR, text, on_login=on_login)
