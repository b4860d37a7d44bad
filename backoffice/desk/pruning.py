"""Blank what is older than the days we may keep it: bodies of calls, notifications, imports."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Max, Min, Model, Q, QuerySet
from django.utils import timezone

from backoffice.desk.work import work_items
from backoffice.desk.work_states import prune_agreements
from backoffice.jobs.models import Question
from backoffice.jobs.services import prune_jobs
from backoffice.outbox.models import Attempt, Held, ServiceState
from notifications.history import prune_tries
from notifications.models import Notification, Refusal
from notifications.reasons import TOO_OLD
from notifications.self_test import KEPT, prune_tests

logger = logging.getLogger(__name__)

SERVICE: Final = "prune"  # its row of `ServiceState` says when it ran last
EVERY: Final = timedelta(hours=24)
LOOK_SECONDS: Final = 600  # the worker asks this often whether it is time
WINDOW: Final = 20_000  # numbers of rows that one statement looks through
BATCH: Final = 500  # rows a statement: the database stops one that takes long

Row = TypeVar("Row", bound=Model)
_looked: dict[str, float] = {}


@dataclass(frozen=True)
class Pruned:
    """How many of each kind lost their content."""

    calls: int
    notifications: int
    import_rows: int
    refusals: int
    held: int = 0
    answers: int = 0
    agreements: int = 0


def prune(*, days: int, now: datetime) -> Pruned:
    """Blank what is more than so many days old; counts and results stay.

    Notifications that are still to be applied keep their content.
    """
    before = now - timedelta(days=days)
    prune_tests(before=now - KEPT)
    prune_tries(before=before)
    # An unmatched one waits for its subject; without its content it can never be applied.
    Notification.objects.filter(
        received_at__lt=before, verdict=Notification.Verdict.UNMATCHED
    ).update(verdict=Notification.Verdict.DEAD, reason=TOO_OLD)
    calls = Attempt.objects.filter(started_at__lt=before).exclude(calls=[])
    bodies = Notification.objects.filter(received_at__lt=before).exclude(raw=b"")
    return Pruned(
        calls=_in_batches(calls, lambda rows: rows.update(calls=[], traceback="")),
        notifications=_in_batches(
            bodies.exclude(verdict__in=Notification.TO_APPLY),
            lambda rows: rows.update(raw=b"", parsed={}, traceback=""),
        ),
        import_rows=prune_jobs(before=before),
        refusals=Refusal.objects.filter(minute__lt=before).delete()[0],
        # what Edu-iX held so long ago says nothing about today
        held=_in_batches(Held.objects.filter(asked_at__lt=before), lambda rows: rows.delete()[0]),
        answers=_in_batches(
            Question.objects.filter(asked_at__lt=before).exclude(arguments={}),
            lambda rows: rows.update(arguments={}, eck_id="", answer={"pruned": True}),
        ),
        agreements=prune_agreements(keys=(item.key for item in work_items(now=now)), before=before),
    )


def prune_daily() -> int:
    """What the worker does beside sending: prune once a day, whichever worker comes first.

    Returns 0 always, because nothing of it is work that waited.
    """
    if time.monotonic() - _looked.get(SERVICE, -LOOK_SECONDS) < LOOK_SECONDS:
        return 0
    _looked[SERVICE] = time.monotonic()
    now = timezone.now()
    row, _ = ServiceState.objects.get_or_create(service=SERVICE)
    is_due = Q(beat_at__isnull=True) | Q(beat_at__lt=now - EVERY)
    # Of two workers that look at the same moment one changes the row.
    if not ServiceState.objects.filter(is_due, service=SERVICE).update(beat_at=now):
        return 0
    try:
        pruned = prune(days=settings.BACKOFFICE_RETENTION_DAYS, now=now)
    except Exception:
        # Not done is not to count as done: the next look tries again.
        ServiceState.objects.filter(service=SERVICE, beat_at=now).update(beat_at=row.beat_at)
        raise
    logger.info("pruned", extra=asdict(pruned))
    return 0


def _in_batches(rows: QuerySet[Row], change: Callable[[QuerySet[Row]], int]) -> int:
    """Through the whole table in windows: nearly all of it was blanked on an earlier day, and to
    look for the next one behind all those takes longer than a statement may."""
    changed = 0
    ordered: QuerySet[Any] = rows.order_by("pk")
    ends = rows.model._base_manager.aggregate(lowest=Min("pk"), highest=Max("pk"))
    for start in range((ends["lowest"] or 1) - 1, ends["highest"] or 0, WINDOW):
        last, window = start, ordered.filter(pk__lte=start + WINDOW)
        while keys := list(window.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
            changed += change(rows.filter(pk__in=keys))
            last = keys[-1]
    return changed
