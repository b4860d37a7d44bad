"""What the door answers, and why it refuses; every text is fixed, nothing echoes the sender.

A wrong envelope gets a SOAP 1.1 Fault with HTTP 500, because SOAP 1.1 wants that; whatever is
wrong before there is an envelope gets a plain HTTP status. `detail/Fault/code` carries the code of
Edu-iX negative, since negative means error in the service's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final
from xml.sax.saxutils import escape

from backoffice.eduix.contract import types_namespace
from notifications.models import Refusal

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XML_TYPE: Final = "text/xml; charset=utf-8"
TEXT_TYPE: Final = "text/plain; charset=utf-8"

PHRASES: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

# The general codes of Edu-iX, as its documentation numbers them for all services.
UNFORESEEN: Final = 1
AUTHENTICATION: Final = 2
DATABASE: Final = 3
INCORRECT: Final = 6
NOT_IMPLEMENTED: Final = 10
LOCKED: Final = 11

Reason = Refusal.Reason

_NAMESPACE: Final = types_namespace("notification").encode()


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE
    headers: tuple[tuple[str, str], ...] = ()

    @cached_property
    def status_line(self) -> str:
        """`200 OK`."""
        return f"{self.status} {PHRASES[self.status]}"

    def in_version(self, version: str) -> Answer:
        """A Fault as that version's WSDL declares it; clients made from it find their own type."""
        told = types_namespace("notification", version).encode()
        if told == _NAMESPACE or self.content_type != XML_TYPE:
            return self
        return replace(self, body=self.body.replace(_NAMESPACE, told))

    @cached_property
    def all_headers(self) -> list[tuple[str, str]]:
        """What goes over the wire; the length is part of the promise that this is all."""
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *self.headers,
        ]


class Refused(Exception):
    """The delivery goes no further; `code` is 0 when there is no envelope to answer with."""

    def __init__(self, reason: Reason, answer: Answer, code: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.answer = answer
        self.code = code


@cache
def succeeded(namespace: str, operation: str) -> Answer:
    """`<operationResponse/>` in the namespace the request came in."""
    return Answer(
        200,
        _envelope(f'<r:{operation}Response xmlns:r="{namespace}"/>'),
        XML_TYPE,
    )


def refused(status: int, reason: Reason, message: str, *headers: tuple[str, str]) -> Refused:
    """A refusal before there is an envelope: status and one plain line."""
    return Refused(reason, Answer(status, f"{message}\n".encode(), TEXT_TYPE, headers))


def fault(reason: Reason, code: int, message: str, *, faultcode: str = "Client") -> Refused:
    """A refusal of what stands in the envelope; `message` at most 4096 characters."""
    return Refused(reason, Answer(500, _fault(faultcode, code, message), XML_TYPE), code)


def login_refused() -> Refused:
    """The same bytes for every reason: a sender must not learn which half was wrong."""
    return fault(Reason.LOGIN, AUTHENTICATION, "The login was not accepted.")


def unforeseen(reference: str) -> Refused:
    """A bug of ours; `reference` finds the traceback in our log."""
    return fault(
        Reason.UNFORESEEN,
        UNFORESEEN,
        f"An unforeseen error; please try again later. Reference: {reference}",
        faultcode="Server",
    )


def database_unavailable() -> Refused:
    """Nothing could be stored."""
    return fault(
        Reason.DATABASE,
        DATABASE,
        "The notification could not be stored; please try again later.",
        faultcode="Server",
    )


def database_locked() -> Refused:
    """Another transaction held the table for too long."""
    return fault(
        Reason.LOCKED,
        LOCKED,
        "The notification could not be stored in time; please try again later.",
        faultcode="Server",
    )


def _fault(faultcode: str, code: int, message: str) -> bytes:
    text = escape(message[:4096])
    return _envelope(
        f"<soap:Fault><faultcode>soap:{faultcode}</faultcode><faultstring>{text}</faultstring>"
        f'<detail><e:Fault xmlns:e="{types_namespace("notification")}">'
        f"<e:code>{-code}</e:code><e:message>{text}</e:message></e:Fault></detail></soap:Fault>"
    )


def _envelope(content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{content}</soap:Body></soap:Envelope>'
    ).encode()
