"""What may be done with notifications: let unmatched ones go, apply some again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils import timezone

from notifications import reasons
from notifications.applying import apply_now
from notifications.models import Notification

Verdict = Notification.Verdict


def apply_unmatched(*, kind: str, subjects: Iterable[str]) -> int:
    """Let the notifications about subjects that have just appeared be applied; returns how many.

    The worker's sweep finds them too, within seconds; this is for who knows the keys already.
    """
    return Notification.objects.about(kind, subjects).release()


@dataclass
class Replayed:
    """The real results of applying again, by verdict; `skipped` cannot be applied at all."""

    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: int = 0


def may_be_replayed(notification: Notification) -> bool:
    """Whether there is something to apply: it was readable, and was not blanked since."""
    return notification.verdict != Verdict.INVALID and bool(notification.parsed)


def replay(*, notifications: QuerySet[Notification]) -> Replayed:
    """Apply these again, now: of each subject only the newest, the others are superseded.

    Tries, old errors and questions are forgotten first. Invalid ones hold nothing to apply, and
    neither do those that were blanked because they are old: both are skipped.
    """
    replayed = Replayed()
    done: set[tuple[str, str]] = set()
    for notification in notifications.order_by("-pk"):
        if not may_be_replayed(notification):
            replayed.skipped += 1
            continue
        subject = (notification.kind, notification.subject)
        row = Notification.objects.filter(pk=notification.pk)
        row.update(tries=0, traceback="", due_at=None, claim="", question=None, applied_at=None)
        if subject in done:
            row.update(verdict=Verdict.SUPERSEDED, reason=reasons.NEWER_REPLAYED)
            replayed.verdicts[Verdict.SUPERSEDED] += 1
            continue
        done.add(subject)
        row.update(verdict=Verdict.WAITING, reason="")
        replayed.verdicts[apply_now(notification.pk, now=timezone.now())] += 1
    return replayed
