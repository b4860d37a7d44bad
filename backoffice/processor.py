"""Which processor a process of ours keeps to.

Python runs one thread at a time. Where each of them wakes on another processor, it finds nothing of
what the last one used in its cache: a message or a delivery then costs half as much again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from pathlib import Path
from typing import Any, Final

from django.conf import settings

logger = logging.getLogger(__name__)

_held: Final[list[Any]] = []  # files whose locks the system lets go of when this process ends
_turn: Final = threading.Lock()


def keep_to_one(*, may_share: bool = False) -> int | None:
    """Keep this process to one processor that no other of ours has; returns its number.

    All its threads move, and those that they start stay. Where other processes with this
    `BACKOFFICE_VAR` have every processor, `may_share` takes any, else nothing changes. None where
    nothing was done: switched off, only one processor, a system without this, or done already.
    """
    if not settings.BACKOFFICE_BIND_PROCESSORS or not hasattr(os, "sched_setaffinity"):
        return None
    with _turn:
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            return None
        # In any order: whatever else binds itself on this machine often begins with the first.
        secrets.SystemRandom().shuffle(allowed)
        chosen = next(filter(_take, allowed), allowed[0] if may_share else None)
        if chosen is None:
            return None
        for thread in _threads():
            with contextlib.suppress(OSError):  # it has ended meanwhile, or this is not allowed
                os.sched_setaffinity(thread, {chosen})
    logger.info("processor_kept", extra={"processor": chosen})
    return chosen


def _take(number: int) -> bool:
    """Whether this processor is ours from now on."""
    import fcntl  # not on every system

    folder = settings.BACKOFFICE_VAR / "processors"
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / f"{number}.lock").open("a")
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held.append(file)
    return True


def _threads() -> list[int]:
    """Every thread of this process, by the system's numbers."""
    try:
        return [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
    except OSError:
        return [0]  # the one that asks
