"""What will become of the rows of a file: read, held to the rules, beside each other and us.

A chunk is checked by itself, with the earlier rows of the file asked from the database, so memory
stays flat and a check that was interrupted goes on with the next chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Importer, Values
from backoffice.jobs.remarks import Remark


def check_rows(job: Job, importer: Importer, rows: Sequence[JobRow], *, today: date) -> None:
    """Fill values, remarks and the result to be of these rows, which follow each other."""
    for row in rows:
        _read(job, importer, row, today)
    earlier = _Earlier.of(job, importer, rows)
    for row in rows:
        _beside_earlier(importer, row, earlier)
    importer.compare(
        [row for row in rows if row.result == JobRow.Result.PENDING], settled=earlier.settled
    )


def add_remark(row: JobRow, remark: Remark) -> None:
    """Say one thing more about a row; an error also keeps it out."""
    row.findings = [*row.findings, remark.as_json()]
    if remark.is_error:
        row.result = JobRow.Result.REFUSED
        row.before, row.after = {}, {}


def _read(job: Job, importer: Importer, row: JobRow, today: date) -> None:
    cells = dict(zip(job.mapping, row.original, strict=False))  # a short row: see below
    cells.pop("", None)
    present = {name: cells.get(name, "") for name in job.mapping if name}
    reading = importer.read(present, today=today)
    row.values = reading.values
    row.key, row.group = (key[:300] for key in importer.keys_of(reading.values))
    row.findings = [remark.as_json() for remark in reading.remarks]
    row.before, row.after = {}, {}
    is_refused = any(remark.is_error for remark in reading.remarks)
    row.result = JobRow.Result.REFUSED if is_refused else JobRow.Result.PENDING
    extra = [cell for cell in row.original[len(job.mapping) :] if cell]
    if extra:
        params = {"cells": len(row.original), "columns": len(job.mapping)}
        add_remark(row, Remark("error", "too_many_cells", params=params))
    elif len(row.original) < len(job.mapping):
        add_remark(row, Remark("warning", "short_row"))


@dataclass(frozen=True, slots=True)
class _Seen:
    """An earlier row of the file: its line and its values."""

    number: int
    values: Values


@dataclass(slots=True)
class _Earlier:
    """The first row of each key and of each group; and the groups that a good row brings."""

    by_key: dict[str, _Seen] = field(default_factory=dict)
    by_group: dict[str, _Seen] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, job: Job, importer: Importer, rows: Sequence[JobRow]) -> _Earlier:
        earlier = cls()
        before = JobRow.objects.filter(job=job, number__lt=rows[0].number).order_by("number")
        columns = ("number", "key", "group", "values", "result")
        keys = {row.key for row in rows if row.key}
        for number, key, _group, values, _result in before.filter(key__in=keys).values_list(
            *columns
        ):
            earlier.by_key.setdefault(key, _Seen(number, values))
        if importer.group_column:
            groups = {row.group for row in rows if row.group}
            for number, _key, group, values, result in before.filter(group__in=groups).values_list(
                *columns
            ):
                earlier.by_group.setdefault(group, _Seen(number, values))
                if result in JobRow.GOOD:
                    earlier.settled.add(group)
        return earlier


def _beside_earlier(importer: Importer, row: JobRow, earlier: _Earlier) -> None:
    """Skip what stands in the file already; refuse what contradicts it, and name the line."""
    same_key = earlier.by_key.get(row.key) if row.key else None
    same_group = earlier.by_group.get(row.group) if row.group else None
    # a row without a key of its own, such as a person without a school, is its group
    same = same_key if row.key else same_group
    if row.result == JobRow.Result.PENDING:
        if same and not _differing(row.values, same.values, row.values):
            add_remark(row, Remark("hint", "equal_row", params={"earlier": same.number}))
            row.result = JobRow.Result.SKIPPED
        elif same_key:
            changed = _differing(row.values, same_key.values, row.values)
            _refuse(row, "same_key", importer.key_column, same_key, changed)
        elif same_group and (
            changed := _differing(row.values, same_group.values, importer.shared_columns)
        ):
            _refuse(row, "person_differs", importer.group_column, same_group, changed)
    seen = _Seen(row.number, row.values)
    if row.key:
        earlier.by_key.setdefault(row.key, seen)
    if row.group:
        earlier.by_group.setdefault(row.group, seen)


def _differing(values: Values, others: Values, columns: Iterable[str]) -> list[str]:
    return [name for name in columns if values.get(name) != others.get(name)]


def _refuse(row: JobRow, key: str, column: str, earlier: _Seen, changed: list[str]) -> None:
    params = {"earlier": earlier.number, "columns": changed}
    add_remark(row, Remark("error", key, column, params=params))
