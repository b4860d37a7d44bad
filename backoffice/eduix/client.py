"""SOAP with Edu-iX: zeep builds and reads the envelopes, our own transport carries them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from lxml import etree

from backoffice.eduix.dialect import NOT_WRITTEN, Dialect, dialect_of
from backoffice.eduix.errors import (
    GENERAL_ERROR,
    EduixContractBroken,
    EduixError,
    EduixRefused,
    EduixUncertain,
    fault_code,
)
from backoffice.eduix.exchange import TOTAL_SECONDS, Answer, Exchange, Transport
from backoffice.eduix.masking import WORDS, Concealer, masked, masked_bytes
from backoffice.eduix.patterns import Filled, NoPattern, sent_of

MOST_DONE: Final = 64
MOST_DONE_BYTES: Final = 2000
SOAP: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"

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


class Done:
    """Answers that say no more than "done": the next one of the same bytes says it too.

    Kept as they may be kept, which for these does not depend on the request.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, bytes], str] = {}

    def kept(self, operation: str, answer: Answer) -> str | None:
        """The masked text of an answer that was read before; None for any other."""
        if answer.status != 200:
            return None
        return self._known.get((operation, answer.content_type, answer.body))

    def learn(self, operation: str, answer: Answer) -> None:
        """This one was read, whole, and held nothing."""
        is_small = len(answer.body) <= MOST_DONE_BYTES and len(self._known) < MOST_DONE
        if is_small and not any(word.encode() in answer.body for word in WORDS):
            key = operation, answer.content_type, answer.body
            self._known[key] = masked_bytes(answer.body, answer.content_type, Concealer())


