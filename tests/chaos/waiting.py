"""Waiting for what always comes, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from benchmarks.children import Failed

PATIENCE: Final = 120.0  # a machine may be busy; a promise is never about this
POLL_SECONDS: Final = 0.02


def wait_until(true: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Raises `Failed` when it does not come true in time."""
    if not comes_true(true, seconds=seconds):
        raise Failed(f"not within {seconds:g} s: {what}")


def comes_true(true: Callable[[], object], *, seconds: float = PATIENCE) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True
