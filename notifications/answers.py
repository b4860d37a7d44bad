"""What senders got as an answer lately, and whether somebody who should come in is refused now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q, Sum

from backoffice.explanations.services import Explanation, explain
from backoffice.screens.cells import Tone
from notifications.models import Notification, Refusal

LATELY: Final = timedelta(hours=24)
NOW: Final = timedelta(hours=1)
MAX_SENDERS: Final = 5  # shown with one answer; strangers can be many
MAX_SEEN: Final = 200  # newest notifications that tell which senders are known
SILENCE_IS_OLD: Final = timedelta(days=7)

Reason = Refusal.Reason

# With these a sender that should come in stands outside; the others are about one message.
SHUT_OUT: Final = (
    Reason.LOGIN,
    Reason.LOGIN_FORM,
    Reason.NO_CREDENTIALS,
    Reason.ADDRESS,
    Reason.PLAIN_HTTP,
)
# Our own doing, or the sender's: what the pill beside an answer says.
BY_CHANCE: Final = (Reason.METHOD, Reason.OVERLOADED)


@dataclass(frozen=True)
class Sender:
    """One address, "" when it is not known, and how often it got this answer."""

    source: str
    count: int


@dataclass(frozen=True)
class AnswerLine:
    """One answer of the last day with its meaning."""

    status: int
    code: int
    count: int
    first_at: datetime
    last_at: datetime
    senders: list[Sender]
    explanation: Explanation
    tone: Tone
    more_senders: bool = False


def accepted(now: datetime) -> AnswerLine | None:
    """What was stored and answered with 200; our own tests left out."""
    rows = (
        Notification.objects.from_outside()
        .filter(received_at__gte=now - LATELY)
        .exclude(verdict=Notification.Verdict.INVALID)
        .order_by()
        .values_list("source")
        .annotate(times=Count("pk"), first=Min("received_at"), last=Max("received_at"))
        .order_by("-times")
    )
    found = list(rows)
    if not found:
        return None
    return AnswerLine(
        status=200,
        code=0,
        count=sum(times for _source, times, _first, _last in found),
        first_at=min(first for _source, _times, first, _last in found),
        last_at=max(last for _source, _times, _first, last in found),
        senders=[Sender(source or "", times) for source, times, *_rest in found[:MAX_SENDERS]],
        explanation=explain("own:door_accepted"),
        tone="ok",
        more_senders=len(found) > MAX_SENDERS,
    )


def refusal_tone(reason: str) -> Tone:
    """The colour of a refusal: what comes by chance is no fault of a sender."""
    return "idle" if reason in BY_CHANCE else "bad"


def answers(now: datetime) -> list[AnswerLine]:
    """All answers of the last 24 hours, the latest first; three queries, whatever there is."""
    refusals = Refusal.objects.filter(minute__gte=now - LATELY)
    keys = "status", "code", "reason"
    totals = (
        refusals.order_by()
        .values_list(*keys)
        .annotate(times=Sum("count"), first=Min("minute"), last=Max("minute"))
        .order_by("-last", "-times")
    )
    senders = _senders(
        refusals.order_by()
        .values_list(*keys, "source")
        .annotate(times=Sum("count"))
        # the largest of all answers together: strangers with made up addresses cost no more
        .order_by("-times")[: MAX_SENDERS * len(Reason)]
    )
    lines = []
    for status, code, reason, times, first, last in totals:
        named = senders[status, code, reason]
        lines.append(
            AnswerLine(
                status=status,
                code=code,
                count=times,
                first_at=first,
                last_at=last,
                senders=named[:MAX_SENDERS],
                explanation=explain(f"own:door_{reason}"),
                tone=refusal_tone(reason),
                more_senders=sum(sender.count for sender in named[:MAX_SENDERS]) < times,
            )
        )
    good = accepted(now)
    return [good, *lines] if good is not None else lines


def _senders(
    rows: Iterable[tuple[int, int, str, str, int]],
) -> dict[tuple[int, int, str], list[Sender]]:
    senders = defaultdict(list)
    for status, code, reason, source, times in rows:
        senders[status, code, reason].append(Sender(source, times))
    return senders


@dataclass(frozen=True)
class RefusedNow:
    """A sender stands outside; `is_known`: it delivered before, so it is Edu-iX."""

    since: datetime
    reason: str
    sources: list[str]
    count: int
    is_known: bool
    explanation: Explanation


def refused_now(now: datetime) -> RefusedNow | None:
    """Whether in the last hour senders were refused at the door and nobody was let in.

    One query while all is well, five at most.
    """
    lately = Refusal.objects.filter(minute__gte=now - NOW, reason__in=SHUT_OUT)
    last = lately.order_by("-minute", "-count").values_list("reason", flat=True).first()
    if last is None:
        return None
    let_in = Notification.objects.from_outside().filter(received_at__gte=now - SILENCE_IS_OLD)
    last_in = let_in.aggregate(at=Max("received_at"))["at"]
    if last_in is not None and last_in >= now - NOW:
        return None
    # the minute in which the last one was let in may have been before or after it was refused
    after = last_in or now - SILENCE_IS_OLD
    refused = Refusal.objects.filter(minute__gte=after, reason=last)
    facts = refused.aggregate(since=Min("minute"), count=Sum("count"))
    sources = sorted(set(refused.order_by("-minute").values_list("source", flat=True)[:MAX_SEEN]))
    return RefusedNow(
        since=facts["since"] or now,
        reason=last,
        sources=[source for source in sources if source][:MAX_SENDERS],
        count=facts["count"] or 0,
        is_known=_delivered_before(sources),
        explanation=explain(f"own:door_{last}"),
    )


def _delivered_before(sources: Iterable[str]) -> bool:
    newest = Notification.objects.from_outside().order_by("-pk")
    return bool(set(sources) & set(newest.values_list("source", flat=True)[:MAX_SEEN]))


def refused_addresses(now: datetime) -> list[Sender]:
    """The addresses of the last 24 hours that the list of addresses kept out, most first."""
    rows = (
        Refusal.objects.filter(Q(minute__gte=now - LATELY, reason=Reason.ADDRESS))
        .order_by()
        .values_list("source")
        .annotate(times=Sum("count"))
        .order_by("-times")[: MAX_SENDERS * 4]
    )
    return [Sender(source, times) for source, times in rows]
