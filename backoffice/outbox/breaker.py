"""Rest for a partner that cannot be reached: one row, so that all workers rest and one asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from backoffice.outbox import stops
from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.settling import backoff

LONGEST_PAUSE: Final = 30.0  # seconds; a partner that is back is noticed within this
ASKERS: Final = 8  # brought forward to ask whether it is back: not each is the first of its chain


@dataclass(frozen=True)
class Seen:
    """What a worker saw of the row: `failures` counts pauses in a row, 0 when all is well."""

    is_stopped: bool = False
    failures: int = 0
    pause_until: datetime | None = None
    resumed_at: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Nobody may try yet."""
        return self.pause_until is not None and now < self.pause_until


def look() -> Seen:
    """The row as it is now; one query."""
    row = ServiceState.objects.filter(service=stops.SERVICE).first()
    if row is None:
        return Seen()
    return Seen(stops.stops_us(row), row.failures, row.pause_until, row.resumed_at)


def note_unreachable() -> Seen:
    """Pause all workers, longer each time; calls that fail together count once."""
    _rest(timezone.now(), stops.state().failures)
    return look()


def take_turn(now: datetime) -> bool:
    """Whether this worker may ask, for all of them, if Edu-iX is back; the next rest begins now.

    Only where there is something to ask with: what was put off for longer is brought forward.
    """
    with transaction.atomic():
        if not Message.objects.due(now).exists() and not bring_forward(now, most=ASKERS):
            return False
        return bool(_rest(now, stops.state().failures))


def _rest(now: datetime, failures: int) -> int:
    """Begin the next rest; 0 when another worker has begun it."""
    pause = timedelta(seconds=min(backoff(failures + 1), LONGEST_PAUSE))
    return ServiceState.objects.filter(
        Q(pause_until=None) | Q(pause_until__lte=now), service=stops.SERVICE, failures=failures
    ).update(
        failures=F("failures") + 1,
        unreachable_since=Coalesce(F("unreachable_since"), Value(now)),
        pause_until=now + pause,
    )


def note_reachable() -> Seen:
    """Edu-iX answers again: everything that had to wait for it may go at once."""
    with transaction.atomic():
        back = ServiceState.objects.filter(service=stops.SERVICE, failures__gt=0).update(
            failures=0, unreachable_since=None, pause_until=None
        )
        if back:
            bring_forward(timezone.now())
    return look()


def bring_forward(now: datetime, *, most: int | None = None) -> int:
    """Messages without an answer need not wait out the time of their last try; returns how many."""
    unanswered = Message.objects.filter(
        Q(status=Message.Status.QUEUED) | Q(status=Message.Status.UNCERTAIN),
        due_at__gt=now,
        code=None,
    )
    if most is not None:
        first = unanswered.order_by("priority", "position").values_list("pk", flat=True)[:most]
        unanswered = unanswered.filter(pk__in=list(first))
    return unanswered.update(due_at=now)
