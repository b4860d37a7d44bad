"""One session per service for all processes, and one login at a time (docs/decisions/0010).

No transaction is open while a login is under way: the right to log in is a lease in the row.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, ParamSpec, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backoffice.eduix.errors import LOGIN_REFUSED, EduixError, EduixRefused, EduixUnreachable
from backoffice.eduix.session import LEASE_SECONDS, Failure, Login, Shared
from backoffice.outbox.session_models import LoginSession

LOGIN_TRIES: Final = 3  # of all processes and both services together: more may lock our account

P = ParamSpec("P")
T = TypeVar("T")


def _key(purpose: bytes) -> bytes:
    """32 bytes for one purpose, from SECRET_KEY."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"eduix-backoffice " + purpose)
    return derived.derive(str(settings.SECRET_KEY).encode())


def _digest(*parts: str) -> str:
    return hmac.new(_key(b"login digest"), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _unreachable_without_database(method: Callable[P, T]) -> Callable[P, T]:
    """Nothing was sent: the message may go again when the database is back."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except (DatabaseError, InterfaceError) as problem:
            raise EduixUnreachable(
                "The shared session cannot be read: the database does not answer."
            ) from problem

    return guarded


class DatabaseStore:
    """The `SessionStore` of one login in the database."""

    def __init__(self, login: Login) -> None:
        self._service = login.service
        self._login = login_digest(login.username, login.password)
        self._address = _digest("address", login.service, login.address)
        self._seal = Fernet(base64.urlsafe_b64encode(_key(b"session")))

    @_unreachable_without_database
    def look(self) -> Shared:
        """What all processes know now; a session of another login or address is none."""
        row = self._row()
        now = timezone.now()
        if not self._is_ours(row):
            return Shared("", row.version)
        failure = _failure(row, now)
        if is_exhausted(row.login_digest):
            refused = _refused(row.login_digest).latest("failed_at")
            failure = _failure(refused, now, is_over=True)
        return Shared(self._opened(row.sealed), row.version, _age(row.since, now), failure)

    @_unreachable_without_database
    def begin(self, version: int) -> bool:
        """Take the lease, unless another holds it or the tries that are left are under way."""
        now = timezone.now()
        with transaction.atomic():
            rows = list(LoginSession.objects.select_for_update().order_by("service"))
            others = [row for row in rows if row.login_digest == self._login]
            tries = sum(row.refusals for row in others)
            under_way = sum(
                row.lease_until is not None and row.lease_until > now
                for row in others
                if row.service != self._service
            )
            if tries and tries + under_way >= LOGIN_TRIES:
                return False
            row = next(row for row in rows if row.service == self._service)
            if row.version != version or (row.lease_until is not None and row.lease_until > now):
                return False
            if not self._is_ours(row):
                row.sealed, row.since, row.failed_at, row.refusals = "", None, None, 0
            row.login_digest, row.address_digest = self._login, self._address
            row.version += 1
            row.lease_until = now + timedelta(seconds=LEASE_SECONDS)
            row.save()
        return True

    @_unreachable_without_database
    def succeed(self, version: int, session: str) -> Shared:
        """Share the session; a holder that was late uses what came in its place."""
        now = timezone.now()
        kept = self._mine(version).update(
            version=F("version") + 1,
            sealed=self._seal.encrypt(session.encode()).decode(),
            since=now,
            lease_until=None,
            refusals=0,
            failed_at=None,
            failed_code=None,
            failed_text="",
        )
        return Shared(session, version + 2 if kept else -1)

    @_unreachable_without_database
    def fail(self, version: int, failure: EduixError) -> None:
        """Tell all why; a refusal counts, whoever tried."""
        code = failure.code if isinstance(failure, EduixRefused) else None
        is_refused = code is not None and abs(code) in LOGIN_REFUSED
        self._mine(version).update(
            version=F("version") + 1,
            sealed="",
            since=None,
            lease_until=None,
            refusals=F("refusals") + (1 if is_refused else 0),
            failed_at=timezone.now(),
            failed_code=code,
            failed_text=failure.text,
        )

    @_unreachable_without_database
    def drop(self, version: int) -> None:
        """Forget the session of this version, not one that another process renewed."""
        LoginSession.objects.filter(service=self._service, version=version).update(sealed="")

    def _mine(self, version: int) -> QuerySet[LoginSession]:
        """The row while our lease stands: `begin` raised the version by one."""
        return LoginSession.objects.filter(service=self._service, version=version + 1)

    def _row(self) -> LoginSession:
        row = LoginSession.objects.filter(service=self._service).first()
        return row or LoginSession.objects.get_or_create(service=self._service)[0]

    def _is_ours(self, row: LoginSession) -> bool:
        return row.login_digest == self._login and row.address_digest == self._address

    def _opened(self, sealed: str) -> str:
        try:
            return self._seal.decrypt(sealed.encode()).decode() if sealed else ""
        except InvalidToken:  # sealed with another SECRET_KEY
            return ""


def forget_refusals() -> None:
    """A colleague says: try again."""
    LoginSession.objects.filter(refusals__gt=0).update(refusals=0, failed_at=None)


def login_digest(username: str, password: str) -> str:
    """Tells one login from another without keeping the password."""
    return _digest("login", username, password)


def is_exhausted(login_digest: str) -> bool:
    """Whether this login was refused as often as it may be."""
    refusals = _refused(login_digest).values_list("refusals", flat=True)
    return sum(refusals) >= LOGIN_TRIES


def _refused(login_digest: str) -> QuerySet[LoginSession]:
    return LoginSession.objects.filter(login_digest=login_digest, refusals__gt=0)


def _failure(row: LoginSession, now: datetime, *, is_over: bool = False) -> Failure | None:
    if row.failed_at is None:
        return None
    age = 0.0 if is_over else _age(row.failed_at, now)
    return Failure(row.failed_text, row.failed_code, age)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
