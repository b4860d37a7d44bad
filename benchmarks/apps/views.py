"""A peer: the same job as a Django view, as one would write it in an afternoon.

It parses, checks the login, takes the fields out and stores them with the ORM. It does not
validate, and keeps the password in what it stores.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from lxml import etree

from backoffice.eduix.contract import types_namespace
from notifications.models import Notification

_TYPES: Final = f"{{{types_namespace('notification')}}}"
_BODY: Final = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
_ENVELOPE: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>%s'
    "</soap:Body></soap:Envelope>"
)
_DONE: Final = _ENVELOPE % f'<specificationChangedResponse xmlns="{_TYPES[1:-1]}"/>'
_REFUSED: Final = _ENVELOPE % "<soap:Fault><faultcode>soap:Client</faultcode></soap:Fault>"


@csrf_exempt
def notification(request: HttpRequest) -> HttpResponse:
    """specificationChanged: parse, log in, store, answer."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(request.body, parser)
    username = root.findtext(f".//{_TYPES}username", "")
    if not may_deliver(username, root.findtext(f".//{_TYPES}password", "")):
        return _answer(500, _REFUSED)
    body = root.find(_BODY)
    assert body is not None
    operation = body[0]
    insert(
        request.body,
        request.META,
        username,
        {
            "distributor_credit_id": operation.findtext(f"{_TYPES}distributorCreditID", ""),
            "state": operation.findtext(f"{_TYPES}state", ""),
            "specification": _entries(operation, "specification"),
            "correction": _entries(operation, "correction"),
        },
    )
    return _answer(200, _DONE)


def may_deliver(username: str, password: str) -> bool:
    """Whether this is a pair of `NOTIFICATION_CREDENTIALS`."""
    return any(
        hmac.compare_digest(username.encode(), user.encode())
        and hmac.compare_digest(password.encode(), word.encode())
        for user, word in settings.NOTIFICATION_CREDENTIALS
    )


def insert(body: bytes, meta: Mapping[str, Any], username: str, parsed: dict[str, Any]) -> None:
    """One row by the ORM, committed by itself."""
    Notification.objects.create(
        kind=Notification.Kind.SPECIFICATION_CHANGED,
        subject=parsed["distributor_credit_id"],
        raw=body,
        raw_sha256=hashlib.sha256(body).hexdigest(),
        raw_length=len(body),
        content_type=meta.get("CONTENT_TYPE", ""),
        parsed=parsed,
        credential=username,
        source=meta.get("REMOTE_ADDR"),
        received_at=timezone.now(),
    )


def _entries(operation: etree._Element, name: str) -> list[dict[str, Any]]:
    return [
        {
            "amount": int(entry.findtext(f"{_TYPES}amount", "0")),
            "response_id": entry.findtext(f"{_TYPES}responseID", ""),
            "error_code": int(entry.findtext(f"{_TYPES}errorCode", "0")) or None,
        }
        for entry in operation.iterfind(f"{_TYPES}{name}")
    ]


def _answer(status: int, content: str) -> HttpResponse:
    length = {"Content-Length": str(len(content))}  # without middleware Django sets none
    return HttpResponse(
        content, status=status, content_type="text/xml; charset=utf-8", headers=length
    )
