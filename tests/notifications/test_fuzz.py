"""Mutated bodies: an answer of the ladder for each, nothing unforeseen, nothing opened.

Other ones in each run; experiment S15 (tests/chaos) reads the same two hundred thousand each time.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notifications.mutations import SEEDS, Run, calling_out, watched


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Hears whoever connects, also from C, where the audit hook hears nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        listening.setblocking(False)
        yield listening


def test_mutations_get_an_answer_each(listener: socket.socket, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("sings-in-the-mine")
    seeds = SEEDS + calling_out(listener.getsockname()[1], canary)
    run = Run(random.SystemRandom().randrange(2**32), seeds, canary.read_text())

    with watched() as opened:
        run.go(4000)

    assert run.violations == []
    assert sum(run.answers.values()) == 4000
    assert min(run.answers[answer] for answer in ("accepted", "not_xml", "login", "invalid")) > 0
    assert opened == []
    with pytest.raises(BlockingIOError):
        listener.accept()
