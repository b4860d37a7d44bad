"""Draining once, or for a while: what commands, tasks and tests ask of a drainer."""

from __future__ import annotations

import threading

from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.outbox import stops
from backoffice.outbox.counts import Counts
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Message


def drain_once(
    *, connections: int = 0, gateway: Gateway | None = None, limit: int | None = None
) -> Counts:
    """Send until nothing is due any more (or `limit` messages were tried), then return."""
    drainer = Drainer(connections=connections, gateway=gateway, is_patient=False)
    idle_rounds = 0

    def finished() -> bool:
        nonlocal idle_rounds
        if limit is not None and drainer.counts.sent >= limit:
            return True
        if drainer.is_idle and not Message.objects.due(timezone.now()).exists():
            idle_rounds += 1
        else:
            idle_rounds = 0
        if drainer.is_paused or stops.is_stopped():
            return drainer.is_idle
        # In one thread a round that found nothing has seen everything; others may still hand in.
        return idle_rounds > (1 if drainer.connections else 0)

    return drainer.run(until=finished)


_one_drainer = threading.Lock()


def drain_for(seconds: float) -> Counts:
    """Drain for so many seconds, busy or not: what comes in meanwhile is applied within a second.

    One drainer per process, whatever its concurrency: calls in flight never exceed the limit.
    A second call in the same process returns at once.
    """
    if not _one_drainer.acquire(blocking=False):
        return Counts()
    try:
        return Drainer().run(until=lambda: False, seconds=seconds)
    finally:
        _one_drainer.release()
