"""N7: a broker that is killed, paused or emptied costs no notification."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.brokers import OwnRabbitMQ, Redis, Server
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.senders import Line
from tests.chaos.inbound.serving import Served
from tests.chaos.waiting import comes_true

TRUSTS_BROKER: Final = "tests.chaos.inbound.broken.trusts_broker:application"
QUEUE: Final = "celery"  # its default
OFTEN: Final = "tests.chaos.inbound.broken.often_settings"
PROCESSED_SECONDS: Final = 60.0  # after the broker is back
WAITING: Final = "SELECT count(*) FROM notifications_notification WHERE verdict = 'waiting'"
STORED: Final = "SELECT count(*) FROM notifications_notification"

Trouble = Callable[[Server], None]
# What is done to the broker, and what brings it back.
TROUBLES: Final[dict[str, tuple[Trouble, Trouble]]] = {
    "killed": (lambda broker: broker.kill(), lambda broker: broker.start()),
    "paused": (
        lambda broker: broker.signal(signal.SIGSTOP),
        lambda broker: broker.signal(signal.SIGCONT),
    ),
    "emptied": (lambda broker: broker.forget(QUEUE), lambda broker: broker.forget(QUEUE)),
}


def run(workshop: Workshop, size: Size) -> Outcome:
    """Redis; and RabbitMQ, which takes half a minute to start, where there is time for it."""
    outcome = Outcome()
    number = size.of(1000, smoke=20, quick=100)
    troubles = list(TROUBLES)[:1] if size is Size.SMOKE else list(TROUBLES)
    kinds: list[type[Server]] = [Redis] if size is not Size.FULL else [Redis, OwnRabbitMQ]
    for kind in kinds:
        with kind(workshop.folder) as broker, _office(workshop, broker, size) as door:
            for trouble in troubles:
                _troubled(workshop, broker, door, trouble, number, outcome)
    return outcome


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with a door that hands notifications to the broker."""
    outcome = Outcome()
    number = size.of(1000, smoke=20, quick=100)
    with Redis(workshop.folder) as broker:
        door = Served(
            workshop,
            workshop.database(workshop.kinds[0], "in"),
            application=TRUSTS_BROKER,
            environ={"CELERY_BROKER_URL": broker.url},
        )
        with ExitStack() as stack:
            stack.callback(door.kill)
            door.start()
            broker.kill()
            _deliver(door, "killed", number, outcome)
    return outcome


@contextmanager
def _office(workshop: Workshop, broker: Server, size: Size) -> Iterator[Served]:
    """The door, and Celery with its beat to apply what it stores."""
    environ = {"CELERY_BROKER_URL": broker.url, "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
    if size is not Size.FULL:
        environ["DJANGO_SETTINGS_MODULE"] = OFTEN
    database = workshop.database(workshop.kinds[0], "in")
    door = Served(workshop, database, environ=environ)
    worker = workshop.start(
        "celery",
        [
            *("-m", "celery", "-A", "backoffice", "worker", "--pool", "threads", "-c", "2"),
            *("--beat", "--schedule", str(workshop.folder / f"beat-{broker.port}")),
            *("--loglevel", "WARNING", "--without-mingle", "--without-gossip"),
        ],
        workshop.environ(database, **environ),
    )
    try:
        door.start()
        yield door
    finally:
        door.kill()
        worker.signal(signal.SIGKILL)
        workshop.stop(worker)


def _troubled(
    workshop: Workshop, broker: Server, door: Served, trouble: str, number: int, outcome: Outcome
) -> None:
    """Deliver while the broker is in trouble; afterwards all of it is applied."""
    begin, end = TROUBLES[trouble]
    name = broker.url.partition(":")[0]
    ((before,),) = workshop.query(door.database, STORED)
    begin(broker)
    accepted = _deliver(door, f"{name}, {trouble}", number, outcome)
    end(broker)
    ((after,),) = workshop.query(door.database, STORED)
    if after - before < accepted:
        outcome.violations.append(f"{name}, {trouble}: {accepted} accepted, {after - before} there")
    begun = time.monotonic()
    comes_true(lambda: not workshop.query(door.database, WAITING)[0][0])
    seconds = time.monotonic() - begun
    outcome.remarks.append(f"{name}, {trouble}: all applied {seconds:.1f} s after it was back")
    if seconds > PROCESSED_SECONDS:
        ((waiting,),) = workshop.query(door.database, WAITING)
        outcome.violations.append(
            f"{name}, {trouble}: {waiting} wait after {seconds:.0f} s: {PROCESSED_SECONDS:.0f}"
        )


def _deliver(door: Served, mark: str, number: int, outcome: Outcome) -> int:
    """So many, one after the other; how many were answered 200."""
    line = Line(door.port)
    accepted = 0
    for position in range(number):
        outcome.tried += 1
        try:
            answer = line.deliver(f"{mark[:18]}-{position}")
        except OSError as problem:
            outcome.violations.append(f"{mark}: {problem!r}")
            continue
        if answer.status == 200:
            accepted += 1
        else:
            outcome.violations.append(f"{mark}: answered {answer}")
    line.close()
    return accepted


EXPERIMENTS: Final = (
    Experiment(
        "N7",
        "A broker that is killed, paused or emptied costs no notification",
        run,
        control,
        "what is accepted stands with the broker alone",
    ),
)
