"""P3: everything of one person goes out in its order, one call at a time, whoever sends it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.brokers import Redis
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.partner import Partner
from tests.chaos.product import Process, Product
from tests.chaos.waiting import comes_true

STEPS: Final = ("createPerson", "createSchoolperson", "createPersonCredit", "returnCredit")
FAULTS: Final = 0.2
ALL_DONE_SECONDS: Final = 240.0
HURRY_SECONDS: Final = 0.3
SERIES: Final = 100_000  # between the numbers of a person's first and second credit

# Each message becomes a chain of its own, whatever the product asks for.
UNCHAINED: Final = {
    True: "create trigger unchained after insert on outbox_message begin"
    " update outbox_message set chain = 'alone:' || new.id, joins = '' where id = new.id; end",
    False: "create function unchained() returns trigger language plpgsql as"
    " $$ begin new.chain := 'alone:' || new.id; new.joins := ''; return new; end $$;"
    " create trigger unchained before insert on outbox_message"
    " for each row execute function unchained()",
}
# A credit of those that are given back, and not asked back yet.
RETURNABLE: Final = (
    "id not in (select person_credit_id from credits_creditreturn)"
    " and distributor_person_credit_id <= 'C{most:06d}'"
)


@dataclass(frozen=True)
class Scale:
    """How many persons, sending processes, kills of these and of their broker."""

    persons: int
    pairs: int  # of persons that are merged afterwards
    workers: int
    kills: int
    broker_kills: int
    is_unchained: bool = False


def run(workshop: Workshop, size: Size) -> Outcome:
    """All with faults at random, processes that die, and a broker that forgets."""
    outcome = Outcome()
    for kind in kinds(workshop, size):
        _made(workshop, kind, scale_of(kind, size), outcome)
    return outcome


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same for a few persons, in a database that takes the chains apart."""
    outcome = Outcome()
    for kind in kinds(workshop, size):
        scale = Scale(persons=8, pairs=0, workers=2, kills=0, broker_kills=0, is_unchained=True)
        _made(workshop, kind, scale, outcome)
    return outcome


def kinds(workshop: Workshop, size: Size) -> tuple[str, ...]:
    """The first database in the suite, both otherwise."""
    return workshop.kinds[:1] if size is Size.SMOKE else workshop.kinds


def scale_of(kind: str, size: Size) -> Scale:
    """SQLite has one writer, and needs fewer processes to show what goes wrong."""
    if kind == POSTGRESQL:
        return Scale(
            persons=size.of(300, smoke=8, quick=24),
            pairs=size.of(40, smoke=1, quick=4),
            workers=size.of(8, smoke=2, quick=4),
            kills=size.of(10, smoke=1, quick=2),
            broker_kills=size.of(3, smoke=0, quick=1),
        )
    return Scale(
        persons=size.of(60, smoke=8, quick=8),
        pairs=size.of(10, smoke=1, quick=2),
        workers=size.of(3, smoke=2, quick=2),
        kills=size.of(5, smoke=1, quick=1),
        broker_kills=0,
    )


def _made(workshop: Workshop, kind: str, scale: Scale, outcome: Outcome) -> None:
    faults = 0.0 if scale.is_unchained else FAULTS
    broker = Redis(workshop.folder) if scale.broker_kills else None
    try:
        with Partner(faults=faults, seed=3) as partner:
            environ = {
                **partner.environ,
                "EDUIX_LEASE_SECONDS": "2" if scale.workers < 4 else "5",
                # Each connection is one to the database too, and that has a hundred for all.
                "EDUIX_CONNECTIONS": "4" if scale.workers < 8 else "2",
            }
            if broker is not None:
                broker.start()
                environ["CELERY_BROKER_URL"] = broker.url
            with Product(workshop, workshop.database(kind, "p3"), **environ) as product:
                if scale.is_unchained:
                    product.query(UNCHAINED[product.is_sqlite])
                    partner.slow_down("*", 0.05)
                crew = Crew(product, partner, scale, broker)
                crew.send_all()
                outcome.tried += len(partner.sandbox.control.ledger())
                outcome.violations += [f"{kind}: {each}" for each in wrong(product, partner, scale)]
                outcome.remarks.append(f"{kind}: {crew.story()}")
    finally:
        if broker is not None:
            broker.kill()


