"""Celery as the alarm clock: its worker and its beat, with a shorter minute."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery.signals import task_prerun
from django.conf import settings

from backoffice.celery import app
from backoffice.eduix.gateway import default_gateway
from backoffice.outbox.tasks import drain
from credits.returns import new_reference


def shorten(*, seconds: float = 2.0, ring: float = 1.0, **conf: Any) -> None:
    """One ring keeps a worker at it for `seconds`, and the beat rings each `ring` seconds.

    What else is given are settings of Celery.
    """
    settings.OUTBOX_DRAIN_SECONDS = seconds
    schedule: Mapping[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    app.conf.beat_schedule = {
        name: {**entry, "schedule": ring, "options": {"expires": max(seconds, ring)}}
        for name, entry in schedule.items()
    }
    app.conf.update(conf)


def ring() -> None:
    """One ring."""
    drain.apply_async()


def ring_by_hand(first: int, count: int) -> None:
    """Let tasks do by themselves, without an outbox, what the drainer should do."""
    for number in range(first, first + count):
        give_back.apply_async((f"S{number:06d}",))


@app.task(name="tests.chaos.give_back")
def give_back(key: str) -> None:
    """A task that holds the work itself: what runs twice happens twice."""
    default_gateway().return_school_credit(
        distributor_school_credit_id=key, amount=1, reference=new_reference()
    )


def tell_rings() -> None:
    """Each task that begins is told on standard error."""
    task_prerun.connect(_tell, weak=False)


def _tell(task_id: str = "", **_more: object) -> None:
    print(f"ring_begins {task_id}", file=sys.stderr, flush=True)


def work(name: str = "w", *, concurrency: int = 1) -> None:
    """`celery -A backoffice worker` with processes, until it is ended."""
    app.worker_main(
        [
            *("worker", "-P", "prefork", "-c", str(concurrency), "-n", f"{name}@%h"),
            *("--loglevel", "WARNING", "--without-mingle", "--without-gossip"),
        ]
    )


def beat(name: str = "beat") -> None:
    """`celery -A backoffice beat`, until it is ended."""
    path = Path(settings.BACKOFFICE_VAR) / f"{name}-{os.getpid()}"
    app.Beat(schedule=str(path), loglevel="WARNING", quiet=True).run()
