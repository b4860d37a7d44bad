"""A notification that we send ourselves over HTTP, to see how far it comes.

It goes to the address that Edu-iX has of us, and that address comes from the settings alone.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from backoffice.eduix.contract import endpoint_path, soap_action, types_namespace
from notifications.faults import SOAP
from notifications.marks import new_test_subject
from notifications.models import Notification, Refusal

SECONDS: Final = 5.0  # from the click to the verdict
CONNECT_SECONDS: Final = 2.5  # and as long for the answer
POLL_SECONDS: Final = 0.1
KEPT: Final = timedelta(days=1)
MAX_ANSWER: Final = 65_536
OPERATION: Final = "prematchChanged"

_CODE: Final = re.compile(rb"<(?:\w+:)?code>-?(\d{1,6})</")


@dataclass
class Walk:
    """How far the test came. `problem` is a key of `self_test_words.py`, "" when all went well.

    `reason` is why our own door refused it, as far as that can be told, and `source` the address
    it saw us come from.
    """

    subject: str
    url: str
    is_reached: bool = False
    is_accepted: bool = False
    is_stored: bool = False
    is_applied: bool = False
    problem: str = ""
    detail: str = ""
    status: int = 0
    code: int = 0
    reason: str = ""
    source: str = ""
    seconds: float = field(default=0.0)


class Stopped(Exception):
    """The test came no further; `problem` names why."""

    def __init__(self, problem: str, detail: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.detail = detail


def own_address() -> str:
    """Where Edu-iX, and this test, deliver."""
    return f"{settings.BACKOFFICE_PUBLIC_URL}{endpoint_path('notification')}"


def send_test(*, username: str, password: str) -> Walk:
    """Post one test, and follow it until it is applied; takes five seconds at most.

    Never call it in a transaction: the door writes the row on a connection of its own.
    """
    started = time.monotonic()
    walk = Walk(new_test_subject(), own_address())
    prune_tests(before=timezone.now() - KEPT)
    refused = _refusals()
    try:
        _follow(walk, _body(walk.subject, username, password), started + SECONDS)
    except Stopped as stopped:
        walk.problem, walk.detail = stopped.problem, stopped.detail
    if walk.problem == "refused":
        _take_back(walk, refused, started + SECONDS)
    walk.seconds = time.monotonic() - started
    return walk


def prune_tests(*, before: datetime) -> int:
    """Delete the tests that came in before this and were recognised; returns how many."""
    tests = Notification.objects.filter(verdict=Notification.Verdict.TEST)
    return tests.filter(received_at__lt=before).delete()[0]


def _follow(walk: Walk, body: bytes, until: float) -> None:
    answer = _post(walk, body)
    walk.is_reached = True
    walk.status = answer.status
    if 300 <= answer.status < 400:
        raise Stopped("redirect", str(answer.status))
    if answer.status in (502, 504):
        raise Stopped("gateway", str(answer.status))
    if answer.status != 200:
        found = _CODE.search(answer.body)
        walk.code = int(found[1]) if found else 0
        raise Stopped("refused", str(answer.status))
    if f"{OPERATION}Response".encode() not in answer.body:
        raise Stopped("not_ours")
    walk.is_accepted = True
    row = Notification.objects.filter(subject=walk.subject).defer("raw")
    while (found_row := row.first()) is None:
        _wait(until, "not_stored")
    walk.is_stored = True
    while found_row is None or found_row.verdict != Notification.Verdict.TEST:
        _wait(until, "not_applied")
        found_row = row.first()
    walk.is_applied = True


def _wait(until: float, problem: str) -> None:
    if time.monotonic() >= until:
        raise Stopped(problem)
    time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


def _post(walk: Walk, body: bytes) -> _Answer:
    """One request without proxies, redirects or a second try; raises `Stopped`."""
    parts = urlsplit(walk.url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, parts.port, timeout=CONNECT_SECONDS, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=CONNECT_SECONDS)
    )
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{soap_action("notification", OPERATION)}"',
        "Connection": "close",
    }
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        return _Answer(answer.status, answer.read(MAX_ANSWER))
    except ssl.SSLCertVerificationError as problem:
        raise Stopped("certificate", problem.verify_message) from None
    except ssl.SSLError as problem:
        raise Stopped("tls", problem.reason or "") from None
    except socket.gaierror:
        raise Stopped("name", host) from None
    except TimeoutError:
        raise Stopped("timeout", host) from None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Stopped("unreachable", type(problem).__name__) from None
    finally:
        connection.close()


def _body(subject: str, username: str, password: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:n="{types_namespace("notification")}">'
        f"<soap:Header><n:loginHeader><n:username>{escape(username)}</n:username>"
        f"<n:password>{escape(password)}</n:password></n:loginHeader></soap:Header>"
        f"<soap:Body><n:{OPERATION}Request>"
        f"<n:distributorPersonID>{escape(subject)}</n:distributorPersonID>"
        f"<n:userID>test</n:userID></n:{OPERATION}Request></soap:Body></soap:Envelope>"
    ).encode()


# --- what our own door said about it ------------------------------------------------------------


def _refusals() -> dict[int, int]:
    """The rows that may count our test among theirs: how often each was counted until now."""
    return dict(_recent().values_list("pk", "count"))


def _recent() -> QuerySet[Refusal]:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    return Refusal.objects.filter(minute__gte=minute)


def _take_back(walk: Walk, before: dict[int, int], until: float) -> None:
    """Find why the door refused our test, and count it no longer: it was nobody from outside.

    The door counts beside its answers, once a second; what is not written in time stays counted.
    """
    ours = _recent().filter(status=walk.status, code=walk.code)
    while True:
        for row in ours.all():
            if row.count > before.get(row.pk, 0):
                walk.reason, walk.source = row.reason, row.source
                Refusal.objects.filter(pk=row.pk).update(count=F("count") - 1)
                Refusal.objects.filter(pk=row.pk, count=0).delete()
                return
        if time.monotonic() >= until:
            return
        time.sleep(POLL_SECONDS)