class Crew:
    """The sending processes, and what happens to them while they work."""

    def __init__(
        self, product: Product, partner: Partner, scale: Scale, broker: Redis | None
    ) -> None:
        self._product = product
        self._partner = partner
        self._scale = scale
        self._broker = broker
        self._workers: list[Process] = []
        self._random = random.Random(3)  # noqa: S311  to be repeated, not to be secret
        self._kills = scale.kills
        self._broker_kills = scale.broker_kills
        self._hurried = 0.0

    def story(self) -> str:
        """What happened, for the report."""
        scale = self._scale
        return (
            f"{scale.persons} persons, {scale.workers} workers, {scale.kills} killed,"
            f" {scale.broker_kills} broker kills"
        )

    def send_all(self) -> None:
        """Credits with all that they need, their returns, and then merges and new numbers."""
        product, scale = self._product, self._scale
        product.run("rows:queue_credits", first=1, count=scale.persons + 2 * scale.pairs)
        if self._broker is not None:
            product.start("ringing:beat", ("ringing:shorten", {}))
        self._workers = [self._hire(number) for number in range(scale.workers)]
        if scale.is_unchained:
            self._until(self._nothing_under_way)
        elif self._until(self._all_given_back) and scale.pairs:
            pairs = {"first": scale.persons + 1, "count": 2 * scale.pairs, "series": SERIES}
            product.run("rows:merge_pairs", **pairs)
            if self._until(self._all_done):
                product.run("rows:rename_first", **pairs)
            self._until(self._all_done)
        for worker in self._workers:
            worker.kill()

    def _hire(self, number: int) -> Process:
        """With a broker every second one is a Celery worker with its beat."""
        if self._broker is not None and number % 2:
            name = f"w{number}-{self._kills}"
            return self._product.start("ringing:work", ("ringing:shorten", {}), name=name)
        return self._product.start("sending:deliver")

    def _until(self, is_over: Callable[[], bool]) -> bool:
        def looked() -> bool:
            self._trouble()
            return is_over()

        return comes_true(looked, seconds=ALL_DONE_SECONDS)

    def _all_given_back(self) -> bool:
        """As soon as Edu-iX has a credit it is asked back."""
        product, persons = self._product, self._scale.persons
        returnable = RETURNABLE.format(most=persons)
        if product.count(f"push_state = 'in_sync' and {returnable}", "credits_personcredit"):
            product.run("rows:queue_returns", most=persons)
        asked = product.count(table="credits_creditreturn")
        return asked == persons and self._all_done()

    def _all_done(self) -> bool:
        return not self._product.count("status <> 'done'")

    def _nothing_under_way(self) -> bool:
        return not self._product.count("status in ('queued', 'sending', 'uncertain')")

    def _trouble(self) -> None:
        """The next kill when it is its turn; nobody waits for the time of a second try."""
        scale = self._scale
        if time.monotonic() - self._hurried > HURRY_SECONDS:
            self._hurried = time.monotonic()
            self._hurry()
        applied = len(self._partner.applied())
        all_of_them = len(STEPS) * scale.persons
        killed = scale.kills - self._kills
        if self._kills and applied > all_of_them * (killed + 1) / (scale.kills + 2):
            self._kills -= 1
            place = self._random.randrange(len(self._workers))
            self._workers[place].kill()
            self._workers[place] = self._hire(place)
        broken = scale.broker_kills - self._broker_kills
        if (
            self._broker is not None
            and self._broker_kills
            and applied > all_of_them * (broken + 1) / (scale.broker_kills + 2)
        ):
            self._broker_kills -= 1
            self._broker.kill()
            self._broker.start()

    def _hurry(self) -> None:
        due = self._product.now
        self._product.query(
            f"update outbox_message set due_at = {due}"  # noqa: S608
            f" where status in ('queued', 'uncertain') and due_at > {due}"
        )


Write = tuple[str, str]  # operation and key


def wrong(product: Product, partner: Partner, scale: Scale) -> Iterator[str]:
    """All that happened out of its order, twice, not at all, or beside another call."""
    yield from partner.overlaps
    calls: dict[Write, list[int]] = {}
    effects: dict[Write, list[int]] = {}
    for row in partner.sandbox.control.ledger():
        write = (row.operation, row.subject.rpartition(":")[2])
        calls.setdefault(write, []).append(row.number)
        if row.applied:
            effects.setdefault(write, []).append(row.number)
    for first, then in (pair for each in in_order(scale) for pair in pairwise(each)):
        begun = effects.get(first, [])
        early = [number for number in calls.get(then, []) if not begun or number < begun[0]]
        if early:
            yield f"{' of '.join(then)} was called before {' of '.join(first)} took effect"
    for write in {write for each in in_order(scale) for write in each}:
        if len(effects.get(write, [])) != 1:
            yield f"{' of '.join(write)} took effect {len(effects.get(write, []))} times"
    left = product.query("select label, status from outbox_message where status <> 'done'")
    yield from (f"{label} is {status}" for label, status in left)


def in_order(scale: Scale) -> Iterator[list[Write]]:
    """What must take effect after one another, each once."""
    for number in range(1, scale.persons + 1):
        keys = (f"K{number:06d}", f"P{number:06d}", f"C{number:06d}", f"C{number:06d}")
        yield list(zip(STEPS, keys, strict=True))
    for kept in range(scale.persons + 1, scale.persons + 2 * scale.pairs, 2):
        merge = ("mergePerson", f"K{kept + 1:06d}")
        rename = ("updatePersonID", f"K{kept:06d}")
        credits = [("createPersonCredit", f"C{each * SERIES + kept:06d}") for each in range(1, 5)]
        yield [credits[0], merge, credits[1], credits[2], rename, credits[3]]
        yield [("createPersonCredit", f"C{SERIES + kept + 1:06d}"), merge]


EXPERIMENTS: Final = (
    Experiment(
        name="P3",
        promise="One call at a time about a person, in order, and merges order both persons",
        run=run,
        control=control,
        broken="each message is a chain of its own",
    ),
)
