"""What may be done with notifications: let unmatched ones go, apply some again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from notifications import reasons
from notifications.applying import apply_now
from notifications.contents import Entry
from notifications.history import COMMAND, History, Who
from notifications.models import Notification
from notifications.piecing import Piece, together
from notifications.taking_over import pieces_of

Verdict = Notification.Verdict

CHUNK: Final = 500

Group = tuple[str, str, str]
Place = tuple[str, int]
Progress = Callable[[int, int], None]


def apply_unmatched(*, kind: str, subjects: Iterable[str]) -> int:
    """Let the notifications about subjects that have just appeared be applied; returns how many.

    The worker's sweep finds them too, within seconds; this is for who knows the keys already.
    """
    return Notification.objects.about(kind, subjects).release()


def corrections_told(*, subject: str) -> list[Entry]:
    """What the publisher made of the returns of this credit, as last told."""
    about = Notification.objects.about(Notification.Kind.SPECIFICATION_CHANGED, [subject])
    last = about.filter(verdict__in=Notification.SETTLED).order_by("-pk").first()
    if last is None:
        return []
    if not last.is_in_pieces:
        return list(last.parsed.get("correction", ()))
    this = Piece(last.parsed, last.received_at)
    return list(together(this, pieces_of(about.exclude(pk=last.pk))).parsed["correction"])


@dataclass
class Replayed:
    """The real results of applying again, by verdict; `skipped` cannot be applied at all."""

    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: int = 0


def may_be_replayed(notification: Notification) -> bool:
    """Whether there is something to apply: it was readable, and was not blanked since."""
    return notification.verdict != Verdict.INVALID and bool(notification.parsed)


def replay(
    *,
    notifications: QuerySet[Notification],
    progress: Progress | None = None,
    who: Who = COMMAND,
) -> Replayed:
    """Apply these again, now: of each subject only the newest, the others are superseded.

    Tries, old errors and questions are forgotten first; the history of tries stays. Invalid ones
    hold nothing to apply, and neither do those that were blanked because they are old: both are
    skipped. What was told in pieces (4.3) is put together again, so there too the newest one is
    enough.
    """
    replayed, history = Replayed(), History(who)
    newest: dict[Group, tuple[Place, int]] = {}
    chosen: list[int] = []
    rows = notifications.defer(None).only("kind", "subject", "verdict", "parsed", "received_at")
    for notification in rows.order_by("pk").iterator(chunk_size=CHUNK):
        if not may_be_replayed(notification):
            replayed.skipped += 1
            continue
        chosen.append(notification.pk)
        group, place = _place_of(notification)
        newest[group] = max(newest.get(group, (place, notification.pk)), (place, notification.pk))
    winners = sorted((pk for _place, pk in newest.values()), reverse=True)
    replayed.verdicts[Verdict.SUPERSEDED] += _supersede(sorted(set(chosen) - set(winners)), history)
    try:
        for number, pk in enumerate(winners, 1):
            _forget([pk], verdict=Verdict.WAITING, reason="")
            replayed.verdicts[apply_now(pk, now=timezone.now(), history=history)] += 1
            if progress is not None:
                progress(number, len(winners))
    finally:
        history.write()
    replayed.verdicts += Counter()  # without those that are 0
    return replayed


def _place_of(notification: Notification) -> tuple[Group, Place]:
    """What it may be superseded by, and where it stands among those.

    A licence block says nothing about specifications, so neither stands for the other.
    """
    subject = notification.kind, notification.subject
    if not notification.is_in_pieces:
        return (*subject, "full"), ("", notification.pk)
    piece = Piece(notification.parsed, notification.received_at)
    return (*subject, "block" if piece.is_block else "pieces"), piece.order


def _supersede(pks: list[int], history: History) -> int:
    verdict, reason = Verdict.SUPERSEDED, reasons.NEWER_REPLAYED
    for start in range(0, len(pks), CHUNK):
        chunk = pks[start : start + CHUNK]
        _forget(chunk, verdict=verdict, reason=reason)
        for pk in chunk:
            history.note(pk, number=0, verdict=verdict, reason=reason)
    history.write()
    return len(pks)


def _forget(pks: list[int], *, verdict: str, reason: str) -> None:
    """The tries so far, and what went wrong in them."""
    Notification.objects.filter(pk__in=pks).update(
        verdict=verdict,
        reason=reason,
        tries=0,
        traceback="",
        due_at=None,
        claim="",
        question=None,
        applied_at=None,
    )
