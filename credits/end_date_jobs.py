"""Another end date for many credits as a job: a row for each, which says what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backoffice.jobs.deeds import Deed, open_messages
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import create_bulk_job
from backoffice.jobs.pushing import UNDER_WAY, Pusher
from backoffice.jobs.queueing import enqueue_many
from backoffice.jobs.registry import Described
from backoffice.outbox.models import PushState, subject_pk
from backoffice.outbox.pushable import SENDABLE
from credits.columns import status_url_of
from credits.end_dates import SKIPPED, Line, Skip, lines_of, lock_and_read, reason_of, write_ends
from credits.models import PersonCredit
from credits.pushing import PersonCreditPusher, SchoolCreditPusher
from credits.services import AnyCredit

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Result = JobRow.Result

# What a row becomes that keeps its end date: nothing is left to do, or somebody must look.
RESULTS: Final[dict[Skip, str]] = {
    Skip.DELETED: Result.GONE,
    Skip.CONFLICT: Result.CONFLICT,
    Skip.BEFORE_START: Result.HELD,
}


def begin_end_dates(
    *,
    model: type[AnyCredit],
    pks: Sequence[int],
    new_end: date,
    reason: str,
    user: AbstractBaseUser | None = None,
) -> Job:
    """Give these credits another end date as a job."""
    kind = "person_credit" if issubclass(model, PersonCredit) else "school_credit"
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=pks)
    return create_bulk_job(
        kind=Job.Kind.END_DATE,
        parts=[(kind, rows)],
        title=_("End date %(day)s") % {"day": date_format(new_end, "j F Y")},
        user=user,
        options={"new_end": new_end.isoformat(), "reason": reason},
    )


class OtherEndDate(Deed):
    """The new date, its history and its message are written together with the row of the job."""

    job_kind = Job.Kind.END_DATE

    def __init__(self, pusher: Pusher) -> None:
        self.pusher = pusher
        self.kind = pusher.kind  # type: ignore[misc]  # one class serves both kinds of credit
        self.label = pusher.label  # type: ignore[misc]

    @property
    def rights(self) -> tuple[str, ...]:
        return (self.pusher.right, self.pusher.right.replace(".push_", ".change_"))

    def begin(self, job: Job, rows: Sequence[JobRow]) -> None:
        new_end = date.fromisoformat(job.summary["new_end"])
        credits = lock_and_read(self.pusher.model, [subject_pk(row.key) for row in rows])
        lines = {line.credit.pk: line for line in lines_of(credits, new_end)}
        due = [line.credit for line in lines.values() if line.skip is None]
        before = {credit.pk: _iso(credit.credit_end_date) for credit in due}
        write_ends(due, new_end, reason_of(str(job.summary["reason"])), job.created_by)
        going = {credit.pk for credit in due if credit.push_state != PushState.LOCAL_ONLY}
        going |= {subject_pk(row.key) for row in rows if _was_taken_back(row, lines)}
        enqueue_many(self.pusher.wanted(going), user=job.created_by, batch=job.pk)
        messages = open_messages(self.pusher.operation, [row.key for row in rows])
        for row in rows:
            pk = subject_pk(row.key)
            row.findings, row.values = [], {}
            row.message_id = messages[row.key] if pk in going else None
            if pk in before:
                row.before = {"credit_end_date": before[pk]}
                row.after = {"credit_end_date": new_end.isoformat()}
            if pk in going or pk in before:
                row.result = Result.QUEUED if pk in going else Result.CHANGED
                continue
            skip = lines[pk].skip if pk in lines else Skip.DELETED
            row.result = RESULTS.get(skip, Result.SKIPPED) if skip else Result.SKIPPED
            row.values = {"skip": skip.value if skip else ""}

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return self.pusher.describe(pks)

    def url(self, key: str) -> str:
        return status_url_of(self.pusher.model, subject_pk(key))

    def words(self, row: JobRow) -> str:
        if skip := row.values.get("skip"):
            return str(SKIPPED[Skip(skip)])
        if not row.after:
            return ""
        change = f"{_day(row.before)} → {_day(row.after)}"
        more = ""
        if row.result == Result.CHANGED:
            more = _("What Edu-iX does not have was changed with us only.")
        elif row.result == Result.TAKEN_BACK:
            more = _("Changed with us, and not sent.")
        return f"{change}. {more}" if more else change


def _was_taken_back(row: JobRow, lines: dict[int, Line]) -> bool:
    """This job changed the date before, and then was stopped before it went out."""
    line = lines.get(subject_pk(row.key))
    if line is None or line.skip != Skip.EQUAL or not row.after:
        return False
    return line.credit.push_state in (*SENDABLE, *UNDER_WAY)


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _day(values: dict[str, str]) -> str:
    day = values.get("credit_end_date")
    return date_format(date.fromisoformat(day), "j F Y") if day else _("no end date")


END_DATE_DEEDS: Final = (
    OtherEndDate(PersonCreditPusher()),
    OtherEndDate(SchoolCreditPusher()),
)
