"""The clock of a process stands beside the real one, as far as a file says, and follows it.

Moved like this a clock steps in a running process, as it does when somebody sets it; what measures
time without a clock (`time.monotonic`, a database) goes on as it was.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import time_machine

FILE: Final = "CHAOS_CLOCK"  # names the file in the environment; it holds seconds
LOOK_SECONDS: Final = 0.01
_BEGAN: Final = time.time() - time.monotonic()  # the real clock beside one that stays right


def follow() -> None:
    """From now on; the moments that Python tells are wrong, for all threads."""
    path = Path(os.environ[FILE])
    seconds = _seconds(path)
    clock = time_machine.travel(_moment(seconds), tick=True).start()

    def look(seconds: float) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            found = _seconds(path)
            if found != seconds:
                seconds = found
                clock.move_to(_moment(seconds), tick=True)

    threading.Thread(target=look, args=(seconds,), name="clock", daemon=True).start()


def _seconds(path: Path) -> float:
    return float(path.read_text())


def _moment(seconds: float) -> datetime:
    real = _BEGAN + time.monotonic()
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=real + seconds)
