"""How long "why no access?" takes where there are millions of credits, and a whole school of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.children import Child
from benchmarks.figures import PRODUCT, Figure, Ratio, Row, Table
from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, Workshop

BOOKS: Final = 8  # credits of each pupil in a town
CREDITS: Final = {POSTGRESQL: 3_000_000}
FEWER: Final = 200_000  # on SQLite, where nobody keeps millions
QUICK: Final = 2_400
ASKED: Final = 20
SCHOOL: Final = 2_000
LOOK_MS: Final = 300.0
REPORT_SECONDS: Final = 2.0


def measure(workshop: Workshop, scale: Scale) -> Iterator[Table]:
    """A table for each database."""
    for kind in workshop.kinds:
        is_quick = scale.rounds <= 2
        credits = QUICK if is_quick else CREDITS.get(kind, FEWER)
        worker = workshop.start(
            "why",
            ["-m", "benchmarks.workers.why"],
            workshop.environ(workshop.database(kind, "why")),
        )
        persons = credits // BOOKS
        pupils = min(SCHOOL, persons // 4)
        _build(worker, persons, pupils)
        yield _table(worker, kind, scale, persons, pupils)
        workshop.stop(worker)


def _build(worker: Child, persons: int, pupils: int) -> None:
    """Statement by statement, so that a slow machine is not taken for a silent one."""
    while worker.ask({"do": "build", "persons": persons, "first_school": pupils})["rows"]:
        pass


def _table(worker: Child, kind: str, scale: Scale, persons: int, pupils: int) -> Table:
    rows = [
        Row(PRODUCT, f"why, one of {ASKED} pupils"),
        Row(PRODUCT, f"report of {pupils:,} pupils"),
    ]
    problems: list[str] = []
    slowest = []
    for number in range(scale.rounds):
        # The same pupils on every machine, others in every round: a cold row is part of the answer.
        asked = random.Random(number).sample(range(1, persons + 1), ASKED)  # noqa: S311  no secret
        told = worker.ask({"do": "look", "persons": asked})
        rows[0].rounds.append(_figure(told["ms"]))
        slowest.append(max(told["ms"]))
        problems += _wrong(dict(zip(asked, told["verdicts"], strict=True)))
        report = worker.ask({"do": "report"})
        rows[1].rounds.append(_figure([report["ms"]]))
        if report["total"] != pupils:
            problems.append(f"the report counts {report['total']} pupils, not {pupils}")
    seconds = tuple(one.p50_ms / 1e3 for one in rows[1].rounds)
    return Table(
        f"Why no access, {kind}, {persons * BOOKS:,} credits",
        rows,
        [
            Ratio(f"slowest of {ASKED} pupils, ms", tuple(slowest), LOOK_MS, is_ceiling=True),
            Ratio("report of a school, seconds", seconds, REPORT_SECONDS, is_ceiling=True),
        ],
        problems,
    )


def _figure(milliseconds: list[float]) -> Figure:
    """One after another: the rate is that of the median, p99 the slowest."""
    middle = median(milliseconds)
    return Figure(1e3 / middle, middle, max(milliseconds))


def _wrong(verdicts: dict[int, str]) -> list[str]:
    """Verdicts that a town of ours cannot give, by the numbers of its pupils."""
    expected = {pk: _verdicts_of(pk) for pk in verdicts}
    return [
        f"pupil {pk} is called {verdict}"
        for pk, verdict in verdicts.items()
        if verdict not in expected[pk]
    ]


def _verdicts_of(pk: int) -> set[str]:
    """What `benchmarks.town` did to this pupil, or to one of the books."""
    if pk % 50 == 1:
        return {"person_refused"}
    if pk % 20 == 0:
        return {"prematch_undone"}
    credits = range((pk - 1) * BOOKS + 1, pk * BOOKS + 1)
    if any(credit % 40 == 3 for credit in credits):
        return {"publisher_silent"}
    if any(credit % 50 == 7 for credit in credits):
        return {"publisher_fault_unknown"}
    return {"all_fine"}
