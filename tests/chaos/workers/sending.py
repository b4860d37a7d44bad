"""The sending processes, and what takes a protection away from them."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db.models import QuerySet

from backoffice.outbox import delivery, stops
from backoffice.outbox.models import Message
from tests.chaos.workers.patching import replace


def deliver(lease: int = 0) -> None:
    """`manage.py deliver`, until SIGTERM; `lease` in seconds instead of the environment's."""
    settings.EDUIX_LEASE_SECONDS = lease or settings.EDUIX_LEASE_SECONDS
    call_command("deliver")


def deliver_once() -> None:
    """`manage.py deliver --once`."""
    call_command("deliver", once=True)


def beat_often(seconds: float) -> None:
    """Signs of life come sooner, so that their absence shows sooner."""
    replace(delivery, "RESCUE_SECONDS", seconds)


def beat_beside(seconds: float) -> None:
    """Signs of life that a thread of its own gives, whatever the loop does."""

    def beat() -> None:
        while True:
            stops.beat()
            time.sleep(seconds)

    threading.Thread(target=beat, daemon=True).start()


def without_fence() -> None:
    """Every condition on the fencing number falls away."""
    Message._meta.get_field("fence")  # raises when there is no such thing any more
    filter_with = QuerySet.filter

    def filter_without(rows: QuerySet[Any], *args: Any, **conditions: Any) -> QuerySet[Any]:
        if rows.model is Message:
            conditions.pop("fence", None)
        return filter_with(rows, *args, **conditions)

    replace(QuerySet, "filter", filter_without)
