"""Asking what stands outside whether it works: never inside a page, and not beside it either.

A page writes down that somebody wants to know; the worker asks, in a thread of its own, because a
partner that does not answer would hold up everything else it does. Once a day it asks by itself,
so that a certificate does not end unseen.
"""

from __future__ import annotations

import logging
import smtplib
import threading
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.mail import get_connection
from django.db import connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from backoffice.desk.outside_models import OutsideCheck
from backoffice.eduix.ping import ping
from backoffice.outbox import stops
from backoffice.outbox.models import ServiceState
from backoffice.outbox.services import ring
from backoffice.outbox.sessions import login_digest

logger = logging.getLogger(__name__)

Part = OutsideCheck.Part

LOOK_SECONDS: Final = 1.0
FIRST_SECONDS: Final = 600.0  # after the start: a process that soon ends need not ask by itself
EVERY: Final = timedelta(hours=24)
LOST: Final = timedelta(minutes=3)  # both services and the mail server, each at its slowest

_started = time.monotonic()
_looked: dict[str, float] = {}
_one_at_a_time = threading.Lock()


def ask_for_checks() -> None:
    """A colleague wants to know; the worker looks within a second or two."""
    now = timezone.now()
    with transaction.atomic():
        for part in Part.values:
            OutsideCheck.objects.update_or_create(part=part, defaults={"asked_at": now})
        ring()


def is_under_way(checks: dict[str, OutsideCheck], now: datetime) -> bool:
    """Somebody asked, and the answer has not come yet; what takes too long was lost."""
    return any(
        check.asked_at is not None
        and now - check.asked_at < LOST
        and (check.checked_at is None or check.checked_at < check.asked_at)
        for check in checks.values()
    )


def check_outside() -> int:
    """What the worker does beside sending; 0 always, because nothing of it is work that waited."""
    if time.monotonic() - _looked.get("asked", -LOOK_SECONDS) < LOOK_SECONDS:
        return 0
    _looked["asked"] = time.monotonic()
    now = timezone.now()
    if time.monotonic() - _started > FIRST_SECONDS and _is_time(now):
        ask_for_checks()
    if _claim(now) and _one_at_a_time.acquire(blocking=False):
        threading.Thread(target=_in_thread, name="check-outside", daemon=True).start()
    return 0


def _is_time(now: datetime) -> bool:
    """Once in so many looks: whether the last check by anybody was a day ago."""
    if time.monotonic() - _looked.get("daily", -FIRST_SECONDS) < FIRST_SECONDS:
        return False
    _looked["daily"] = time.monotonic()
    lately = OutsideCheck.objects.filter(asked_at__gt=now - EVERY)
    return lately.count() < len(Part.values)


def _claim(now: datetime) -> bool:
    """Of two workers that look at the same moment one gets the rows."""
    is_new = Q(begun_at__isnull=True) | Q(begun_at__lt=F("asked_at"))
    wanted = OutsideCheck.objects.filter(is_new, asked_at__isnull=False)
    return wanted.exists() and bool(wanted.update(begun_at=now))


def _in_thread() -> None:
    try:
        check_now()
    except Exception:  # the border of a thread; the page shows that nothing came of it
        logger.exception("check_outside")
    finally:
        connections.close_all()
        _one_at_a_time.release()


def check_now() -> None:
    """Ask Edu-iX and the mail server, and keep what they say."""
    if is_refused_login():
        for part in (Part.PROFILE, Part.CREDIT):
            keep(part, {"kind": "not_tried", "problem": "", "login": _login()})
    else:
        for found in ping(settings):
            keep(found.service, asdict(found) | {"login": _login()})
    keep(Part.MAIL, mail_server())


def is_refused_login() -> bool:
    """Whether this login was refused before, by a call or a check: more tries may lock the account.

    An accepted call since then, a colleague who says try again, or another user name or password
    ends it.
    """
    if stops.is_stopped():
        return True
    state = ServiceState.objects.filter(service=stops.SERVICE).first() or ServiceState()
    signs = [at.isoformat() for at in (state.last_success_at, state.resumed_at) if at is not None]
    refused = [
        check.found.get("refused_at", "")
        for check in OutsideCheck.objects.all()
        if check.found.get("login") == _login()
    ]
    return max(refused, default="") > max(signs, default="")


def keep(part: str, found: dict[str, Any]) -> None:
    """The answer of one part; `since` moves only when well becomes not well, or back."""
    now = timezone.now()
    check, _created = OutsideCheck.objects.get_or_create(part=part)
    if found.get("kind") == "login":
        found |= {"refused_at": now.isoformat()}
    elif found.get("kind") == "not_tried":
        found |= {"refused_at": check.found.get("refused_at", "")}
    is_same = check.checked_at is not None and bool(check.found.get("kind")) == bool(
        found.get("kind")
    )
    OutsideCheck.objects.filter(pk=check.pk).update(
        found=found, checked_at=now, since=check.since if is_same else now
    )


def mail_server() -> dict[str, Any]:
    """Whether the mail server lets us in; `kind` is empty where there is none to ask."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return {"kind": "", "is_asked": False}
    connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
    begun = time.monotonic()
    try:
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as problem:
        # Only the kind of error: its text may quote a password.
        return {"kind": "no_answer", "problem": type(problem).__name__, "is_asked": True}
    took = round((time.monotonic() - begun) * 1000)
    return {"kind": "", "is_asked": True, "milliseconds": took}


def _login() -> str:
    """Tells a changed login from the refused one; a digest with our own secret key."""
    return login_digest(settings.EDUIX_USERNAME, settings.EDUIX_PASSWORD)
