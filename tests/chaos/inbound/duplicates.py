"""N5: however often an event is delivered, it has one effect, and each delivery is answered 200."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.children import Child
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.scene import (
    Scene,
    about_credit,
    about_person,
    posted,
    scene,
    status_of,
)
from tests.notifications.sending import Sender

MOST_COPIES: Final = 5
CODE: Final = 117  # of a publisher, and explained by nobody: each event counts it once
EAN: Final = "9789034234565"


@dataclass
class Stage:
    """One database with its door, its workers, and how often each event is delivered there."""

    kind: str
    here: Scene
    door: Child
    sender: Sender
    copies: dict[str, int]


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """On every database that is here; one after the other, but for the start of the processes."""
    outcome = Outcome()
    with ExitStack() as stack:
        stages = [
            _begun(kind, stack.enter_context(scene(workshop, kind, "n5", broken=broken)), size)
            for kind in workshop.kinds
        ]
        for stage in stages:
            outcome.tried += sum(stage.copies.values())
            outcome.violations += [f"{stage.kind}: {one}" for one in _violations(stage)]
            outcome.remarks.append(f"{stage.kind}: {len(stage.copies)} events")
    return outcome


def _begun(kind: str, here: Scene, size: Size) -> Stage:
    numbers = random.Random(5)  # noqa: S311
    copies = {f"E{at}": numbers.randint(1, MOST_COPIES) for at in range(size.of(1000, smoke=40))}
    copies |= {f"B{at}": 2 for at in range(size.of(500, smoke=10))}
    door, sender = here.door()
    office = here.worker()
    for _ in range(size.of(1, smoke=0, quick=1)):
        here.worker()
    office.ask({"do": "persons", "keys": [key for key in copies if not _is_credit(key)]})
    office.ask({"do": "credits", "keys": [key for key in copies if _is_credit(key)], "ean": EAN})
    return Stage(kind, here, door, sender, copies)


def _violations(stage: Stage) -> list[str]:
    here, copies = stage.here, stage.copies
    stage.door.wait_for_port(stage.sender.port)
    bodies = [_body(key) for key in copies if key[0] == "E" for _ in range(copies[key])]
    random.Random(6).shuffle(bodies)  # noqa: S311
    statuses = posted(stage.sender, bodies)
    statuses += _together(stage.sender, [key for key in copies if key[0] == "B"])
    found = _answers(statuses)
    if not here.settles():
        left = here.count("verdict = 'waiting'")
        found.append(f"{left} were never applied")
    return found + _effects(here, copies)


def _is_credit(key: str) -> bool:
    return int(key[1:]) % 2 == 1


def _body(key: str) -> bytes:
    return about_credit(key, CODE) if _is_credit(key) else about_person(key, f"user-{key}")


def _together(sender: Sender, keys: list[str]) -> Counter[int]:
    """Both copies of each pair leave at the same moment."""
    ready = threading.Barrier(2)

    def both(_side: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        for key in keys:
            body = _body(key)
            ready.wait(30)
            statuses[status_of(sender, body)] += 1
        return statuses

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(both, range(2))
        return one + other


def _answers(statuses: Counter[int]) -> list[str]:
    return [
        f"{count} deliveries were answered {status}, not 200"
        for status, count in statuses.items()
        if status != 200
    ]


def _effects(here: Scene, copies: dict[str, int]) -> list[str]:
    verdicts = here.verdicts()
    wrong = [
        f"{key}, delivered {number} times: {dict(verdicts.get(key, {}))}"
        for key, number in copies.items()
        if verdicts.get(key) != Counter(applied=1) + Counter(duplicate=number - 1)
    ]
    linked, refused = _taken_over(here)
    wrong += [
        f"{key} does not say what was told"
        for key in copies
        if (linked.get(key) != f"user-{key}" if not _is_credit(key) else refused.get(key) != CODE)
    ]
    [(noted,)] = here.workshop.query(
        here.database, "SELECT coalesce(sum(count), 0) FROM explanations_unknowncode"
    )
    if noted != (credits := sum(map(_is_credit, copies))):
        wrong.append(f"code {CODE} was counted {noted} times for {credits} events")
    return wrong


def _taken_over(here: Scene) -> tuple[dict[str, str], dict[str, int]]:
    """The userID of each person and the code of each credit."""
    ask = partial(here.workshop.query, here.database)
    return (
        dict(ask("SELECT distributor_person_id, user_id FROM persons_person")),
        dict(
            ask(
                "SELECT distributor_person_credit_id, publisher_error_code"
                " FROM credits_personcredit"
            )
        ),
    )


EXPERIMENTS: Final = (
    Experiment(
        name="N5",
        promise="N copies of an event have one effect, and all are answered 200",
        run=run,
        control=partial(run, broken="every copy is news"),
        broken="equal ones are not recognised",
    ),
)
