"""Sending the daily mail: once to each account manager, whoever of the workers comes first.

A row for each colleague and day is claimed before the mail is made, and marked when the server took
it. A worker that dies in between leaves a lease that runs out; the next one sends the mail under
the same Message-ID, so that a server which had it already can tell.
"""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet
from django.utils import timezone, translation

from backoffice.desk.digest import contents_for
from backoffice.desk.digest_models import Digest, DigestLanguage
from backoffice.desk.digest_words import Mail, mail_of

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)  # longer than any mail server may keep us waiting
AGAIN: Final = timedelta(minutes=5)  # after the first failure; doubles, up to an hour
LONGEST: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=60)
LOOK_SECONDS: Final = 30
_looked: dict[str, float] = {}


class NotSent(Exception):
    """The mail server did not take it; the text is safe to show."""


def account_managers() -> QuerySet[User]:
    """Colleagues who look after a school and can be mailed."""
    users = get_user_model().objects.filter(is_active=True, schools__isnull=False)
    return users.exclude(email="").distinct().order_by("pk")


def language_of(user: User) -> str:
    """What this colleague chose in our menu, else Dutch."""
    chosen = DigestLanguage.objects.filter(user=user).values_list("language", flat=True).first()
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def remember_language(user: Any, language: str) -> None:
    """A colleague chose a language: the mail follows."""
    DigestLanguage.objects.update_or_create(user=user, defaults={"language": language})


def mail_to(user: User, now: datetime, language: str = "") -> tuple[Mail, dict[str, Any]]:
    """The mail, and what the next one compares with."""
    with translation.override(language or language_of(user)):
        contents = contents_for(user, now)
        return mail_of(contents), contents.snapshot


# --- once a day ---------------------------------------------------------------------------------


def digest_daily() -> int:
    """What the worker does beside sending: at most one mail at a time, so that nothing waits long.

    Returns how many were sent, so that the next follows at once.
    """
    if time.monotonic() - _looked.get("digest", -LOOK_SECONDS) < LOOK_SECONDS:
        return 0
    _looked["digest"] = time.monotonic()
    now = timezone.now()
    if not is_time(now):
        return 0
    for user in waiting(now):
        try:
            if send(user, now):
                _looked.pop("digest", None)
                return 1
        except NotSent:
            return 0  # written down; a server that refuses one is not asked for all at once
    return 0


def is_time(now: datetime) -> bool:
    """The set moment of today has come; never without one."""
    at = settings.BACKOFFICE_DIGEST_AT
    return at is not None and timezone.localtime(now).time() >= at


def waiting(now: datetime) -> Iterator[User]:
    """Who has no mail of today yet, and nobody is sending it."""
    done = Digest.objects.filter(day=timezone.localdate(now)).exclude(
        sent_at=None, lease_until__lte=now
    )
    yield from account_managers().exclude(pk__in=done.values("user"))


def send(user: User, now: datetime, language: str = "", *, again: bool = False) -> bool:
    """Send the mail of today; False when it was sent, or somebody is at it. Raises `NotSent`.

    `again` sends it also when it was sent already.
    """
    row = _claim(user, now, again=again)
    if row is None:
        return False
    try:
        mail, snapshot = mail_to(user, now, language)
        _hand_over(user, row, mail)
    except Exception as problem:
        _put_off(row, problem)
        raise NotSent(row.failure) from problem
    Digest.objects.filter(pk=row.pk).update(
        sent_at=timezone.now(), items=snapshot, failed_at=None, failure=""
    )
    Digest.objects.filter(user=user, day__lt=row.day - KEPT).delete()
    logger.info("digest_sent", extra={"user_id": user.pk, "tries": row.tries})
    return True


def _claim(user: User, now: datetime, *, again: bool) -> Digest | None:
    """The row of today with our lease on it; of two workers one gets it."""
    until = now + LEASE
    day = timezone.localdate(now)
    row, is_new = Digest.objects.get_or_create(
        user=user, day=day, defaults={"lease_until": until, "tries": 1}
    )
    if is_new:
        return row
    free = Q() if again else Q(sent_at=None, lease_until__lte=now)
    mine = Digest.objects.filter(free, pk=row.pk)
    if not mine.update(lease_until=until, tries=F("tries") + 1):
        return None
    row.refresh_from_db()
    return row


def _hand_over(user: User, row: Digest, mail: Mail) -> None:
    message = EmailMessage(
        subject=mail.subject,
        body=mail.text,
        to=[user.email],
        headers={
            "Message-ID": message_id(user.pk, row.day),
            "Auto-Submitted": "auto-generated",  # no absence notice comes back
        },
    )
    # The mail took a while to make: whoever lost the lease meanwhile must not send it.
    ours = Digest.objects.filter(pk=row.pk, lease_until=row.lease_until, tries=row.tries)
    row.lease_until = timezone.now() + LEASE
    if not ours.update(lease_until=row.lease_until):
        raise NotSent("another worker has taken it over")
    message.send()


def message_id(user_id: int, day: date) -> str:
    """The same for every try of one mail."""
    host = urlsplit(settings.BACKOFFICE_PUBLIC_URL).hostname or "localhost"
    return f"<digest-{day:%Y%m%d}-{user_id}@{host}>"


def _put_off(row: Digest, problem: Exception) -> None:
    """Write down why, and when it is tried again; nothing is lost."""
    now = timezone.now()
    pause = min(AGAIN * 2 ** min(row.tries - 1, 10), LONGEST)
    row.failure = _words(problem)
    Digest.objects.filter(pk=row.pk, tries=row.tries).update(
        lease_until=now + pause, failed_at=now, failure=row.failure
    )
    extra = {"user_id": row.user_id, "error": row.failure, "again_at": (now + pause).isoformat()}
    if isinstance(problem, OSError | NotSent):  # every error of a mail server is an OSError
        logger.error("digest_not_sent", extra=extra)
    else:
        logger.error("digest_not_sent", extra=extra, exc_info=problem)


def _words(problem: Exception) -> str:
    """What the mail server said, without addresses or passwords."""
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"{type(problem).__name__} {problem.smtp_code}"
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _text in problem.recipients.values()})
        return " ".join([type(problem).__name__, *map(str, codes)])
    if isinstance(problem, OSError) and problem.strerror:
        return f"{type(problem).__name__}: {problem.strerror}"[:300]
    return str(problem)[:300] if isinstance(problem, NotSent) else type(problem).__name__
