"""When each login was last used, so that an old one can go when nobody needs it any more.

A delivery only adds to a number in memory. A thread beside the door writes, at most once a minute;
what a process that is killed had not yet written is at most that old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest
from django.db.utils import Error
from django.utils import timezone

from notifications.login import current_logins
from notifications.models import CredentialUse

EVERY_SECONDS: Final = 60.0
FIRST_SECONDS: Final = 1.0  # after a silence: a colleague who has just changed it is looking


class Used(NamedTuple):
    """How often since the last writing, and when last."""

    times: int
    at: datetime


class Uses:
    """Uses that are not yet written; one for the whole process."""

    def __init__(self) -> None:
        self._waiting: dict[str, Used] = {}
        self._written_at = float("-inf")
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def note(self, key: str, at: datetime) -> None:
        """Count one; never waits for the database."""
        with self._lock:
            before = self._waiting.get(key)
            self._waiting[key] = Used(before.times + 1 if before else 1, at)
            if self._timer is None:
                self._start_timer()

    def flush(self) -> None:
        """Write what was noted; a database that is down gets it later."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            self._written_at = time.monotonic()
        try:
            write(taken)
            remember((user.key for user in current_logins().users), timezone.now())
        except Error:
            with self._lock:
                for key, used in taken.items():
                    now = self._waiting.get(key, Used(0, used.at))
                    self._waiting[key] = Used(now.times + used.times, max(now.at, used.at))
                if self._timer is None:
                    self._start_timer()

    def _start_timer(self) -> None:
        """Within the lock."""
        since = time.monotonic() - self._written_at
        self._timer = threading.Timer(max(FIRST_SECONDS, EVERY_SECONDS - since), self._flush_beside)
        self._timer.daemon = True
        self._timer.start()

    def _flush_beside(self) -> None:
        try:
            self.flush()
        finally:
            connections[DEFAULT_DB_ALIAS].close()


def write(taken: Mapping[str, Used]) -> None:
    """Add to the rows of the logins; raises a database error when that fails."""
    for key, used in taken.items():
        if not _add(key, used):
            try:
                with transaction.atomic():
                    CredentialUse.objects.create(
                        key=key,
                        seen_at=used.at,
                        last_used_at=used.at,
                        day=timezone.localdate(used.at),
                        count=used.times,
                    )
            except IntegrityError:  # another process was first
                _add(key, used)


def _add(key: str, used: Used) -> int:
    rows = CredentialUse.objects.filter(key=key)
    day = timezone.localdate(used.at)
    at = Value(used.at, output_field=DateTimeField())
    return rows.filter(day=day).update(
        count=F("count") + used.times, last_used_at=Greatest("last_used_at", at)
    ) or rows.update(day=day, count=used.times, last_used_at=used.at)


def remember(keys: Iterable[str], now: datetime) -> None:
    """Since when we know a login, so that one that nobody uses has an age too."""
    known = set(CredentialUse.objects.filter(key__in=(wanted := list(keys))).values_list("key"))
    missing = [CredentialUse(key=key, seen_at=now) for key in wanted if (key,) not in known]
    CredentialUse.objects.bulk_create(missing, ignore_conflicts=True)


uses: Final = Uses()
