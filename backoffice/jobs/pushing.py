"""Sending many rows: which may go, and what carries each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from backoffice.jobs.deeds import Deed, deed_of, open_messages
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.jobs.remarks import Remark
from backoffice.outbox.models import Message, Pushable, PushState, key_of, subject_pk

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


class Pusher(Deed):
    """One kind of row that is pushed: `person` and the like."""

    job_kind = Job.Kind.PUSH
    model: ClassVar[type[Pushable]]
    title: ClassVar[str | Promise]
    right: ClassVar[str]  # the permission to send rows of this kind

    @property
    def rights(self) -> tuple[str, ...]:
        return (self.right,)

    @property
    def operation(self) -> str:
        """`person.push`"""
        return f"{self.kind}.push"

    def begin(self, job: Job, rows: Sequence[JobRow]) -> None:
        looks = self.look(
            [subject_pk(row.key) for row in rows],
            today=timezone.localdate(),
            confirmed=bool(job.summary.get("confirmed")),
        )
        new = [pk for pk, look in looks.items() if look.is_new]
        if new:
            enqueue_many(self.wanted(new), user=job.created_by, batch=job.pk)
        following = [key_of(self.kind, pk) for pk, look in looks.items() if not look.is_new]
        messages = open_messages(self.operation, [row.key for row in rows])
        # This push counts on these too: whoever asked for them first cannot take them back alone.
        Message.objects.filter(
            pk__in=[messages[key] for key in following if key in messages], batch__isnull=False
        ).exclude(batch=job.pk).update(batch=None)
        for row in rows:
            look = looks.get(subject_pk(row.key))
            if look is None:
                row.result, row.findings = JobRow.Result.GONE, []
                continue
            row.result, row.findings = look.result, [each.as_json() for each in look.remarks]
            is_going = look.result == JobRow.Result.QUEUED
            row.message_id = messages.get(row.key) if is_going else None
            if is_going and row.message_id is None:
                row.result = JobRow.Result.SKIPPED  # it arrived between two looks

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


def _standing(row: Pushable) -> Look:
    """A row that has nothing to send."""
    if row.push_state in UNDER_WAY:
        return Look()
    result = STAYS.get(row.push_state, JobRow.Result.SKIPPED)
    remarks = [Remark("error", "conflict")] if result == JobRow.Result.CONFLICT else []
    return Look(result, remarks=remarks)


def pusher_of(kind: str) -> Pusher:
    """By the kind of row; `KeyError` when there is none."""
    pusher = deed_of(Job.Kind.PUSH, kind)
    assert isinstance(pusher, Pusher)  # noqa: S101  nothing else is registered for pushes
    return pusher
