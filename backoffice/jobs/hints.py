"""Hints at rows of different persons that share what is usually one person's own.

Parents who order for several children do it with one address, and then everything lands on one of
them; the same pupil ordered under two numbers has credits that nobody finds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.db.models import Count, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from backoffice.jobs.checking import add_remark
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Hint, Importer
from backoffice.jobs.remarks import Remark

MOST_SHARED: Final = 5_000  # different values; a file with more of them has another problem


def hint_at_likeness(job: Job, importer: Importer) -> list[JobRow]:
    """Put the importer's hints on the rows that are concerned; returns them, not yet saved."""
    others: dict[int, list[tuple[Hint, int]]] = defaultdict(list)
    for hint in importer.hints:
        for number, other in _alike(job, hint).items():
            others[number].append((hint, other))
    rows = list(job.rows.filter(number__in=others)) if len(others) < 500 else _all(job, others)
    for row in rows:
        for hint, other in others[row.number]:
            add_remark(row, Remark("hint", hint.key, hint.columns[0], params={"other": other}))
    return rows


def _all(job: Job, numbers: dict[int, list[tuple[Hint, int]]]) -> list[JobRow]:
    good = job.rows.filter(result__in=JobRow.GOOD)
    return [row for row in good.iterator(chunk_size=500) if row.number in numbers]


def _alike(job: Job, hint: Hint) -> dict[int, int]:
    """The lines concerned, each with the first other line that it resembles.

    The database finds what is shared, so only that is held in memory.
    """
    texts = {f"as_{name}": Lower(KeyTextTransform(name, "values")) for name in hint.columns}
    rows: QuerySet[JobRow] = job.rows.filter(result__in=JobRow.GOOD)
    filled = rows.annotate(**texts).exclude(**{f"as_{hint.columns[-1]}": ""})
    shared = (
        filled.order_by()
        .values_list(*texts)
        .annotate(groups=Count("group", distinct=True))
        .filter(groups__gt=1)
    )
    wanted = {values[:-1] for values in shared[:MOST_SHARED]}
    lines: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    if wanted:
        found = filled.order_by("number").values_list("number", "group", *texts)
        for number, group, *values in found.iterator(chunk_size=2_000):
            if tuple(values) in wanted:
                lines[tuple(values)].append((number, group))
    return {
        number: next(line for line, other in alike if other != group)
        for alike in lines.values()
        for number, group in alike
    }
