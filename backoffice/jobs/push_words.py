"""How work on many rows stands, in sentences: each kind of job has its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.pages import result_counts
from backoffice.screens.numbers import grouped, plural

Result = JobRow.Result
Counted = Callable[[int], str]
COMPARED: Final = (
    Result.EQUAL,
    Result.TAKEN_OVER,
    Result.DIFFERS,
    Result.OWN,
)


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one kind of job; each function takes a number of rows."""

    good: tuple[str, ...]  # the results that `done` counts
    done: Counted
    not_done: Counted  # after a stop
    stuck: Counted  # what stayed behind, see `JobRow.NOT_THERE`
    all_well: Callable[[], str]
    short: Counted  # the same, alone in a list
    download: Counted
    file: Callable[[], str]  # part of the file's name


NOT_SENT: Final = plural("%d was not sent", "%d were not sent")
NOT_DONE: Final = plural("%d was not", "%d were not")
REFUSED: Final = plural("%d refused", "%d refused")
TO_LOOK_AT: Final = plural("%d needs a look", "%d need a look")
NOT_ARRIVED: Final = plural(
    "Download the %d row that did not arrive", "Download the %d rows that did not arrive"
)

WORDS: Final[Mapping[str, Words]] = {
    Job.Kind.PUSH: Words(
        good=(Result.SENT,),
        done=plural("%d row is at Edu-iX", "%d rows are at Edu-iX"),
        not_done=NOT_SENT,
        stuck=plural("%d is not", "%d are not"),
        all_well=lambda: _("nothing stayed behind"),
        short=REFUSED,
        download=NOT_ARRIVED,
        file=lambda: _("not sent"),
    ),
    Job.Kind.FETCH: Words(
        good=COMPARED,
        done=plural("%d was compared", "%d were compared"),
        not_done=NOT_DONE,
        stuck=TO_LOOK_AT,
        all_well=lambda: _("nothing differs"),
        short=TO_LOOK_AT,
        download=plural("Download the %d that needs a look", "Download the %d that need a look"),
        file=lambda: _("to look at"),
    ),
    Job.Kind.RETURN: Words(
        good=(Result.SENT,),
        done=plural("%d credit was given back", "%d credits were given back"),
        not_done=NOT_DONE,
        stuck=NOT_DONE,
        all_well=lambda: _("nothing stayed behind"),
        short=REFUSED,
        download=NOT_ARRIVED,
        file=lambda: _("not given back"),
    ),
    Job.Kind.END_DATE: Words(
        good=(Result.SENT, Result.CHANGED),
        done=plural("%d credit has the new end date", "%d credits have the new end date"),
        not_done=NOT_SENT,
        stuck=plural("%d has not", "%d have not"),
        all_well=lambda: _("nothing stayed behind"),
        short=REFUSED,
        download=NOT_ARRIVED,
        file=lambda: _("not changed"),
    ),
}


def words_of(job: Job) -> Words:
    """The sentences of this kind of job."""
    return WORDS[job.kind]


def not_there(job: Job) -> int:
    """How many rows stayed behind and will do so by themselves within this job."""
    counts = result_counts(job)
    return sum(counts.get(result, 0) for result in JobRow.NOT_THERE)


def left_words(job: Job) -> str:
    """`3 refused`, for lists; empty when nothing stayed behind."""
    number = not_there(job)
    return words_of(job).short(number) if number else ""


def state_words(job: Job) -> str:
    """How such a job stands, for lists: its steps have other names than those of an import."""
    if job.status == Job.Status.RUNNING:
        return _("Under way")
    return str(job.get_status_display())


def verdict(job: Job) -> str:
    """How it stands, in one sentence."""
    if job.status in (Job.Status.RUNNING, Job.Status.READING):
        numbers = {"done": grouped(job.finished), "total": grouped(job.total)}
        return _("%(done)s of %(total)s rows are done.") % numbers
    if job.status == Job.Status.STOPPING:
        return _("This is being stopped; what Edu-iX is answering now still ends.")
    if job.status == Job.Status.FAILED:
        return _("This broke off: %(name)s. What went stays; you can go on.") % {
            "name": job.failure
        }
    counts, stuck, told = result_counts(job), not_there(job), words_of(job)
    words = told.done(sum(counts.get(result, 0) for result in told.good))
    if job.status == Job.Status.CANCELLED:
        left = counts.get(Result.TAKEN_BACK, 0) + counts.get(Result.PENDING, 0)
        return _("Stopped. %(words)s, %(rest)s.") % {"words": words, "rest": told.not_done(left)}
    if not stuck:
        return _("Ready. %(words)s; %(rest)s.") % {"words": words, "rest": told.all_well()}
    rest = told.stuck(stuck)
    return _("Ready. %(words)s, %(rest)s: below stands why.") % {"words": words, "rest": rest}
