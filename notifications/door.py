"""The door for Edu-iX: a small WSGI application in front of Django.

The order of the checks is the promise to the sender: method, host and address, framing, XML, SOAP,
login, content; the first that fails gives the answer. 200 means stored and committed. Nothing else
happens before the answer; `applying.py` does the work afterwards.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from backoffice.eduix.contract import SPOKEN, endpoint_path, wsdl_document
from notifications import faults
from notifications.blanking import blanked
from notifications.faults import Answer, Reason, Refused, fault, refused
from notifications.framing import read_body
from notifications.login import current_logins
from notifications.payload import MAX_STRICT_BYTES
from notifications.peers import admit, networks, peer_of
from notifications.reading import Reader
from notifications.refusals import counts
from notifications.store import DatabaseProblem, Received, is_lock_timeout, store
from notifications.together import Overloaded

logger = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

PATH: Final = endpoint_path("notification")
# Each version has an address, and each address takes them all: a body says itself what it is.
PATHS: Final = {
    version: endpoint_path("notification", version) for version in SPOKEN["notification"]
}
ENDPOINTS: Final = {path: version for version, bare in PATHS.items() for path in (bare, f"{bare}/")}
WSDLS: Final = {
    path: version for version, bare in PATHS.items() for path in (f"{bare}/wsdl", f"{bare}/wsdl/")
}
RETRY_AFTER: Final = ("Retry-After", "120")


class Door:
    """Answers the notification endpoint itself and hands everything else to Django."""

    def __init__(self, django_application: Application) -> None:
        try:
            networks(tuple(settings.NOTIFICATION_ALLOWED_IPS))
            networks(tuple(settings.BACKOFFICE_TRUSTED_PROXIES))
        except ValueError as problem:
            raise ImproperlyConfigured(
                "NOTIFICATION_ALLOWED_IPS and BACKOFFICE_TRUSTED_PROXIES hold addresses or "
                f"networks: {problem}"
            ) from problem
        self._django = django_application
        self._reader = Reader()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in ENDPOINTS:
            answer = self._answer(environ, ENDPOINTS[path])
        elif path in WSDLS:
            answer = _wsdl_only(environ, WSDLS[path])
        else:
            return self._django(environ, start_response)
        start_response(answer.status_line, answer.all_headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]

    def _answer(self, environ: dict[str, Any], version: str) -> Answer:
        if _is_get(environ) and _asks_wsdl(environ):
            return wsdl(version)
        peer = peer_of(environ)
        try:
            if environ.get("REQUEST_METHOD") != "POST":
                raise _not_allowed("POST")
            admit(environ, peer)
            return self._receive(environ, peer.source)
        except Refused as refusal:
            return _refuse(refusal, peer.source).in_version(version)
        except Exception:  # the border: whatever we did not foresee is our fault, and told so
            reference = secrets.token_hex(8)
            logger.exception("door_unforeseen", extra={"reference": reference})
            return _refuse(faults.unforeseen(reference), peer.source).in_version(version)

    def _receive(self, environ: dict[str, Any], source: str) -> Answer:
        logins = current_logins()
        if not logins:  # never "no login set up, so everybody may come in"
            raise refused(
                503, Reason.NO_CREDENTIALS, "Notifications are not set up yet.", RETRY_AFTER
            )
        body = read_body(environ)
        content_type = str(environ.get("CONTENT_TYPE", ""))
        namespaces: list[str] = []

        def understand() -> Received:
            delivery = self._reader.read(body.utf8, logins)
            namespaces.append(delivery.namespace)
            return Received(
                raw=body.with_text(blanked(body.utf8, delivery.password)),
                sha256=hashlib.sha256(body.raw).hexdigest(),
                length=len(body.raw),
                content_type=content_type,
                user=delivery.user,
                source=source,
                at=timezone.now(),
                content=delivery.content,
            )

        content = _stored(understand, is_small=len(body.utf8) <= MAX_STRICT_BYTES).content
        if content.invalid:
            raise fault(Reason.CONTENT, faults.INCORRECT, _in_words(content.invalid))
        return faults.succeeded(namespaces[0], content.kind)


def _stored(understand: Callable[[], Received], *, is_small: bool) -> Received:
    """Store a delivery; raises `Refused`.

    A large one is read beside the others, for it may take a thousand times as long.
    """
    if not is_small:
        received = understand()
        understand = lambda: received  # noqa: E731
    try:
        return store(understand)
    except DatabaseProblem as problem:
        raise _not_stored(problem) from problem
    except Overloaded:
        raise refused(
            503, Reason.OVERLOADED, "Too busy; please try again later.", RETRY_AFTER
        ) from None


def wsdl(version: str = "") -> Answer:
    """Our contract as one document, with the address under which Edu-iX reaches us."""
    address = settings.BACKOFFICE_PUBLIC_URL + endpoint_path("notification", version)
    return Answer(200, _wsdl_document(version, address), faults.XML_TYPE)


@lru_cache(maxsize=8)
def _wsdl_document(version: str, address: str) -> bytes:
    return wsdl_document("notification", version, address=address)


def _wsdl_only(environ: dict[str, Any], version: str) -> Answer:
    return wsdl(version) if _is_get(environ) else _not_allowed("GET, HEAD").answer


def _is_get(environ: dict[str, Any]) -> bool:
    return environ.get("REQUEST_METHOD") in ("GET", "HEAD")


def _asks_wsdl(environ: dict[str, Any]) -> bool:
    return str(environ.get("QUERY_STRING", "")).lower() in ("wsdl", "wsdl=")


def _not_allowed(allowed: str) -> Refused:
    return refused(
        405, Reason.METHOD, f"This method is not supported; use {allowed}.", ("Allow", allowed)
    )


def _refuse(refusal: Refused, source: str) -> Answer:
    counts.add(
        status=refusal.answer.status,
        code=refusal.code,
        reason=refusal.reason.value,
        source=source,
    )
    return refusal.answer


def _not_stored(problem: Exception) -> Refused:
    """The log gets the kind of error; its text may quote the row."""
    logger.error(
        "notification_not_stored",
        extra={
            "error": type(problem).__name__,
            "sqlstate": getattr(problem.__cause__, "sqlstate", None),
        },
    )
    if is_lock_timeout(problem):
        return faults.database_locked()
    return faults.database_unavailable()


_RULES: Final = {
    "missing": "is missing",
    "repeated": "stands there more than once",
    "too_long": "is longer than allowed",
    "wrong_type": "has the wrong type",
}


def _in_words(invalid: str) -> str:
    """The broken rule for the sender; the element's name is from our schema, not from the body."""
    rule, _colon, element = invalid.partition(":")
    return f"Incorrect request: the element {element} {_RULES[rule]}."
