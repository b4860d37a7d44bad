"""P8: a ring that a broker gives out again, because its task takes long, has its effect once."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any, Final

from benchmarks.children import Failed
from benchmarks.workshop import Workshop
from tests.chaos.brokers import Redis
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Patch, Product
from tests.chaos.waiting import comes_true, wait_until

CREDITS: Final = 6  # in a round
VISIBLE_SECONDS: Final = 1.0  # after which Redis gives a ring to somebody else as well
TASK_SECONDS: Final = 4.0
AGAIN_SECONDS: Final = 20.0
NOT_DONE: Final = "status <> 'done'"

CONF: Final[dict[str, Any]] = {
    "seconds": TASK_SECONDS,
    "ring": 3600.0,
    "broker_transport_options": {"visibility_timeout": VISIBLE_SECONDS},
    "worker_enable_remote_control": False,
}
PATCHES: Final[tuple[Patch, ...]] = (("ringing:shorten", CONF), ("ringing:tell_rings", {}))


def run(workshop: Workshop, size: Size) -> Outcome:
    """One ring, two workers that hear it, and a licence to be given back of each credit."""
    return _made(workshop, size.of(50, smoke=1, quick=2), is_by_hand=False)


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with tasks that call Edu-iX themselves."""
    return _made(workshop, 1, is_by_hand=True)


def _made(workshop: Workshop, rounds: int, *, is_by_hand: bool) -> Outcome:
    outcome = Outcome()
    with Redis(workshop.folder) as broker, Partner() as partner:
        environ = {**partner.environ, "CELERY_BROKER_URL": broker.url, "EDUIX_CONNECTIONS": "2"}
        database = workshop.database(workshop.kinds[0], "p8")
        with Product(workshop, database, **environ) as product:
            for number in range(rounds):
                _round(product, partner, broker, number * CREDITS + 1, is_by_hand=is_by_hand)
                outcome.tried += CREDITS
            again = _given_out_twice(product)
        if again < rounds:
            raise Failed(f"only {again} of {rounds} rings were given out twice")
        outcome.violations += _returned_wrongly(
            partner, rounds * CREDITS, least=0 if is_by_hand else 1
        )
    outcome.remarks.append(f"{rounds} rounds, {again} rings begun more than once")
    return outcome


def _round(
    product: Product, partner: Partner, broker: Redis, first: int, *, is_by_hand: bool
) -> None:
    these = {"first": first, "count": CREDITS}
    product.run("rows:queue_school_credits", **these)
    product.run("sending:deliver_once")
    wait_until(lambda: not product.count(NOT_DONE), "the credits at Edu-iX")
    if not is_by_hand:
        product.run("rows:return_one_of_each", **these)
    broker.forget("")  # all those rings; one is enough
    before = partner.calls("returnCredit")
    job = "ringing:ring_by_hand" if is_by_hand else "ringing:ring"
    product.run(job, *PATCHES, **(these if is_by_hand else {}))
    given_out = _given_out_twice(product)
    with partner.holding("returnCredit"):
        slow = product.start("ringing:work", *PATCHES, name=f"slow-{first}")
        wait_until(lambda: partner.calls("returnCredit") > before, "the first return")
        # Redis gives out again what is hidden for longer, as soon as somebody comes who asks.
        end = time.monotonic() + VISIBLE_SECONDS
        wait_until(lambda: time.monotonic() > end, "the ring to be visible")
        other = product.start("ringing:work", *PATCHES, name=f"other-{first}")
        comes_true(lambda: _given_out_twice(product) > given_out, seconds=AGAIN_SECONDS)
        if is_by_hand:
            comes_true(lambda: partner.calls("returnCredit") > before + 1, seconds=AGAIN_SECONDS)
    if not is_by_hand:
        wait_until(lambda: not product.count(NOT_DONE), "all returns")
    for worker in (slow, other):
        for process in (worker, *worker.children):
            process.kill()


def _given_out_twice(product: Product) -> int:
    begun = Counter(re.findall(r"ring_begins (\S+)", product.log()))
    return sum(times > 1 for times in begun.values())


def _returned_wrongly(partner: Partner, credits: int, *, least: int) -> list[str]:
    """One licence of each; where we stop in the middle, at most one."""
    returned = {row.key: row.returned for row in partner.sandbox.control.rows("schoolCredit")}
    keys = [f"S{number:06d}" for number in range(1, credits + 1)]
    return [
        f"{returned[key]} of {key} were given back"
        for key in keys
        if not least <= returned[key] <= 1
    ]


EXPERIMENTS: Final = (
    Experiment(
        name="P8",
        promise="A task longer than the broker's visibility timeout has its effect once",
        run=run,
        control=control,
        broken="the task does the work itself, without the outbox",
    ),
)
