"""The worker's part: applies what is stored, in order of arrival, each in its own transaction.

A claim is a conditional update with a lease, so two workers never have the same notification and
a worker that is killed loses nothing. What was never tried is claimed in one go; what was tried
before is claimed alone, just before its turn: a notification that kills the worker then spends its
own tries, never those of others. One that never ends kills it too, after `LONGEST`: it would keep
everything waiting behind it, and what is sent as well.
"""

from __future__ import annotations

import faulthandler
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from notifications import reasons
from notifications.history import History
from notifications.models import Notification
from notifications.querysets import NotificationQuerySet
from notifications.taking_over import Outcome, take_over

logger = logging.getLogger(__name__)

Verdict = Notification.Verdict

STDERR: Final = 2  # its file descriptor
LEASE: Final = timedelta(minutes=2)
LONGEST: Final = timedelta(minutes=1)  # for one notification; it takes milliseconds
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
    handled, history = 0, History()
    try:
        for notification in _claimed(now, limit):
            if notification.tries > 1:  # it may be the one that stops the worker
                history.write()
            with _ending_at_the_longest():
                verdict = _apply(notification, history)
            if verdict not in (None, Verdict.WAITING):
                handled += 1
    finally:
        history.write()
    return handled


@contextmanager
def _ending_at_the_longest() -> Iterator[None]:
    """End this process when the block does not: its supervisor starts another.

    No exception could: a thread cannot be interrupted in C code. The stack of every thread is
    written on standard error first.
    """
    faulthandler.dump_traceback_later(LONGEST.total_seconds(), exit=True, file=STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def apply_now(pk: int, *, now: datetime, history: History) -> str:
    """Apply this one at once, whatever its turn; returns the verdict it has afterwards."""
    claim = uuid4().hex
    Notification.objects.filter(pk=pk, verdict__in=Notification.TO_APPLY).update(
        claim=claim, tries=1, due_at=now + LEASE
    )
    notification = Notification.objects.filter(pk=pk, claim=claim).first()
    if notification is not None:
        _apply(notification, history)
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


def _apply(notification: Notification, history: History) -> str | None:
    """The verdict, or None when another worker has it by now."""
    mine = Notification.objects.filter(
        pk=notification.pk, claim=notification.claim, verdict__in=Notification.TO_APPLY
    )
    if notification.tries > MAX_TRIES:  # its worker never came back to say what went wrong
        return _given_up(notification, mine, history)
    try:
        with transaction.atomic():
            if not list(mine.select_for_update().values_list("pk")):
                return None
            outcome = take_over(notification=notification, now=timezone.now())
            mine.update(**_columns(notification, outcome))
    except Exception:  # the border: whatever it is, it is kept and tried again later
        logger.exception("notification_failed", extra={"notification_id": notification.pk})
        return _failed(notification, traceback.format_exc(), history)
    _note(notification, outcome, history)
    return outcome.verdict


def _note(notification: Notification, outcome: Outcome, history: History) -> None:
    """Being put off for the same reason as before is no news."""
    if outcome.verdict == Verdict.WAITING and outcome.reason == notification.reason:
        return
    history.note(
        notification.pk,
        number=notification.tries,
        verdict=outcome.verdict,
        reason=outcome.reason,
        next_at=outcome.due_at,
    )


def _given_up(
    notification: Notification, mine: NotificationQuerySet, history: History
) -> str | None:
    changed = mine.update(
        verdict=Verdict.DEAD, reason=reasons.STOPPED_THE_WORKER, claim="", due_at=None
    )
    if not changed:
        return None
    history.note(
        notification.pk,
        number=notification.tries,
        verdict=Verdict.DEAD,
        reason=reasons.STOPPED_THE_WORKER,
    )
    return Verdict.DEAD


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


def _failed(notification: Notification, details: str, history: History) -> str | None:
    is_last = notification.tries >= MAX_TRIES
    verdict = Verdict.DEAD if is_last else Verdict.FAILED
    wait = BACKOFF[min(notification.tries, len(BACKOFF)) - 1]
    due_at = None if is_last else timezone.now() + wait
    details = details[-20_000:]
    rows = Notification.objects.filter(pk=notification.pk, claim=notification.claim)
    changed = rows.update(
        verdict=verdict,
        reason=reasons.BROKE,
        traceback=details,
        claim="",
        question=None,
        due_at=due_at,
    )
    if not changed:
        return None
    history.note(
        notification.pk,
        number=notification.tries,
        verdict=verdict,
        reason=reasons.BROKE,
        traceback=details,
        next_at=due_at,
    )
    history.write()
    return verdict
