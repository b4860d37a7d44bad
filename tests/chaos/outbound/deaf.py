"""P9: a sender that no longer hears is noticed within a minute, and others do its work."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.brokers import Redis
from tests.chaos.experiment import Experiment, NotHere, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Patch, Process, Product
from tests.chaos.waiting import comes_true, wait_until

ALARM_SECONDS: Final = 60.0  # the promise
BEAT_SECONDS: Final = 0.3
QUIET_SECONDS: Final = 1.5  # several signs of life would have come
LOCK_SECONDS: Final = 8.0  # a statement waits 5 s for a lock and fails; the loop tries again
PERSONS: Final = 3
NOT_DONE: Final = "status <> 'done'"
ON_TIME: Final = "ok"

OFTEN: Final[Patch] = ("sending:beat_often", {"seconds": BEAT_SECONDS})
BESIDE: Final[Patch] = ("sending:beat_beside", {"seconds": BEAT_SECONDS})
RINGS: Final[Patch] = ("ringing:shorten", {"seconds": 1.0, "ring": 0.5})


def run(workshop: Workshop, size: Size) -> Outcome:
    """A sender that is paused, one that hangs, and one whose broker is a black hole."""
    outcome = Outcome()
    with _stage(workshop, size) as stage:
        stage.pause(outcome)
        stage.hang(outcome)
        if size is not Size.SMOKE:
            stage.black_hole(outcome)
    return outcome


def control(workshop: Workshop, size: Size) -> Outcome:
    """A sender that hangs, with signs of life from a thread beside its loop."""
    outcome = Outcome()
    with _stage(workshop, size) as stage:
        stage.patches = (OFTEN, BESIDE)
        stage.hang(outcome)
    return outcome


@contextmanager
def _stage(workshop: Workshop, size: Size) -> Iterator[Stage]:
    if POSTGRESQL not in workshop.kinds:
        raise NotHere("PostgreSQL, whose tables can be locked")
    with Redis(workshop.folder) as broker, Partner() as partner:
        environ = {**partner.environ, "CELERY_BROKER_URL": broker.url}
        with Product(workshop, workshop.database(POSTGRESQL, "p9"), **environ) as product:
            yield Stage(product, broker, size=size)


class Stage:
    """The product, and the three ways in which its sender falls silent."""

    def __init__(self, product: Product, broker: Redis, *, size: Size) -> None:
        self.product = product
        self.broker = broker
        self.patches: tuple[Patch, ...] = (OFTEN,)
        self._size = size
        self._persons = 0

    def pause(self, outcome: Outcome) -> None:
        """SIGSTOP; another process drains what waits."""
        sender = self._sender()
        sender.signal(signal.SIGSTOP)
        self._is_noticed("a paused sender", outcome)
        self._is_drained_elsewhere("a paused sender", outcome)
        sender.kill()

    def hang(self, outcome: Outcome) -> None:
        """Its loop waits for a lock that nobody gives free; then it goes on by itself."""
        sender = self._sender()
        with psycopg.connect(self.product.database) as connection:
            connection.execute("lock table outbox_message in exclusive mode")  # reading goes on
            silent = QUIET_SECONDS if self._size is Size.SMOKE else LOCK_SECONDS
            self._is_noticed("a hanging sender", outcome, seconds=silent)
        self._goes_on("a hanging sender", outcome)
        sender.kill()

    def black_hole(self, outcome: Outcome) -> None:
        """The broker takes connections and never answers; afterwards the worker hears again."""
        beat = self.product.start("ringing:beat", RINGS)
        worker = self.product.start("ringing:work", RINGS, *self.patches)
        self._wait_for_life()
        self.broker.signal(signal.SIGSTOP)
        try:
            # What it has begun it may finish; from then on it is silent.
            wait_until(lambda: self._look()["age"] > QUIET_SECONDS, "the end of the last ring")
            self._is_noticed("a worker without its broker", outcome)
            self._is_drained_elsewhere("a worker without its broker", outcome)
        finally:
            self.broker.signal(signal.SIGCONT)
        self._goes_on("a worker without its broker", outcome)
        for process in (beat, *worker.children, worker):
            process.kill()

    def _sender(self) -> Process:
        sender = self.product.start("sending:deliver", *self.patches)
        self._wait_for_life()
        return sender

    def _look(self, ahead: float = 0.0) -> dict[str, Any]:
        found: dict[str, Any] = self.product.run("looking:look", ahead=ahead)
        return found

    def _wait_for_life(self) -> None:
        wait_until(lambda: self._look()["age"] < QUIET_SECONDS, "a sign of life")

    def _is_noticed(self, who: str, outcome: Outcome, *, seconds: float = QUIET_SECONDS) -> None:
        """By the home page, `/metrics` and `is_alive`, a minute after it fell silent.

        The full form waits for that minute, others for `seconds` and look ahead.
        """
        outcome.tried += 1
        fell_silent = time.monotonic()
        patience = ALARM_SECONDS if self._size is Size.FULL else seconds

        def is_over() -> bool:
            return time.monotonic() - fell_silent > patience

        wait_until(is_over, "the time of the alarm", seconds=2 * ALARM_SECONDS)
        silent = time.monotonic() - fell_silent
        # Its last sign may have been under way when it fell silent.
        ahead = max(0.0, ALARM_SECONDS - silent) + 2 * BEAT_SECONDS
        found = self._look(ahead=ahead)
        outcome.remarks.append(f"{who}: {found['age']:.1f} s after its last sign {found['word']!r}")
        if found["age"] < silent - 2 * BEAT_SECONDS:
            outcome.violations.append(f"{who} gave a sign {found['age']:.1f} s ago")
        if found["word"] == ON_TIME or found["is_alive"]:
            outcome.violations.append(f"{who} counts as alive: {found['text']}")

    def _is_drained_elsewhere(self, who: str, outcome: Outcome) -> None:
        self._queue()
        other = self.product.start("sending:deliver", *self.patches)
        self._is_done(f"{who} holds everything up", outcome)
        other.stop()

    def _goes_on(self, who: str, outcome: Outcome) -> None:
        self._queue()
        self._is_done(f"{who} does not go on", outcome)

    def _queue(self) -> None:
        # Without a broker nothing may hang: the change is saved all the same.
        self.product.run("rows:queue_persons", first=self._persons + 1, count=PERSONS)
        self._persons += PERSONS

    def _is_done(self, problem: str, outcome: Outcome) -> None:
        outcome.tried += 1
        if not comes_true(lambda: not self.product.count(NOT_DONE), seconds=ALARM_SECONDS):
            outcome.violations.append(problem)
        elif not comes_true(self._is_on_time, seconds=ALARM_SECONDS):
            outcome.violations.append(f"{problem}: the home page does not see that it is over")

    def _is_on_time(self) -> bool:
        return bool(self._look()["word"] == ON_TIME)


EXPERIMENTS: Final = (
    Experiment(
        name="P9",
        promise="A sender that is paused, hangs or is deaf is noticed within 60 s",
        run=run,
        control=control,
        broken="a thread of its own gives the signs of life",
    ),
)
