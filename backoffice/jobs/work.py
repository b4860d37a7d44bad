"""The parts of a job, done chunk by chunk under a lease.

A chunk is one transaction: its rows, and how far the job has come. Whoever is killed between two
chunks leaves a job that the next worker continues behind the last finished line. A worker whose
lease was taken over cannot write any more, because its fence is no longer the job's.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from backoffice.jobs.checking import check_rows
from backoffice.jobs.hints import hint_at_likeness
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Importer, followers, importer_of
from backoffice.outbox.again import LOT
from backoffice.outbox.models import Message
from backoffice.outbox.services import ring
from backoffice.outbox.trying import DATABASE_GONE, is_too_slow

logger = logging.getLogger(__name__)

CHUNK: Final = 500
LEASE: Final = timedelta(seconds=60)
TRIES: Final = 3
SLICE_SECONDS: Final = 0.4  # of the sending worker, at a time
READING_TIME: Final = timedelta(hours=6)  # far more than millions of rows take
PATIENCE: Final = timedelta(hours=24)  # that a school is asked for; then the job is given up

# What a step may change of a row; everything else stays as it was read.
_OUTCOME: Final = ("key", "group", "values", "result", "findings", "before", "after")


class LostJob(Exception):
    """Somebody else works on this job now, or it was stopped."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction of work did; with `rest` there is nothing to do for so long."""

    handled: int
    rest: timedelta | None = None


Work = Callable[[Job], Part]
_works: dict[str, Work] = {}


def register_work(kind: str, work: Work) -> None:
    """Tell who does the parts of a job that is no import; called once at start.

    The function does one transaction of work, written with `write`.
    """
    _works[kind] = work


def work_on(job: Job, *, seconds: float | None = None) -> int:
    """Go on with a job until its part is done, or for so many seconds; returns rows handled.

    Does nothing when another worker holds it. `job` is as new afterwards.
    """
    if not _claim(job):
        return 0
    end = time.monotonic() + seconds if seconds is not None else None
    handled = 0
    rest: timedelta | None = None
    try:
        while job.status in Job.AT_WORK and rest is None:
            part = _do_chunk(job)
            handled, rest = handled + part.handled, part.rest
            if end is not None and time.monotonic() > end:
                break
    except LostJob:
        logger.info("job_lost", extra={"job_id": job.pk})
    finally:
        until = timezone.now() + rest if rest is not None else None
        Job.objects.filter(pk=job.pk, fence=job.fence).update(lease_until=until)
        job.refresh_from_db()
    return handled


def begin(job: Job, status: str, *, previous: Sequence[str]) -> bool:
    """Start a part of a job from its first row; False when it is not in `previous` any more."""
    changed = Job.objects.filter(pk=job.pk, status__in=previous).update(
        status=status,
        position=0,
        finished=0,
        queued=0,
        tries=0,
        failure="",
        started_at=timezone.now(),
        finished_at=None,
    )
    job.refresh_from_db()
    return changed == 1


def _claim(job: Job) -> bool:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    claimed = Job.objects.filter(free, pk=job.pk, status__in=Job.AT_WORK).update(
        lease_until=now + LEASE, fence=F("fence") + 1
    )
    job.refresh_from_db()
    return claimed == 1


def _do_chunk(job: Job) -> Part:
    """One transaction of work. Raises `LostJob`."""
    try:
        return _one_part(job)
    except IntegrityError:
        # Somebody else made a row with the same key at this very moment: now it is there.
        logger.info("job_chunk_again", extra={"job_id": job.pk})
        return _one_part(job)


def _one_part(job: Job) -> Part:
    work = _works.get(job.kind)
    return work(job) if work is not None else Part(_chunk(job, importer_of(job.kind)))


def _chunk(job: Job, importer: Importer) -> int:
    with transaction.atomic():
        rows = list(job.rows.filter(number__gt=job.position).order_by("number")[:CHUNK])
        if not rows:
            _finish(job, importer)
            return 0
        columns = _STEPS[Job.Status(job.status)](job, importer, rows)
        write(
            job,
            **columns,
            position=rows[-1].number,
            finished=F("finished") + len(rows),
            lease_until=timezone.now() + LEASE,
            tries=0,
        )
    job.position = rows[-1].number
    job.summary = columns.get("summary", job.summary)
    return len(rows)


def write(job: Job, **columns: object) -> None:
    """Change the job, if it is still ours. Raises `LostJob`, which takes the chunk back."""
    mine = Job.objects.filter(pk=job.pk, fence=job.fence, status=job.status)
    if mine.update(**columns) != 1:
        raise LostJob


def _check(job: Job, importer: Importer, rows: list[JobRow]) -> dict[str, Any]:
    check_rows(job, importer, rows, today=timezone.localdate())
    save_outcome(rows)
    return {"summary": with_remarks(job.summary, rows)}


def with_remarks(summary: dict[str, Any], rows: Iterable[JobRow]) -> dict[str, Any]:
    """The summary with how many rows have a remark of each severity."""
    counts = Counter(summary.get("remarks", {}))
    for row in rows:
        counts.update({remark["severity"] for remark in row.findings})
    return {**summary, "remarks": dict(counts)}


