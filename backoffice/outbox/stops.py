"""When all sending stops: our login is refused; and the signs of life for the home page."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from backoffice.eduix.errors import LOGIN_REFUSED
from backoffice.eduix.exchange import Exchange
from backoffice.outbox import sessions
from backoffice.outbox.models import Attempt, Message, ServiceState
from backoffice.outbox.sessions import LOGIN_TRIES as LOGIN_TRIES
from backoffice.outbox.settling import Result

logger = logging.getLogger(__name__)

SERVICE: Final = "edu-ix"
PARTNERS: Final = ("profile", "credit")  # each has a row too, with its own last answer and failure
WORK: Final = "work:"  # begins the rows that tell which background work met an unforeseen error
ANSWERED: Final = (
    Attempt.Outcome.ACCEPTED,
    Attempt.Outcome.REFUSED,
    Attempt.Outcome.CONFLICT,
)
NOTE_SECONDS: Final = 5  # signs of life are written at most this often

_noted: dict[str, float] = {}


def state() -> ServiceState:
    """The row of Edu-iX, made at its first use."""
    row, _ = ServiceState.objects.get_or_create(service=SERVICE)
    return row


def is_stopped() -> bool:
    """Our login was refused three times and nobody has changed it or said to try again."""
    row = ServiceState.objects.filter(service=SERVICE, stopped_at__isnull=False).first()
    return row is not None and stops_us(row)


def stops_us(row: ServiceState) -> bool:
    """Whether this row stops sending with the login of now."""
    return row.stopped_at is not None and row.credentials_digest == _credentials_digest()


def resume() -> None:
    """A colleague says: try again, and now."""
    now = timezone.now()
    state()
    ServiceState.objects.filter(service=SERVICE).update(
        stopped_at=None,
        login_tries=0,
        code=None,
        text="",
        refused_service="",
        pause_until=None,
        resumed_at=now,
    )
    sessions.forget_refusals()
    waiting = Q(status=Message.Status.QUEUED) | Q(status=Message.Status.UNCERTAIN)
    Message.objects.filter(waiting, due_at__gt=now).filter(
        Q(code=None) | Q(code__in=[sign * code for code in LOGIN_REFUSED for sign in (1, -1)])
    ).update(due_at=now)


def take_note(result: Result, exchanges: Sequence[Exchange] = ()) -> None:
    """Keep what an answer says about the service as a whole."""
    for exchange in exchanges:
        if exchange.operation == "login" and not exchange.error:
            _login_accepted(exchange.service)
    _note_services(exchanges)
    if result.is_login_refused:
        if not result.is_repeated:
            _login_refused(result, exchanges)
        elif sessions.is_exhausted(
            sessions.login_digest(settings.EDUIX_USERNAME, settings.EDUIX_PASSWORD)
        ):
            _stop(result)  # the tries of both services together are used up
    elif any(exchange.status is not None and not exchange.error for exchange in exchanges) or (
        result.outcome == Attempt.Outcome.REFUSED
    ):
        if _is_time("success"):
            state()
            ServiceState.objects.filter(service=SERVICE).update(last_success_at=timezone.now())
    elif result.outcome not in ANSWERED and _is_time("failure"):
        state()
        ServiceState.objects.filter(service=SERVICE).update(
            last_failure_at=timezone.now(), last_failure=result.text[:300]
        )


def _note_services(exchanges: Sequence[Exchange]) -> None:
    """Which of the services answers; a refusal with a code is an answer too."""
    for exchange in exchanges:
        if exchange.service not in PARTNERS:
            continue
        is_answer = exchange.status is not None and (
            not exchange.error or exchange.code is not None
        )
        column = "last_success_at" if is_answer else "last_failure_at"
        if _is_time(f"{exchange.service} {column}"):
            # The next answer after a failure counts at once, and the other way round.
            _noted.pop(
                f"{exchange.service} {'last_failure_at' if is_answer else 'last_success_at'}", None
            )
            ServiceState.objects.update_or_create(
                service=exchange.service, defaults={column: timezone.now()}
            )


def _login_accepted(service: str) -> None:
    """Only a login of the service that refused us counts: each has a login of its own."""
    ServiceState.objects.filter(
        service=SERVICE, login_tries__gt=0, refused_service__in=["", service]
    ).update(login_tries=0, stopped_at=None, code=None, text="", refused_service="")


def beat() -> None:
    """The worker lives."""
    now = timezone.now()
    if not ServiceState.objects.filter(service=SERVICE).update(beat_at=now):
        state()
        ServiceState.objects.filter(service=SERVICE).update(beat_at=now)


def note_trouble(work: str, problem: Exception) -> None:
    """Background work met an error that nobody foresaw: for the home page and the daily mail.

    Only the kind of error is kept: its text may hold anything.
    """
    ServiceState.objects.update_or_create(
        service=f"{WORK}{work}"[:20],
        defaults={"last_failure_at": timezone.now(), "last_failure": type(problem).__name__},
    )


def is_alive(*, within: timedelta = timedelta(seconds=60)) -> bool:
    """A worker gave a sign lately."""
    return ServiceState.objects.filter(
        service=SERVICE, beat_at__gte=timezone.now() - within
    ).exists()


def _login_refused(result: Result, exchanges: Sequence[Exchange]) -> None:
    state()
    refused = [one.service for one in exchanges if one.operation == "login" and one.error]
    rows = ServiceState.objects.filter(service=SERVICE)
    digest = _credentials_digest()
    rows.exclude(credentials_digest=digest).update(login_tries=0, credentials_digest=digest)
    rows.update(
        login_tries=F("login_tries") + 1,
        refused_service=refused[-1] if refused else "",
        code=result.code,
        text=result.text,
        last_failure_at=timezone.now(),
        last_failure=result.text[:300],
    )
    if rows.filter(login_tries__gte=LOGIN_TRIES).exists():
        _stop(result)


def _stop(result: Result) -> None:
    """Stop all sending, and say so once."""
    state()
    stopped = ServiceState.objects.filter(service=SERVICE, stopped_at__isnull=True).update(
        stopped_at=timezone.now(),
        credentials_digest=_credentials_digest(),
        code=result.code,
        text=result.text,
    )
    if stopped:
        logger.error("eduix_login_refused", extra={"code": result.code})


def _credentials_digest() -> str:
    """Tells a changed login from the refused one without keeping the password."""
    login = f"{settings.EDUIX_USERNAME}\0{settings.EDUIX_PASSWORD}".encode()
    return hmac.new(str(settings.SECRET_KEY).encode(), login, hashlib.sha256).hexdigest()


def _is_time(what: str) -> bool:
    now = time.monotonic()
    if now - _noted.get(what, -NOTE_SECONDS) < NOTE_SECONDS:
        return False
    _noted[what] = now
    return True
