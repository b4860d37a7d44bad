"""What a bulk push needs to know of the rows it sends; the apps register it at start."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.functional import Promise

from backoffice.jobs.models import JobRow
from backoffice.jobs.queueing import Wanted
from backoffice.jobs.registry import Described
from backoffice.jobs.remarks import Remark
from backoffice.outbox.models import Pushable, PushState

# Under way for somebody else: this push counts on the message that is there.
UNDER_WAY: Final = (
    PushState.QUEUED,
    PushState.WAITING,
    PushState.SENDING,
    PushState.UNCERTAIN,
)
# What stands between a row and Edu-iX before anything is sent.
STAYS: Final[dict[str, str]] = {
    PushState.CONFLICT: JobRow.Result.CONFLICT,
    PushState.DELETED: JobRow.Result.GONE,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be done with one row: `queued` sends or follows it, anything else stays here."""

    result: str = JobRow.Result.QUEUED
    is_new: bool = False  # it needs a message; otherwise one is under way already
    remarks: list[Remark] = field(default_factory=list)


class Pusher(ABC):
    """One kind of row that is pushed: `person` and the like."""

    kind: ClassVar[str]
    model: ClassVar[type[Pushable]]
    title: ClassVar[str | Promise]
    label: ClassVar[str]  # the column with the partner's key
    right: ClassVar[str]  # the permission to send rows of this kind

    @property
    def operation(self) -> str:
        """`person.push`"""
        return f"{self.kind}.push"

    def look(self, pks: Collection[int], *, today: date, confirmed: bool) -> dict[int, Look]:
        """What is to be done with each of these rows; one that is gone is left out.

        `confirmed` says that a colleague has seen what can never be mended at Edu-iX.
        """
        rows: QuerySet[Any] = self.model._default_manager.filter(pk__in=pks)
        due = set(self.sendable(rows).values_list("pk", flat=True))
        return {
            row.pk: self.checked(row, today, confirmed) if row.pk in due else _standing(row)
            for row in self.with_related(rows)
        }

    @abstractmethod
    def sendable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that sending makes sense for."""

    @abstractmethod
    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what `checked` reads beside them."""

    @abstractmethod
    def checked(self, row: Any, today: date, confirmed: bool) -> Look:
        """What Edu-iX would say of a row that may go."""

    @abstractmethod
    def wanted(self, pks: Collection[int]) -> list[Wanted]:
        """The messages that send these rows, first what must go first."""

    @abstractmethod
    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        """How a list shows these rows; one query whatever their number."""

    def keys(self, rows: QuerySet[Any], size: int) -> Iterator[list[tuple[int, str]]]:
        """The rows of a selection with their keys, in lots that memory never notices."""
        last = 0
        while True:
            after = rows.filter(pk__gt=last).order_by("pk")
            found = list(after.values_list("pk", self.label)[:size])
            if not found:
                return
            yield found
            last = found[-1][0]


def _standing(row: Pushable) -> Look:
    """A row that has nothing to send."""
    if row.push_state in UNDER_WAY:
        return Look()
    result = STAYS.get(row.push_state, JobRow.Result.SKIPPED)
    remarks = [Remark("error", "conflict")] if result == JobRow.Result.CONFLICT else []
    return Look(result, remarks=remarks)


_pushers: dict[str, Pusher] = {}


def register_pusher(pusher: Pusher) -> None:
    """Tell how one kind of row is sent by the lot; called once at start by each app."""
    _pushers[pusher.kind] = pusher


def pusher_of(kind: str) -> Pusher:
    """By the kind of row; `KeyError` when there is none."""
    return _pushers[kind]
