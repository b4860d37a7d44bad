"""N1: kill -9 of the web server, of PostgreSQL, of both, while eight connections deliver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.children import Failed
from benchmarks.workshop import SQLITE, Workshop
from tests.chaos.cluster import Cluster
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.senders import Senders
from tests.chaos.inbound.serving import (
    ANSWERS_FIRST,
    PRODUCT,
    Served,
    own_postgresql,
    stored,
)


@dataclass(frozen=True)
class Kill:
    """What is killed at once, the database first; it comes back in the same order."""

    what: str
    victims: tuple[Cluster | Served, ...]

    def strike(self) -> None:
        """SIGKILL to all of it."""
        for victim in self.victims:
            victim.kill()

    def undo(self) -> None:
        """Start what was killed."""
        for victim in self.victims:
            victim.start()


def run(workshop: Workshop, size: Size) -> Outcome:
    """What was answered 200 is in the database, on PostgreSQL and on SQLite."""
    return _killed(workshop, size, PRODUCT)


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with a door that answers before it commits."""
    return _killed(workshop, size, ANSWERS_FIRST)


def _killed(workshop: Workshop, size: Size, application: str) -> Outcome:
    outcome = Outcome()
    rounds = size.of(20, smoke=1, quick=2)
    least = size.of(200, smoke=50, quick=200)  # answers between two kills
    with own_postgresql(workshop) as cluster:
        door = Served(workshop, cluster.url, application=application, workers=2)
        lite = Served(workshop, workshop.database(SQLITE, "in"), application=application)
        door.begin()
        lite.begin()
        web = Kill("the web server", (door,))
        database = Kill("PostgreSQL", (cluster,))
        both = Kill("both", (cluster, door))
        kills = [database, both] if size is Size.SMOKE else [web, database, both] * rounds
        _deliver(door, kills, least, workshop, outcome)
        # SQLite lives in the web server, so there is nothing else to kill.
        _deliver(lite, [Kill("the web server", (lite,))] * rounds, least, workshop, outcome)
    return outcome


def _deliver(
    door: Served, kills: list[Kill], least: int, workshop: Workshop, outcome: Outcome
) -> None:
    """Kill after each `least` answers; then look for everything that was answered 200."""
    kind = door.database.partition(":")[0]
    answered: list[int] = []  # how many were, at each kill
    door.wait()
    with Senders(door.port, "K") as senders:
        for number, kill in enumerate(kills, 1):
            try:
                senders.wait_for(least)
            except Failed as silence:
                raise Failed(f"{silence}\n{door.child.last_lines()}") from silence
            kill.strike()
            answered.append(len(senders.acked))
            if number < len(kills):
                kill.undo()
    kills[-1].undo()
    there = stored(workshop, door.database)
    outcome.tried += len(senders.acked)
    outcome.remarks.append(f"{kind}: {len(kills)} kills, not 200: {senders.others.total()}")
    for position, key in enumerate(senders.acked):
        if key not in there:
            number = sum(count <= position for count in answered[:-1])
            what = f"kill {number + 1}, of {kills[number].what}"
            outcome.violations.append(f"{kind}: {key} was answered 200 and is gone after {what}")


EXPERIMENTS: Final = (
    Experiment(
        "N1",
        "What was answered 200 is there after kill -9 of web server, database, or both",
        run,
        control,
        "the answer comes before the commit",
    ),
)
