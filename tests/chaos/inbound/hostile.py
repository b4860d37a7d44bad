"""S15: whatever a body holds, reading it ends soon, in an answer, and touches nothing else."""

from __future__ import annotations

import secrets
import socket
from functools import partial
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.product.broken import BROKEN
from tests.notifications.sending import PASSWORD, USER

CASES: Final = 200  # at least, and no two alike
LONGEST: Final = 0.5  # seconds of processor time for one body
MOST: Final = 50_000_000  # bytes by which the process may grow
PATIENCE: Final = 3600.0


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """In a process of its own: its audit hook stays, and its memory is nobody else's."""
    mutations = size.of(200_000, smoke=3000, quick=40_000)
    canary = workshop.folder / "canary"
    canary.write_text(secrets.token_hex(16))
    with socket.socket() as listener:  # hears also who connects from C
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        environ = workshop.environ(
            f"sqlite:///{workshop.folder / 'none.sqlite3'}",
            NOTIFICATION_CREDENTIALS=f"{USER}:{PASSWORD}",
            **{BROKEN: broken},
        )
        numbers = [listener.getsockname()[1], canary, mutations // 4, mutations]
        module = "tests.chaos.inbound.product.parsing"
        child = workshop.start("parsing", ["-m", module, *map(str, numbers)], environ)
        try:
            told = child.read(PATIENCE)
        finally:
            workshop.stop(child)
        outcome = Outcome(tried=told["done"], violations=told["violations"])
        if _was_called(listener):
            outcome.violations.append("somebody called where a body said")
    if told["different"] < CASES:
        outcome.violations.append(f"only {told['different']} cases differ")
    if told["slowest"] > LONGEST:
        outcome.violations.append(f"one body took {told['slowest']:.2f} s")
    if told["grown"] > MOST:
        outcome.violations.append(f"memory grew by {told['grown'] / 1e6:.0f} MB")
    outcome.remarks += [
        f"{told['cases']} cases and {mutations} mutations, {len(told['answers'])} kinds of answers",
        f"slowest {told['slowest'] * 1000:.0f} ms, memory {told['grown'] / 1e6:+.1f} MB",
    ]
    return outcome


def _was_called(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return False
    return True


EXPERIMENTS: Final = (
    Experiment(
        name="S15",
        promise="Whatever a body holds, reading it ends soon, in an answer, and touches nothing",
        run=run,
        control=partial(run, broken="careless reader"),
        broken="amounts are read unseen, and a file is opened that a body names",
    ),
)
