"""Which clock counts, and what a wrong one has left behind.

Leases are told by the clock of the database, which all processes share: a process whose own clock
is wrong takes over nothing too early and keeps nothing too long. Everything else, such as the next
try of a message, is told by the clock of its machine. One that is put back would leave moments
that do not come for a day or a year, so that is noticed and mended.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.session_models import LoginSession

logger = logging.getLogger(__name__)

STEP_SECONDS: Final = 60.0  # less is what leases and rests allow for
FAR: Final = timedelta(hours=2)  # more than any lease, and than the wait for a next try

ASK_SECONDS: Final = 30.0  # no clock drifts far in this time
DOUBT_SECONDS: Final = 1.0  # between two clocks of this machine: it slept, or one was set


@dataclass(frozen=True)
class _Asked:
    """What the database said, and how our own clocks stood then."""

    answer: datetime
    steady: float
    wall: float

    def now(self) -> datetime | None:
        """Carried on by the clock that cannot be set; None when it must be asked anew."""
        passed = time.monotonic() - self.steady
        if passed > ASK_SECONDS or abs(time.time() - self.wall - passed) > DOUBT_SECONDS:
            return None
        return self.answer + timedelta(seconds=passed)


_asked: _Asked | None = None


def lease_now() -> datetime:
    """Now by the clock of the database; SQLite has the clock of its only machine."""
    global _asked
    if connection.vendor != "postgresql":
        return timezone.now()
    known = _asked.now() if _asked is not None else None
    if known is None:
        steady, wall = time.monotonic(), time.time()
        with connection.cursor() as cursor:
            cursor.execute("select clock_timestamp()")
            known = cursor.fetchone()[0]
        _asked = _Asked(known, steady, wall)
    return known


class Watch:
    """Holds the clock of the machine against one that cannot be set."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def was_put_back(self) -> bool:
        """Whether the clock went back since the last look; at the first one nobody knows: True."""
        before, self._offset = self._offset, time.time() - time.monotonic()
        return before is None or self._offset < before - STEP_SECONDS


def mend(now: datetime) -> int:
    """Let nothing wait for a moment that a wrong clock has set; returns how many messages that is.

    A lease of that time is ended: what it holds is asked about, and its holder writes in vain.
    """
    far = now + FAR
    mended = Message.objects.filter(
        Q(status=Message.Status.QUEUED) | Q(status=Message.Status.UNCERTAIN), due_at__gt=far
    ).update(due_at=now)
    held = Message.objects.filter(status=Message.Status.SENDING)
    ends = lease_now()
    mended += held.filter(lease_until__gt=ends + FAR).update(lease_until=ends)
    ServiceState.objects.filter(pause_until__gt=far).update(pause_until=None)
    LoginSession.objects.filter(lease_until__gt=far).update(lease_until=None)
    LoginSession.objects.filter(failed_at__gt=far).update(failed_at=None)
    if mended:
        logger.warning("outbox_clock_put_back", extra={"count": mended})
    return mended
