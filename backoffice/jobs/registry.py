"""What an import needs to know of the rows it takes in; the apps register it at start.

This package imports no app: the persons and the credits tell it here how their rows are read,
compared, written and sent.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils.functional import Promise

from backoffice.eduix.rules import check, rules_of
from backoffice.jobs.columns import Column
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.remarks import Remark
from backoffice.screens.normalise import (
    Normaliser,
    is_broken,
    is_date_form,
    is_shortened,
    tidy,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from backoffice.outbox.models import Message

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")

Values = dict[str, Any]  # JSON: text, whole numbers, dates as 2026-08-01; "" is empty


@dataclass(frozen=True, slots=True)
class Reading:
    """A row understood: its values, and what is said about it."""

    values: Values
    remarks: list[Remark]


@dataclass(frozen=True, slots=True)
class Described:
    """How a list shows a row: what it is, and under it the key."""

    title: str
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What sending an import would do: what goes, and what does not and why."""

    going: list[tuple[str | Promise, int]] = field(default_factory=list)
    staying: list[tuple[str | Promise, int]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Messages that sending would queue."""
        return sum(number for _what, number in self.going)


@dataclass(frozen=True, slots=True)
class Hint:
    """Rows of different groups that share these columns are worth a look."""

    key: str
    columns: tuple[str, ...]


class Importer(ABC):
    """One kind of import file.

    `objects` are the objects of the rule table that a row fills, `key_column` the row's own key.
    `group_column` names what several rows may share; then they agree in `shared_columns`.
    `reference_column` holds the key of a school, which must be known before rows can be checked.
    """

    kind: ClassVar[str]
    job_kind: ClassVar[str]
    title: ClassVar[str | Promise]
    columns: ClassVar[tuple[Column, ...]]
    objects: ClassVar[tuple[str, ...]] = ()
    key_column: ClassVar[str]
    group_column: ClassVar[str] = ""
    shared_columns: ClassVar[tuple[str, ...]] = ()
    reference_column: ClassVar[str] = ""
    normalisers: ClassVar[Mapping[str, Normaliser]] = {}
    numbers_as_text: ClassVar[tuple[str, ...]] = ()  # what spreadsheets shorten
    hints: ClassVar[tuple[Hint, ...]] = ()
    push_permissions: ClassVar[tuple[str, ...]] = ()

    def read(self, cells: Mapping[str, str], *, today: date) -> Reading:
        """Normalise and check the cells of one row, by our column names."""
        values: Values = {}
        for name, raw in cells.items():
            normalise = self.normalisers.get(name)
            values[name] = normalise(tidy(raw)) if normalise else tidy(raw)
        values = self.complete(values)
        remarks = [
            Remark("changed", "read_as", name, params={"from": raw, "to": values[name]})
            for name, raw in cells.items()
            if values[name] != raw and not is_date_form(raw)
        ]
        return Reading(values, [*self.check(values, today=today), *remarks])

    def complete(self, values: Values) -> Values:
        """Normalise what needs a look at more than one cell."""
        return values

    def objects_of(self, values: Values) -> tuple[str, ...]:
        """The objects of the rule table that this row fills."""
        del values
        return self.objects

    def check(self, values: Values, *, today: date) -> list[Remark]:
        """What is wrong with the values; numbers among them become numbers on the way."""
        found = [
            Remark("error", "shortened_number", name)
            for name in self.numbers_as_text
            if is_shortened(str(values.get(name, "")))
        ]
        hit = {(remark.column, True) for remark in found}
        for owner in self.objects_of(values):
            for finding in check(owner, values, today=today):
                about = (finding.column, finding.severity == "error")
                if about not in hit:  # a key stands in two objects, and is wrong once
                    hit.add(about)
                    found.append(Remark.of(finding))
            self._numbers(owner, values)
        found += [
            Remark("warning", "broken_letters", name)
            for name, value in values.items()
            if isinstance(value, str) and is_broken(value)
        ]
        return [*found, *self.check_more(values)]

    def check_more(self, values: Values) -> list[Remark]:
        """What this kind of row must hold beside the partner's rules."""
        del values
        return []

    def _numbers(self, owner: str, values: Values) -> None:
        for name in integers_of(owner):
            value = values.get(name)
            if isinstance(value, str) and _WHOLE.fullmatch(value):
                values[name] = int(value)

    def keys_of(self, values: Values) -> tuple[str, str]:
        """The row's own key and that of its group; "" where it has none."""
        group = str(values.get(self.group_column, "")) if self.group_column else ""
        return str(values.get(self.key_column, "")), group

    def unknown(self, references: Collection[str]) -> set[str]:
        """Those of the references that we do not hold."""
        del references
        return set()

    def ask(self, references: Iterable[str], user: AbstractBaseUser | None) -> list[Message]:
        """Ask Edu-iX for them."""
        del references, user
        return []

    @abstractmethod
    def compare(self, rows: Sequence[JobRow], *, settled: Collection[str]) -> None:
        """Set `result`, `before` and `after` of checked rows beside what we hold.

        `settled` are the groups that an earlier row of the file brings.
        """

    @abstractmethod
    def apply(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> None:
        """Write the rows, in the caller's transaction, and set what became of each."""

    @abstractmethod
    def describe(self, rows: Sequence[JobRow]) -> dict[int, Described]:
        """How a list shows these rows, by line; one query whatever their number."""

    def queue(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> int:
        """Queue what these rows brought and Edu-iX does not have yet; returns how many."""
        del rows, user
        return 0

    def outlook(self, job: Job) -> Outlook:
        """What `queue` would do for a whole job, and what it would not and why."""
        del job
        return Outlook()


@cache
def integers_of(owner: str) -> frozenset[str]:
    """The columns of an object of the rule table that hold whole numbers."""
    return frozenset(rule.column for rule in rules_of(owner) if rule.kind == "integer")


_importers: dict[str, Importer] = {}
_followers: dict[str, list[Callable[[Sequence[JobRow]], None]]] = defaultdict(list)


def register_importer(importer: Importer) -> None:
    """Tell how one kind of file is taken in; called once at start by each app."""
    _importers[importer.kind] = importer


def register_follower(kind: str, function: Callable[[Sequence[JobRow]], None]) -> None:
    """Call a function with the rows of every chunk that was taken in, in its transaction.

    For what must follow in an app that the importer's own app does not know.
    """
    if function not in _followers[kind]:
        _followers[kind].append(function)


def followers(kind: str) -> list[Callable[[Sequence[JobRow]], None]]:
    """What must follow when rows of this kind are taken in."""
    return _followers[kind]


def importers() -> list[Importer]:
    """Every kind, in the order in which files should be taken in."""
    return list(_importers.values())


def importer_of(kind: str) -> Importer:
    """By the kind of the file ("persons") or of the job; `KeyError` when there is none."""
    for importer in _importers.values():
        if kind in (importer.kind, importer.job_kind):
            return importer
    raise KeyError(kind)
