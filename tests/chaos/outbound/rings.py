"""P7: whatever Celery and its broker lose is only a ring, and the next one finds the work."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.workshop import Workshop
from tests.chaos.brokers import Broker, RabbitMQ, Redis
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Patch, Process, Product
from tests.chaos.waiting import comes_true, wait_until

NOT_DONE: Final = "status <> 'done'"
LEFT: Final = "select label, status from outbox_message where status <> 'done'"
PERSONS: Final = 6  # queued before each kill
ANSWER_SECONDS: Final = 0.1
ALL_DONE_SECONDS: Final = 90.0
SILENT_SECONDS: Final = 3.0  # nothing was rung for so long: nothing will be


@dataclass(frozen=True)
class Cell:
    """One field of the matrix."""

    broker: type[Broker]
    is_whole_worker: bool  # or only the process of its pool that sends
    is_acked_late: bool

    def __str__(self) -> str:
        victim = "worker" if self.is_whole_worker else "pool process"
        return f"{self.broker.__name__}, {victim}, acks {'late' if self.is_acked_late else 'early'}"


ALL: Final = tuple(
    Cell(broker, is_whole_worker, is_acked_late)
    for broker in (Redis, RabbitMQ)
    for is_whole_worker in (False, True)
    for is_acked_late in (False, True)
)
QUICK: Final = (ALL[0], ALL[3], ALL[5], ALL[6])
SMOKE: Final = (ALL[1],)


def run(workshop: Workshop, size: Size) -> Outcome:
    """Kill what sends, and empty the broker in the same moment; the beat goes on."""
    cells = {Size.FULL: ALL, Size.QUICK: QUICK, Size.SMOKE: SMOKE}[size]
    kills = size.of(20, smoke=1, quick=1)
    outcome = Outcome()
    for broker in dict.fromkeys(cell.broker for cell in cells):
        of_broker = [cell for cell in cells if cell.broker is broker]
        with _stage(workshop, broker) as stage:
            for cell in of_broker:
                stage.try_out(cell, kills, outcome)
    outcome.remarks.append(f"{len(cells)} cells, {kills} kills each")
    return outcome


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same without a beat: what the broker lost is never rung again."""
    outcome = Outcome()
    with _stage(workshop, Redis) as stage:
        stage.try_out(ALL[2], 1, outcome, has_beat=False)
    return outcome


@contextmanager
def _stage(workshop: Workshop, kind: type[Broker]) -> Iterator[Stage]:
    with kind(workshop.folder) as broker, Partner() as partner:
        partner.slow_down("createPerson", ANSWER_SECONDS)
        environ = {
            **partner.environ,
            "CELERY_BROKER_URL": broker.url,
            "EDUIX_LEASE_SECONDS": "1",
            "EDUIX_CONNECTIONS": "2",
        }
        database = workshop.database(workshop.kinds[0], "p7")
        with Product(workshop, database, **environ) as product:
            yield Stage(product, partner, broker)


@dataclass
class Stage:
    """The product with its broker and its partner."""

    product: Product
    partner: Partner
    broker: Broker
    persons: int = 0

    def try_out(self, cell: Cell, kills: int, outcome: Outcome, *, has_beat: bool = True) -> None:
        """So many kills, then everything must be done, each once."""
        queue = f"chaos-{secrets.token_hex(4)}"
        conf: dict[str, Any] = {
            "task_acks_late": cell.is_acked_late,
            "task_reject_on_worker_lost": cell.is_acked_late,
            "task_default_queue": queue,
            "worker_enable_remote_control": False,
        }
        shortened: Patch = ("ringing:shorten", conf)
        beat = self.product.start("ringing:beat", shortened) if has_beat else None
        worker = self.product.start("ringing:work", shortened, name=f"{queue}-0")
        for number in range(kills):
            self._wait_for_work(shortened)
            outcome.tried += PERSONS
            self.broker.forget(queue)
            self._kill(worker, cell)
            if cell.is_whole_worker:
                worker = self.product.start("ringing:work", shortened, name=f"{queue}-{number + 1}")
        if not self._is_finished(has_beat=has_beat):
            left = self.product.query(LEFT)
            outcome.violations += [f"{cell}: {label} is {status}" for label, status in left]
        outcome.violations += [f"{cell}: {each}" for each in self.partner.applied_twice()]
        for process in (worker, *worker.children, *([beat] if beat else [])):
            process.kill()
        self.broker.remove(queue)

    def _wait_for_work(self, shortened: Patch) -> None:
        """New persons, of whom the first has left and the last has not."""
        before = len(self.partner.applied())
        first = self.persons + 1
        self.product.run("rows:queue_persons", shortened, first=first, count=PERSONS)
        self.persons += PERSONS
        wait_until(lambda: len(self.partner.applied()) > before, "the first call")

    def _is_finished(self, *, has_beat: bool) -> bool:
        if has_beat:
            return comes_true(lambda: not self.product.count(NOT_DONE), seconds=ALL_DONE_SECONDS)
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < SILENT_SECONDS:
            left = self.product.count(NOT_DONE)
            if not left:
                return True
            if left != seen:
                seen, since = left, time.monotonic()
            time.sleep(0.05)
        return False

    def _kill(self, worker: Process, cell: Cell) -> None:
        pool = worker.children
        if cell.is_whole_worker:
            worker.kill()
        for process in pool:
            process.kill()


EXPERIMENTS: Final = (
    Experiment(
        name="P7",
        promise="A killed worker and an emptied broker lose no work and do none twice",
        run=run,
        control=control,
        broken="no beat rings again",
    ),
)