class SoapClient:
    """One service: `call()` sends an operation and returns zeep's answer object.

    Knows local names of operations and elements, never a namespace, so that another WSDL can
    take the place of the bundled one without a change in code. What the WSDL says is read once
    per process; clients of the same WSDL share it. Raises `EduixMisfit` for an unusable WSDL.
    """

    def __init__(
        self, service: str, *, address: str, wsdl: str = "", total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self.service = service
        self.dialect: Dialect = dialect_of(service, wsdl)
        self.address = address or self.dialect.address
        self._transport = Transport(self.address, total_seconds=total_seconds)
        self._done = Done()

    def call(self, operation: str, *, headers: dict[str, Any], **arguments: Any) -> Any:
        """Send one operation; None for an empty response.

        Raises the four errors of `errors.py`, and nothing else on purpose; what an error says
        holds no value that we sent.
        """
        written = self._written(operation, headers, arguments)
        hide = Concealer.of_sent(written.sent)
        started = time.monotonic()
        answer: Answer | None = None
        problem: EduixError | None = None
        try:
            answer = self._transport.post(written.sent, action=self.dialect.forms[operation].action)
            if self._done.kept(operation, answer) is not None:
                return None
            read = self._read(operation, answer)
            if read is None:
                self._done.learn(operation, answer)
            return read
        except EduixError as error:
            error.conceal(hide)
            problem = error
            raise
        finally:
            exchanges = _recorder.get()
            if exchanges is not None:
                took = round((time.monotonic() - started) * 1000)
                exchanges.append(self._exchange(operation, written, answer, hide, took, problem))

    def preview(self, operation: str, *, headers: dict[str, Any], **arguments: Any) -> str:
        """The envelope that `call` would send, masked and indented; nothing leaves."""
        envelope = self._build(operation, headers, arguments)
        etree.indent(envelope)
        return masked(envelope)

    @property
    def certificate_ends(self) -> str:
        """As OpenSSL writes it; empty over http and before the first call."""
        return self._transport.certificate_ends

    @property
    def partner_date(self) -> str:
        """The Date header of the last answer; empty without one."""
        return self._transport.partner_date

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _exchange(
        self,
        operation: str,
        written: Filled,
        answer: Answer | None,
        hide: Concealer,
        milliseconds: int,
        problem: EduixError | None,
    ) -> Exchange:
        has_code = isinstance(problem, EduixRefused) and problem.has_code
        response = ""
        if answer is not None:
            known = self._done.kept(operation, answer) if problem is None else None
            response = known or masked_bytes(answer.body, answer.content_type, hide)
        return Exchange(
            service=self.service,
            operation=operation,
            request=written.masked,
            response=response,
            status=answer.status if answer else None,
            milliseconds=milliseconds,
            error=problem.text if problem else "",
            code=getattr(problem, "code", None) if has_code else None,
        )

    def _written(
        self, operation: str, headers: dict[str, Any], arguments: dict[str, Any]
    ) -> Filled:
        """The envelope as it is sent and as it may be kept, held against the schema."""
        try:
            written = self.dialect.filled(operation, headers, arguments)
        except (NoPattern, *NOT_WRITTEN):
            envelope = self._build(operation, headers, arguments)
            return Filled(sent_of(envelope), masked(envelope))
        self._check(operation, etree.fromstring(written.sent, _ours()))
        return written

    def _build(
        self, operation: str, headers: dict[str, Any], arguments: dict[str, Any]
    ) -> etree._Element:
        """The envelope, held against the schema: zeep sends too long values silently."""
        try:
            envelope = self.dialect.envelope(operation, headers, arguments)
        except NOT_WRITTEN as problem:
            raise EduixContractBroken(
                f"{operation} cannot be written: {type(problem).__name__}."
            ) from problem
        self._check(operation, envelope)
        return envelope

    def _check(self, operation: str, envelope: etree._Element) -> None:
        where = self.dialect.problem(envelope[-1][0])
        if where:
            raise EduixContractBroken(f"{operation} does not fit the schema at {where}.")

    def _read(self, operation: str, answer: Answer) -> Any:
        envelope = _parsed(answer)
        body = envelope.find(f"{SOAP}Body")
        if body is None or envelope.tag != f"{SOAP}Envelope":
            raise EduixUncertain(f"The answer (HTTP {answer.status}) is not a SOAP envelope.")
        fault = body.find(f"{SOAP}Fault")
        if fault is not None:
            raise _refusal(fault, on_login=operation == "login")
        expected = self.dialect.forms[operation].response.qname.localname
        first = next(iter(body), None)  # comments were removed while parsing
        if answer.status != 200 or first is None or etree.QName(first).localname != expected:
            raise EduixUncertain(f"The answer (HTTP {answer.status}) is not a {expected}.")
        try:
            return self.dialect.read(operation, first)
        except NOT_WRITTEN as problem:
            raise EduixUncertain(f"The {expected} cannot be read.") from problem


class _Ours(threading.local):
    """A parser a thread: a shared one would make the threads wait for each other."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(resolve_entities=False, no_network=True, collect_ids=False)


_local = _Ours()


def _ours() -> etree.XMLParser:
    """For what we have written ourselves."""
    return _local.parser


def _parsed(answer: Answer) -> etree._Element:
    """The answer as XML without DTD or entities; raises `EduixUncertain`."""
    parser = etree.XMLParser(
        encoding=answer.charset,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(answer.body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as problem:
        raise EduixUncertain(f"The answer (HTTP {answer.status}) is not XML.") from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise EduixUncertain("The answer holds a DTD.")
    return root


def _refusal(fault: etree._Element, *, on_login: bool) -> EduixError:
    """The Fault as an error: `EduixRefused`, or uncertain for the code that means success."""
    faultstring = _text(fault.find("{*}faultstring"))
    detail = fault.find("{*}detail")
    code_text, message = None, ""
    for element in detail.iter() if detail is not None else ():
        name = etree.QName(element).localname
        text = (element.text or "").strip()
        if name == "code" and text and code_text is None:
            code_text = text
        elif name == "message" and text and not message:
            message = text
    code = fault_code(code_text, _text(fault.find("{*}faultcode")), faultstring)
    text = message or faultstring
    if code == 0:  # "success" inside a Fault: believe neither, ask
        return EduixUncertain("Edu-iX answered with a Fault whose code means success.")
    return EduixRefused(
        GENERAL_ERROR if code is None else code, text, on_login=on_login, has_code=code is not None
    )


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
