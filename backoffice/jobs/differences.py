"""A row of our tables beside the values of a file, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models

from backoffice.jobs.models import JobRow


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row of the file does to one of ours: it is new, or these columns change."""

    is_new: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def __or__(self, other: Outcome) -> Outcome:
        """Both, for a row of the file that is about two of ours."""
        return Outcome(
            self.is_new or other.is_new, self.before | other.before, self.after | other.after
        )

    def show_on(self, row: JobRow) -> None:
        """Write it down on the row of the file."""
        row.before, row.after = self.before, self.after
        row.result = JobRow.Result.UNCHANGED
        if self.before:  # something we held becomes different, whatever else is new on this row
            row.result = JobRow.Result.CHANGED
        elif self.is_new:
            row.result = JobRow.Result.CREATED
        elif self.after:
            row.result = JobRow.Result.CHANGED


def shown(instance: models.Model, column: str) -> Any:
    """The value of a column as a file holds it: dates as text, nothing as ""."""
    value = getattr(instance, column)
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return str(value)


def assign(instance: models.Model, column: str, value: Any) -> None:
    """Put a value of a file, known to be right, into a column."""
    field = instance._meta.get_field(column)
    if isinstance(field, models.DateField):
        value = date.fromisoformat(value) if value else None
    elif isinstance(field, models.IntegerField) and value == "":
        value = None
    setattr(instance, column, value)


def differing(
    instance: models.Model, values: Mapping[str, Any], columns: Iterable[str]
) -> list[str]:
    """The columns of the file in which the row differs."""
    return [name for name in columns if name in values and shown(instance, name) != values[name]]


def assign_all(
    instance: models.Model, values: Mapping[str, Any], columns: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put these columns into the row; returns what stood there and what stands there now."""
    before, after = {}, {}
    for name in columns:
        before[name] = shown(instance, name)
        assign(instance, name, values[name])
        after[name] = values[name]
    return before, after
