"""What may be done with work on many rows of ours: begin it, stop it, go on with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backoffice.jobs.deeds import deed_of, deeds_of, tried_again
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_work import finished_of, update_in_lots
from backoffice.jobs.work import counts_of, drop_rows, work_on
from backoffice.outbox.models import key_of
from backoffice.outbox.services import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

AT_ONCE: Final = 200  # rows; fewer are queued while the colleague waits
STORED_TOGETHER: Final = 2_000
STOP_SECONDS: Final = 1.0  # of the request that stops; the worker does the rest

Part = tuple[str, QuerySet[Any]]


def create_push_job(
    *,
    parts: Sequence[Part],
    title: str,
    user: AbstractBaseUser | None = None,
    confirmed: bool = False,
) -> Job:
    """Remember which rows are to be sent, kind by kind; see `create_bulk_job`.

    `confirmed` says that the colleague has seen which IDs can never be mended; without it rows with
    such an ID stay here.
    """
    return create_bulk_job(
        kind=Job.Kind.PUSH, parts=parts, title=title, user=user, options={"confirmed": confirmed}
    )


def create_bulk_job(
    *,
    kind: str,
    parts: Sequence[Part],
    title: str,
    user: AbstractBaseUser | None = None,
    options: Mapping[str, Any] | None = None,
) -> Job:
    """Remember with which rows this is to be done; the sending worker does all the rest.

    `parts` are rows with their kind, the one kind after the other; `options` is what the deed must
    know beside them, kept in the job's summary.
    """
    kinds = list(dict.fromkeys(name for name, _rows in parts))
    job = Job.objects.create(
        kind=kind,
        status=Job.Status.READING,
        title=title[:200],
        summary={**(options or {}), "kinds": kinds},
        created_by_id=user.pk if user is not None else None,
        queued_by_id=user.pk if user is not None else None,
        started_at=timezone.now(),
    )
    try:
        total = 0
        for name, rows in parts:
            for lot in deed_of(kind, name).keys(rows, STORED_TOGETHER):
                JobRow.objects.bulk_create(
                    JobRow(job=job, number=number, key=key_of(name, pk), original=[label])
                    for number, (pk, label) in enumerate(lot, start=total + 1)
                )
                total += len(lot)
        Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING, total=total)
    except BaseException:
        drop_rows(job.rows.all())  # nothing half-written, whatever went wrong
        job.delete()
        raise
    job.refresh_from_db()
    ring()
    return job


def stop_push(*, job: Job) -> bool:
    """Send nothing more of it; False when it was over already.

    What nobody has begun is held and taken back, as much as a second allows here and the rest by
    the worker; what is under way ends as it would.
    """
    stopped = Job.objects.filter(
        pk=job.pk, status__in=[Job.Status.RUNNING, Job.Status.FAILED]
    ).update(status=Job.Status.STOPPING, fence=F("fence") + 1, lease_until=None, failure="")
    job.refresh_from_db()
    if stopped:
        ring()
        work_on(job, seconds=STOP_SECONDS)
    return stopped == 1


def may_resume(job: Job) -> bool:
    """There is something to go on with: it was stopped, broke off, or a question had no answer."""
    if job.status == Job.Status.DONE:
        counts = job.summary.get("counts", {})
        return any(counts.get(result) for each in deeds_of(job) for result in each.tried_again)
    return job.status in (Job.Status.CANCELLED, Job.Status.FAILED)


def resume_push(*, job: Job) -> bool:
    """Go on with what was not done; rows that have gone stay as they are."""
    if not may_resume(job):
        return False
    with transaction.atomic():
        resumed = Job.objects.filter(pk=job.pk, status=job.status).update(
            status=Job.Status.RUNNING,
            position=0,
            tries=0,
            failure="",
            fence=F("fence") + 1,
            lease_until=None,
            started_at=timezone.now(),
            finished_at=None,
        )
        if resumed:
            again = job.rows.filter(result__in=tried_again(job))
            update_in_lots(again, result=JobRow.Result.PENDING, message=None, findings=[])
            counts = counts_of(job)
            Job.objects.filter(pk=job.pk).update(
                finished=finished_of(job, counts),
                summary={**job.summary, "counts": counts, "marks": [], "held": 0},
            )
    job.refresh_from_db()
    if resumed:
        ring()
    return resumed == 1