def _apply(job: Job, importer: Importer, rows: list[JobRow]) -> dict[str, Any]:
    good = [row for row in rows if row.result in JobRow.GOOD]
    before = {row.pk: _outcome(row) for row in good}
    importer.apply(good, user=job.created_by)
    for follow in followers(importer.kind):
        follow(good)
    save_outcome([row for row in good if _outcome(row) != before[row.pk]])
    return {}


def _queue(job: Job, importer: Importer, rows: list[JobRow]) -> dict[str, Any]:
    good = [row for row in rows if row.result in JobRow.GOOD]
    return {"queued": F("queued") + importer.queue(good, user=job.queued_by)}


_STEPS: Final = {
    Job.Status.CHECKING: _check,
    Job.Status.RUNNING: _apply,
    Job.Status.QUEUEING: _queue,
}


def _outcome(row: JobRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _OUTCOME)


def save_outcome(rows: Sequence[JobRow]) -> None:
    """Write what became of rows: an upsert, because bulk_update builds one CASE per cell."""
    if rows:
        JobRow.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=list(_OUTCOME)
        )


def _finish(job: Job, importer: Importer) -> None:
    """All rows of this part are done."""
    if job.status == Job.Status.CHECKING:
        finish_check(job, importer)
        return
    write(
        job,
        status=Job.Status.DONE,
        summary={**job.summary, "counts": counts_of(job)},
        finished_at=timezone.now(),
    )
    job.status = Job.Status.DONE


def finish_check(job: Job, importer: Importer) -> None:
    """Every row has its result to be: the preview can be shown."""
    hinted = hint_at_likeness(job, importer)
    save_outcome(hinted)
    summary = {**job.summary, "counts": counts_of(job), "hinted": len(hinted)}
    write(
        job,
        status=Job.Status.PREVIEW,
        summary=summary,
        finished=job.total,
    )
    job.status, job.summary, job.finished = Job.Status.PREVIEW, summary, job.total


def counts_of(job: Job) -> dict[str, int]:
    """Rows by result."""
    found = job.rows.order_by().values_list("result").annotate(number=Count("pk"))
    return dict(found)


# --- in the background ---------------------------------------------------------------------------


def asked(job: Job) -> QuerySet[Message]:
    """The questions about schools that Edu-iX has not answered yet."""
    return Message.objects.filter(
        pk__in=job.asked, status__in=(*Message.ACTIVE, Message.Status.WAITING)
    )


def go_on_when_answered(job: Job) -> bool:
    """Check the rows once nothing is asked any more; False while an answer is missing."""
    if job.status != Job.Status.ASKING or asked(job).exists():
        return False
    return begin(job, Job.Status.CHECKING, previous=[Job.Status.ASKING])


def continue_jobs() -> int:
    """What the sending worker calls at least once a second; returns rows handled.

    Works on one job for a moment, so that messages are never held up by a large file.
    """
    job = _next_job()
    if job is None:
        return 0
    try:
        handled = work_on(job, seconds=SLICE_SECONDS)
    except Exception as problem:  # the border: a broken job must not stop the others
        if isinstance(problem, DATABASE_GONE) and not is_too_slow(problem):
            raise  # the worker waits and tries again
        logger.exception("job_broken", extra={"job_id": job.pk})
        _failed(job, problem)
        return 0
    if job.status in Job.AT_WORK:
        ring()
    return handled


def _next_job() -> Job | None:
    now = timezone.now()
    drop_unread(now)
    for job in Job.objects.filter(status=Job.Status.ASKING).order_by("pk"):
        if now - job.created_at > PATIENCE:
            Job.objects.filter(pk=job.pk, status=Job.Status.ASKING).update(
                status=Job.Status.CANCELLED, finished_at=now
            )
        elif go_on_when_answered(job):
            return job
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return Job.objects.filter(free, status__in=Job.AT_WORK).order_by("pk").first()


def drop_unread(now: datetime) -> None:
    """Whoever read these rows was killed: nothing of them was ever shown, or sent."""
    for job in Job.objects.filter(status=Job.Status.READING, created_at__lt=now - READING_TIME):
        logger.warning("job_dropped", extra={"job_id": job.pk})
        drop_rows(job.rows.all())
        job.delete()


def drop_rows(rows: QuerySet[JobRow]) -> int:
    """Delete these rows, so many a statement; returns how many."""
    dropped = 0
    while lot := list(rows.order_by().values_list("pk", flat=True)[:LOT]):
        dropped += JobRow.objects.filter(pk__one_of=lot).delete()[0]
    return dropped


def _failed(job: Job, problem: Exception) -> None:
    """Try a few times more, then leave the job for people, with the reason."""
    job.refresh_from_db()
    rest = timezone.now() + timedelta(seconds=10 * (job.tries + 1))
    gone = job.tries + 1 >= TRIES
    Job.objects.filter(pk=job.pk, fence=job.fence, status=job.status).update(
        tries=F("tries") + 1,
        lease_until=None if gone else rest,
        status=Job.Status.FAILED if gone else job.status,
        summary={**job.summary, "stopped_in": job.status} if gone else job.summary,
        failure=type(problem).__name__ if gone else "",  # its text may hold personal data
    )
