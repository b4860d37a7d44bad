"""How sending goes, by operation: how much waits and how long, how fast it goes, what is refused.

Two queries whatever the data: one over what the engine still works on, one over the newest tries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Min
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.desk.since import duration
from backoffice.outbox.models import Attempt, Message
from backoffice.outbox.words import operation_words

WINDOW: Final = timedelta(minutes=15)  # of the workbench; `/metrics` takes five
LATEST: Final = 20_000  # tries looked at: more than five minutes of the busiest day
REFUSED: Final = (Attempt.Outcome.REFUSED, Attempt.Outcome.CONFLICT)

Tries = Counter[tuple[str, str, str]]


@dataclass(frozen=True)
class Queue:
    """What the engine still works on, of one operation or of all."""

    rows: int = 0
    oldest: datetime | None = None

    def __add__(self, other: Queue) -> Queue:
        times = [at for at in (self.oldest, other.oldest) if at is not None]
        return Queue(self.rows + other.rows, min(times, default=None))


@dataclass(frozen=True)
class Pace:
    """How fast one operation goes, and which part of what was answered was refused (0..1)."""

    per_minute: float = 0.0
    refused: float = 0.0


@dataclass(frozen=True)
class SendingLine:
    """One operation on the workbench: its name, and how it goes in one line."""

    operation: str
    name: str
    text: str


def queues() -> dict[str, Queue]:
    """By operation; one query."""
    rows = (
        Message.objects.active()
        .order_by()
        .values_list("operation")
        .annotate(rows=Count("pk"), oldest=Min("asked_at"))
    )
    return {operation: Queue(number, oldest) for operation, number, oldest in rows}


def tries_since(start: datetime) -> Tries:
    """Tries that began since then, by operation, outcome and code; one query.

    By key: it grows with time, and no index on the time is needed.
    """
    newest = Attempt.objects.order_by("-pk").values("pk")[:LATEST]
    rows = (
        Attempt.objects.filter(pk__in=newest, started_at__gte=start)
        .order_by()
        .values_list("message__operation", "outcome", "code")
        .annotate(number=Count("pk"))
    )
    counts: Tries = Counter()
    for operation, outcome, code, number in rows:
        # The service answers some codes with a sign and some without.
        counts[operation, outcome, "" if code is None else str(abs(code))] += number
    return counts


def paces(tries: Tries, window: timedelta) -> dict[str, Pace]:
    """By operation. What is under way has not gone yet; what was not answered is not refused."""
    gone: dict[str, int] = defaultdict(int)
    refused: dict[str, int] = defaultdict(int)
    answered: dict[str, int] = defaultdict(int)
    for (operation, outcome, _code), number in tries.items():
        if outcome != Attempt.Outcome.OPEN:
            gone[operation] += number
        if outcome in REFUSED:
            refused[operation] += number
        if outcome in (*REFUSED, Attempt.Outcome.ACCEPTED):
            answered[operation] += number
    minutes = window.total_seconds() / 60
    return {
        operation: Pace(number / minutes, refused[operation] / max(1, answered[operation]))
        for operation, number in gone.items()
    }


def sending_lines(waiting: dict[str, Queue], now: datetime) -> list[SendingLine]:
    """The operations that have something to tell, the fullest first; `waiting` is `queues()`."""
    going = paces(tries_since(now - WINDOW), WINDOW)
    names = sorted(
        waiting.keys() | going.keys(),
        key=lambda name: (
            -waiting.get(name, Queue()).rows,
            -going.get(name, Pace()).per_minute,
            name,
        ),
    )
    return [_line(name, waiting.get(name, Queue()), going.get(name, Pace()), now) for name in names]


def _line(operation: str, queue: Queue, pace: Pace, now: datetime) -> SendingLine:
    waiting = _("nothing in the queue")
    if queue.oldest is not None:
        waiting = _("%(number)s in the queue, oldest %(age)s") % {
            "number": number_format(queue.rows),
            "age": duration(now - queue.oldest),
        }
    going = _("%s a minute") % pace_words(pace.per_minute)
    told = [waiting, going]
    if pace.refused:
        told.append(_("%d%% refused") % max(1, round(100 * pace.refused)))
    return SendingLine(operation, capfirst(operation_words(operation)), " · ".join(told))


def pace_words(per_minute: float) -> str:
    """Whole numbers but for what goes slowly."""
    places = 1 if 0 < per_minute < 10 else 0
    return number_format(round(per_minute, places), places)


def of_all(parts: Iterable[Queue]) -> Queue:
    """The queues of all operations as one."""
    whole = Queue()
    for part in parts:
        whole += part
    return whole
