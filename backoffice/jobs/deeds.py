"""What a job may do with many rows of ours, e.g. send or compare them; the apps register it.

One job does one thing (`Job.Kind`) with rows of one or more kinds. What it does differs; the bar,
stopping, going on, the table and the file are the same for all (`push_work`, `push_pages`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Described
from backoffice.outbox.models import Message
from backoffice.screens.links import url_of

Result = JobRow.Result
STUCK: Final[Mapping[str, str]] = {
    Message.Status.REFUSED: Result.REFUSED,
    Message.Status.CONFLICT: Result.CONFLICT,
    Message.Status.WAITING: Result.WAITING,
}


class Deed(ABC):
    """One thing that is done with many rows of one kind."""

    job_kind: ClassVar[str]
    kind: ClassVar[str]  # of the rows: `person`
    label: ClassVar[str]  # the column with the partner's key
    # What a row becomes whose message stays behind.
    stuck: ClassVar[Mapping[str, str]] = STUCK
    # What a row becomes whose message is done; "" when `end` must say it of each.
    came_to: ClassVar[str] = Result.SENT
    # Results of a job that is over which going on tries once more, beside what was taken back.
    tried_again: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def rights(self) -> tuple[str, ...]:
        """The permissions to see such a job."""

    @property
    def steering_rights(self) -> tuple[str, ...]:
        """The permissions to stop it and to go on; who began it may do so too."""
        return self.rights

    @abstractmethod
    def begin(self, job: Job, rows: Sequence[JobRow]) -> None:
        """Decide on each row, queue what goes, and tie each to the message that carries it.

        In the transaction of the chunk; the caller saves the rows.
        """

    def end(self, rows: Sequence[JobRow]) -> None:
        """Say what these rows came to, whose messages are done; the caller saves them."""
        del rows

    def give_up(self, job: Job) -> None:
        """Leave what will not come to anything within this job; in the transaction of a look."""
        del job

    @abstractmethod
    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        """How a list shows these rows; one query a table, whatever their number."""

    def url(self, key: str) -> str:
        """The page of a row."""
        return url_of(key)

    def mend_url(self, subject: str, *, code: int | None, text: str) -> str:
        """Where that is mended which stands between a row and Edu-iX; `subject` may be another."""
        return url_of(subject, code=code, text=text)

    def words(self, row: JobRow) -> str:
        """What is to be said of a row beside its result; empty when nothing is."""
        if row.result == Result.SKIPPED:
            return _("equal to Edu-iX already")
        if row.result == Result.GONE:
            return _("This row was deleted since; there is nothing to send.")
        return ""

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


def open_messages(operation: str, subjects: Iterable[str]) -> dict[str, int]:
    """The message that is not finished, by subject."""
    found = Message.objects.open().filter(operation=operation, subject__in=list(subjects))
    return dict(found.values_list("subject", "pk"))


_deeds: dict[tuple[str, str], Deed] = {}


def register_deed(deed: Deed) -> None:
    """Tell what a kind of job does with a kind of row; called once at start by each app."""
    _deeds[deed.job_kind, deed.kind] = deed


def deed_of(job_kind: str, kind: str) -> Deed:
    """By the kind of the job and that of the row; `KeyError` when there is none."""
    return _deeds[job_kind, kind]


def tried_again(job: Job) -> set[str]:
    """The results that going on with this job would try once more."""
    return {Result.TAKEN_BACK.value, *(one for deed in deeds_of(job) for one in deed.tried_again)}


def deeds_of(job: Job) -> list[Deed]:
    """One for each kind of row in the job."""
    return [deed_of(job.kind, kind) for kind in job.summary.get("kinds", [])]
