"""All sending stands still: since when, why, and what to do; for the workbench and the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Max

from backoffice.explanations.services import explain
from backoffice.outbox import clock
from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.stops import SERVICE

RESTS_BEFORE_ALARM: Final = 3  # some 20 seconds: a hiccup of Edu-iX is nobody's business
LONG: Final = timedelta(seconds=40)  # under way: longer than a call takes, with its connection


@dataclass(frozen=True)
class Standstill:
    """What happened, and what to do. `next_try` is when sending tries again by itself."""

    title: str
    cause: str
    steps: tuple[str, ...]
    since: datetime
    next_try: datetime | None = None


def standstill_now() -> Standstill | None:
    """None while sending goes; one query."""
    return standstill(ServiceState.objects.filter(service=SERVICE).first())


def standstill(state: ServiceState | None) -> Standstill | None:
    """A refused login, or a partner that could not be reached even after a few rests."""
    if state is None:
        return None
    if state.stopped_at is not None:
        told = explain(state.code if state.code is not None else "own:login_refused")
        return Standstill(told.title, told.cause, told.steps, state.stopped_at)
    if state.unreachable_since is not None and state.failures >= RESTS_BEFORE_ALARM:
        told = explain("own:unreachable")
        return Standstill(
            told.title, told.cause, told.steps, state.unreachable_since, state.pause_until
        )
    return None


@dataclass(frozen=True)
class LeftBehind:
    """Messages that are under way for `LONG`, and when the last of them is asked about."""

    number: int
    until: datetime


def left_behind() -> LeftBehind | None:
    """What a process that vanished took with it; they keep all behind them waiting. One query."""
    taken_long_ago = clock.lease_now() + timedelta(seconds=settings.EDUIX_LEASE_SECONDS) - LONG
    found = Message.objects.filter(
        status=Message.Status.SENDING, lease_until__lt=taken_long_ago
    ).aggregate(number=Count("pk"), until=Max("lease_until"))
    return LeftBehind(**found) if found["number"] else None
