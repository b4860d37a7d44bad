"""Counting what the door refused: a number a minute and sender, and one log line a second.

A refused delivery leaves no row of its own, else any stranger could fill the table. The sender
does not wait for the counting: a thread beside it writes once a second at most.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import F
from django.db.utils import Error
from django.utils import timezone

from notifications.models import Refusal

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 1.0
MAX_SENDERS: Final = 100  # in one minute; more are counted together, without their addresses
MAX_KEYS: Final = 1000  # that wait for a database that is down


class Key(NamedTuple):
    """What is counted together."""

    minute: datetime
    status: int
    code: int
    reason: str
    source: str


class Counts:
    """Refusals that are not yet written; one for the whole process."""

    def __init__(self) -> None:
        self._waiting: Counter[Key] = Counter()
        self._minute = datetime.min.replace(tzinfo=UTC)
        self._senders: set[str] = set()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, *, status: int, code: int, reason: str, source: str) -> None:
        """Count one; never waits for the database."""
        minute = timezone.now().replace(second=0, microsecond=0)
        with self._lock:
            key = Key(minute, status, code, reason, self._named(source, minute))
            if key not in self._waiting and len(self._waiting) >= MAX_KEYS:
                key = key._replace(source="")
            self._waiting[key] += 1
            self._start_timer()

    def _named(self, source: str, minute: datetime) -> str:
        """The sender, or "" for one too many: made up addresses must not fill the table."""
        if minute != self._minute:
            self._minute, self._senders = minute, set()
        if source not in self._senders and len(self._senders) >= MAX_SENDERS:
            return ""
        self._senders.add(source)
        return source

    def flush(self) -> None:
        """Write what was counted; a database that is down gets it later."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        if not taken:
            return
        self._log(taken)
        try:
            write(taken)
        except Error:
            with self._lock:
                for key, count in taken.items():
                    if key in self._waiting or len(self._waiting) < MAX_KEYS:
                        self._waiting[key] += count
                self._start_timer()

    def _start_timer(self) -> None:
        """Within the lock."""
        if self._timer is None:
            self._timer = threading.Timer(FLUSH_SECONDS, self._flush_beside)
            self._timer.daemon = True
            self._timer.start()

    def _flush_beside(self) -> None:
        try:
            self.flush()
        finally:
            connections[DEFAULT_DB_ALIAS].close()

    def _log(self, taken: Counter[Key]) -> None:
        reasons: Counter[str] = Counter()
        for key, count in taken.items():
            reasons[key.reason] += count
        logger.warning(
            "notifications_refused",
            extra={"reasons": dict(reasons), "senders": len({key.source for key in taken})},
        )


def write(taken: Counter[Key]) -> None:
    """Add to the rows of the minutes; raises a database error when that fails."""
    with transaction.atomic():
        for key, count in taken.items():
            if not _add(key, count):
                try:
                    with transaction.atomic():
                        Refusal.objects.create(**key._asdict(), count=count)
                except IntegrityError:  # another process was first
                    _add(key, count)


def _add(key: Key, count: int) -> int:
    return Refusal.objects.filter(**key._asdict()).update(count=F("count") + count)


counts: Final = Counts()
