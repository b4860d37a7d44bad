"""P4: a worker that was only paused cannot overwrite what another one did meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Patch, Product, state_of
from tests.chaos.waiting import comes_true, wait_until

MOST_ON_SQLITE: Final = 10
LEASE: Final = 2  # seconds
OTHER_LEASE: Final = 100
ENDS_SECONDS: Final = 30.0
PERSONS: Final = 6
CONNECTIONS: Final = 3
NOT_DONE: Final = "status <> 'done'"
LATE: Final = ("outbox_late_writer", "outbox_late_worker")  # what the log says about them

WITHOUT_FENCE: Final[Patch] = ("sending:without_fence", {})


def run(workshop: Workshop, size: Size) -> Outcome:
    """Pause one worker past its lease, let another take over, and wake the first."""
    return _made(workshop, size, size.of(40, smoke=1, quick=2))


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with workers that ask for no fencing number."""
    return _made(workshop, size, 1, WITHOUT_FENCE)


def _made(workshop: Workshop, size: Size, most: int, *patches: Patch) -> Outcome:
    outcome = Outcome()
    for kind in workshop.kinds[:1] if size is Size.SMOKE else workshop.kinds:
        rounds = most if kind == POSTGRESQL else min(most, MOST_ON_SQLITE)
        with Partner() as partner:
            environ = {**partner.environ, "EDUIX_CONNECTIONS": str(CONNECTIONS)}
            with Product(workshop, workshop.database(kind, "p4"), **environ) as product:
                found: list[str] = []
                for number in range(rounds):
                    found += _round(product, partner, number * PERSONS + 1, patches)
                found += [*partner.applied_twice(), *partner.overlaps]
                outcome.violations += [f"{kind}: {each}" for each in found]
                # A control that lets everybody write has nobody who is told to be late.
                late = sum(product.log().count(word) for word in LATE)
                outcome.tried += late if not patches else rounds * PERSONS
        outcome.remarks.append(f"{kind}: {rounds} pauses past a lease of {LEASE} s, {late} late")
    return outcome


def _round(
    product: Product, partner: Partner, first: int, patches: tuple[Patch, ...]
) -> Iterator[str]:
    """What a late worker changed; half of its messages had left when it was paused."""
    product.run("rows:queue_persons", first=first, count=PERSONS)
    created, asked = partner.calls("createPerson"), partner.calls("getPerson")
    with partner.holding("createPerson"):
        late = product.start("sending:deliver", *patches, lease=LEASE)
        wait_until(lambda: partner.calls("createPerson") == created + CONNECTIONS, "the calls")
        late.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(late.pid) == "T", "the pause")
    wait_until(lambda: not product.leased(), "the end of its leases")
    with partner.holding("getPerson"):
        # The other one asks first; while it waits for the answers these are its messages.
        other = product.start("sending:deliver", *patches, lease=OTHER_LEASE)
        wait_until(lambda: partner.calls("getPerson") == asked + CONNECTIONS, "the questions")
        before = _rows(product)
        late.signal(signal.SIGCONT)
        late.signal(signal.SIGTERM)  # in order, so it writes down what it had begun
        if not comes_true(lambda: not late.is_alive, seconds=ENDS_SECONDS):
            yield "the late worker calls Edu-iX about messages that are another's"
            late.kill()
        after = _rows(product)
        yield from (
            f"{name}: {before[name]} became {after.get(name)}"
            for name in before
            if before[name] != after.get(name)
        )
    is_done = comes_true(lambda: not product.count(NOT_DONE), seconds=60)
    other.stop()
    if not is_done:
        yield f"{product.count(NOT_DONE)} messages are not done"


def _rows(product: Product) -> dict[str, object]:
    """All that a sender may write on messages and on rows."""
    messages = "select label, status, fence, tries, lease_until, finished_at from outbox_message"
    persons = (
        "select distributor_person_id, push_state, push_changed_at, registered_at"
        " from persons_person"
    )
    return {
        f"{table} {key}": tuple(map(str, row))
        for table, statement in (("message", messages), ("person", persons))
        for key, *row in product.query(statement)
    }


EXPERIMENTS: Final = (
    Experiment(
        name="P4",
        promise="A worker paused past its lease changes no row, and nothing takes effect twice",
        run=run,
        control=control,
        broken="no statement asks for the fencing number",
    ),
)
