"""P1: the intent to send exists exactly when the change does, wherever the process dies."""

from __future__ import annotations

from collections import Counter
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.brokers import Redis
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Product
from tests.chaos.waiting import comes_true, wait_until

SAVING: Final = (
    "before_insert",
    "after_insert",
    "before_commit",
    "after_commit",
    "before_ring",
    "after_ring",
)
SENDING: Final = ("before_send", "after_send", "after_reply", "before_mark", "after_mark")
ALL_DONE_SECONDS: Final = 90.0  # the promise
SHORT_LEASE: Final = "1"


def run(workshop: Workshop, size: Size) -> Outcome:
    """Die at each point, then let an ordinary drainer finish."""
    return _made(workshop, size, size.of(30, smoke=1, quick=2), "rows:queue_persons")


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with the intent written in a transaction after that of the change."""
    return _made(workshop, size, 1, "rows:queue_person_after")


def _made(workshop: Workshop, size: Size, rounds: int, saving: str) -> Outcome:
    outcome = Outcome()
    kinds = workshop.kinds[:1] if size is Size.SMOKE else workshop.kinds
    for kind in kinds:
        with Redis(workshop.folder) as broker, Partner() as partner:
            environ = {
                **partner.environ,
                "CELERY_BROKER_URL": broker.url,
                "EDUIX_LEASE_SECONDS": SHORT_LEASE,
                "EDUIX_CONNECTIONS": "2",
            }
            with Product(workshop, workshop.database(kind, "p1"), **environ) as product:
                _die_everywhere(product, rounds, saving, outcome)
                _finish(product, partner, f"{kind}: ", outcome)
    outcome.remarks.append(f"{len(SAVING) + len(SENDING)} points, {', '.join(kinds)}")
    return outcome


def _die_everywhere(product: Product, rounds: int, saving: str, outcome: Outcome) -> None:
    """Each run has a person of its own, whose number tells the point."""
    number = 0
    for _round in range(rounds):
        for point in SAVING:
            number += 1
            product.crash(saving, point, first=number, count=1)
        for point in SENDING:
            number += 1
            product.run("rows:queue_persons", first=number, count=1)
            # What an earlier one had taken becomes due again when its lease ends.
            wait_until(lambda: product.count("status = 'queued'"), "something to send")
            product.crash("sending:deliver_once", point)
    outcome.tried += number


def _finish(product: Product, partner: Partner, title: str, outcome: Outcome) -> None:
    intents = {label for (label,) in product.query("select label from outbox_message")}
    changes = _persons(product)
    outcome.violations += [
        *(f"{title}{key} was saved without an intent" for key in sorted(changes - intents)),
        *(f"{title}{key} is to be sent and was not saved" for key in sorted(intents - changes)),
    ]
    # The leases of the dead end first: a drainer that starts then takes over at once.
    wait_until(lambda: not product.leased(), "the end of all leases")
    drainer = product.start("sending:deliver")
    is_done = comes_true(lambda: not product.count("status <> 'done'"), seconds=ALL_DONE_SECONDS)
    drainer.stop()
    if not is_done:
        left = product.query("select label, status from outbox_message where status <> 'done'")
        outcome.violations += [f"{title}{label} is {status}" for label, status in left]
    outcome.violations += [title + twice for twice in partner.applied_twice()]
    sent = Counter(row.subject.partition(":")[2] for row in partner.applied("createPerson"))
    outcome.violations += [
        f"{title}{key} took effect {sent[key]} times"
        for key in sorted(changes | set(sent))
        if sent[key] != (1 if key in changes else 0)
    ]


def _persons(product: Product) -> set[str]:
    rows = product.query("select distributor_person_id from persons_person")
    return {key for (key,) in rows}


EXPERIMENTS: Final = (
    Experiment(
        name="P1",
        promise="A change and the intent to send it are there together, and it takes effect once",
        run=run,
        control=control,
        broken="the intent is written after the commit of the change",
    ),
)
