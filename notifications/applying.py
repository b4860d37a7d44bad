"""The worker's part: applies what is stored, in order of arrival, each in its own transaction.

A claim is a conditional update with a lease, so two workers never have the same notification and
a worker that is killed loses nothing. What was never tried is claimed in one go; what was tried
before is claimed alone, just before its turn: a notification that kills the worker then spends its
own tries, never those of others.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from notifications import reasons
from notifications.models import Notification
from notifications.taking_over import Outcome, take_over

logger = logging.getLogger(__name__)

Verdict = Notification.Verdict

LEASE: Final = timedelta(minutes=2)
MAX_TRIES: Final = 5
BACKOFF: Final = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800)
)  # after the first, second, … try
SWEEP: Final = 500  # unmatched ones looked at in one go
BATCH: Final = 200


class _Sweep:
    """Where the sweep over the unmatched ones has come to, in this process."""

    after = 0


def apply_waiting(limit: int = BATCH) -> int:
    """Apply up to `limit` notifications that are due; returns how many got their verdict.

    Runs at least once a second in the worker that drains the outbox.
    """
    now = timezone.now()
    _Sweep.after = release_matched(after=_Sweep.after)
    handled = 0
    for notification in _claimed(now, limit):
        if _apply(notification) not in (None, Verdict.WAITING):
            handled += 1
    return handled


def apply_now(pk: int, *, now: datetime) -> str:
    """Apply this one at once, whatever its turn; returns the verdict it has afterwards."""
    claim = uuid4().hex
    Notification.objects.filter(pk=pk, verdict__in=Notification.TO_APPLY).update(
        claim=claim, tries=1, due_at=now + LEASE
    )
    notification = Notification.objects.filter(pk=pk, claim=claim).first()
    if notification is not None:
        _apply(notification)
    return Notification.objects.values_list("verdict", flat=True).get(pk=pk)


def release_matched(*, after: int) -> int:
    """Let unmatched ones be applied whose subject is here now; returns where to go on.

    Looks at the next `SWEEP` of them, round and round. That the subject appeared in the very
    moment in which a notification was found unmatched does no harm: the next round sees both.
    """
    unmatched = Notification.objects.unmatched()
    ids = list(unmatched.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:SWEEP])
    if ids:
        matched = unmatched.filter(pk__in=ids).with_subject_here()
        Notification.objects.filter(pk__in=list(matched.values_list("pk", flat=True))).release()
    return ids[-1] if len(ids) == SWEEP else 0


def _claimed(now: datetime, limit: int) -> Iterator[Notification]:
    fresh = Notification.objects.take_new(now=now, lease=LEASE, limit=limit)
    yield from fresh
    for _turn in range(limit - len(fresh)):
        again = Notification.objects.take_again(now=now, lease=LEASE)
        if again is None:
            return
        yield again


def _apply(notification: Notification) -> str | None:
    """The verdict, or None when another worker has it by now."""
    mine = Notification.objects.filter(
        pk=notification.pk, claim=notification.claim, verdict__in=Notification.TO_APPLY
    )
    if notification.tries > MAX_TRIES:  # its worker never came back to say what went wrong
        mine.update(verdict=Verdict.DEAD, reason=reasons.STOPPED_THE_WORKER, claim="", due_at=None)
        return Verdict.DEAD
    try:
        with transaction.atomic():
            if not list(mine.select_for_update().values_list("pk")):
                return None
            outcome = take_over(notification=notification, now=timezone.now())
            mine.update(**_columns(notification, outcome))
            return outcome.verdict
    except Exception:  # the border: whatever it is, it is kept and tried again later
        logger.exception("notification_failed", extra={"notification_id": notification.pk})
        return _failed(notification, traceback.format_exc())


def _columns(notification: Notification, outcome: Outcome) -> dict[str, object]:
    """How an outcome stands in the row; being put off is no try."""
    flags = list(notification.flags)
    flags += [flag.value for flag in outcome.flags if flag.value not in flags]
    is_put_off = outcome.verdict == Verdict.WAITING
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "flags": flags,
        "traceback": "",
        "claim": "",
        "question": outcome.question,
        "due_at": outcome.due_at,
        "tries": notification.tries - 1 if is_put_off else notification.tries,
        "applied_at": timezone.now() if outcome.verdict == Verdict.APPLIED else None,
    }


def _failed(notification: Notification, details: str) -> str | None:
    is_last = notification.tries >= MAX_TRIES
    verdict = Verdict.DEAD if is_last else Verdict.FAILED
    wait = BACKOFF[min(notification.tries, len(BACKOFF)) - 1]
    rows = Notification.objects.filter(pk=notification.pk, claim=notification.claim)
    changed = rows.update(
        verdict=verdict,
        reason=reasons.BROKE,
        traceback=details[-20_000:],
        claim="",
        question=None,
        due_at=None if is_last else timezone.now() + wait,
    )
    return verdict if changed else None
