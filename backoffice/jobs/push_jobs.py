"""What may be done with bulk pushes: begin one, stop it, go on with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_work import finished_of
from backoffice.jobs.pushing import pusher_of
from backoffice.jobs.work import counts_of, work_on
from backoffice.outbox.again import hold_batch
from backoffice.outbox.models import key_of
from backoffice.outbox.services import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

AT_ONCE: Final = 200  # rows; fewer are queued while the colleague waits
STORED_TOGETHER: Final = 2_000
HELD: Final = timedelta(minutes=2)  # what is to be taken back; then it would go after all
STOP_SECONDS: Final = 1.0  # of the request that stops; the worker does the rest

Part = tuple[str, QuerySet[Any]]


def create_push_job(
    *,
    parts: Sequence[Part],
    title: str,
    user: AbstractBaseUser | None = None,
    confirmed: bool = False,
) -> Job:
    """Remember which rows are to be sent, kind by kind; the sending worker does all the rest.

    `confirmed` says that the colleague has seen which IDs can never be mended; without it rows with
    such an ID stay here.
    """
    job = Job.objects.create(
        kind=Job.Kind.PUSH,
        status=Job.Status.READING,
        title=title[:200],
        summary={"kinds": [kind for kind, _rows in parts], "confirmed": confirmed},
        created_by_id=user.pk if user is not None else None,
        queued_by_id=user.pk if user is not None else None,
        started_at=timezone.now(),
    )
    try:
        total = 0
        for kind, rows in parts:
            for lot in pusher_of(kind).keys(rows, STORED_TOGETHER):
                JobRow.objects.bulk_create(
                    JobRow(job=job, number=number, key=key_of(kind, pk), original=[label])
                    for number, (pk, label) in enumerate(lot, start=total + 1)
                )
                total += len(lot)
        Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING, total=total)
    except BaseException:
        job.delete()  # nothing half-written, whatever went wrong
        raise
    job.refresh_from_db()
    ring()
    return job


def stop_push(*, job: Job) -> bool:
    """Send nothing more of it; False when it was over already.

    What nobody has begun is taken back, as much as a second allows here and the rest by the worker;
    what is under way ends as it would.
    """
    with transaction.atomic():
        stopped = Job.objects.filter(
            pk=job.pk, status__in=[Job.Status.RUNNING, Job.Status.FAILED]
        ).update(status=Job.Status.STOPPING, fence=F("fence") + 1, lease_until=None, failure="")
        if stopped:
            hold_batch(batch=job.pk, until=timezone.now() + HELD)
    job.refresh_from_db()
    if stopped:
        ring()
        work_on(job, seconds=STOP_SECONDS)
    return stopped == 1


def resume_push(*, job: Job) -> bool:
    """Go on with what was not sent; rows that have gone stay as they are."""
    with transaction.atomic():
        resumed = Job.objects.filter(
            pk=job.pk, status__in=[Job.Status.CANCELLED, Job.Status.FAILED]
        ).update(
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
            taken_back = job.rows.filter(result=JobRow.Result.TAKEN_BACK)
            taken_back.update(result=JobRow.Result.PENDING, message=None)
            counts = counts_of(job)
            Job.objects.filter(pk=job.pk).update(
                finished=finished_of(job, counts),
                summary={**job.summary, "counts": counts, "marks": []},
            )
    job.refresh_from_db()
    if resumed:
        ring()
    return resumed == 1
