"""A bulk push, done chunk by chunk under the lease of its job.

Three things in turn: queue a chunk, see what became of what is under way, and, when somebody said
stop, take back what nobody has begun. Each is one transaction with how far the job has come, so
whoever is killed leaves rows that the next worker goes on behind.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone

from backoffice.jobs import work
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.pushing import Pusher, pusher_of
from backoffice.jobs.queueing import enqueue_many
from backoffice.jobs.remarks import Remark
from backoffice.outbox.again import let_go_batch, take_back_batch
from backoffice.outbox.models import Message, key_of, subject_pk
from backoffice.screens.links import kind_of

TAKEN_BACK_TOGETHER: Final = 300  # chains: a person's are some messages each
LOOK_SECONDS: Final = 1.0  # between two looks at what became of the messages
LOOK_SHARE: Final = 20  # a look may take one part in so many of a worker's time
STOPPING_REST: Final = timedelta(seconds=0.3)
MARKS: Final = 12  # looks that the pace is read from

Result = JobRow.Result
TO_DO: Final = (Result.PENDING, Result.TAKEN_BACK)
OPEN: Final = (Result.QUEUED, Result.WAITING)
ENDED: Final[dict[str | None, str]] = {
    Message.Status.DONE: Result.SENT,
    Message.Status.CANCELLED: Result.TAKEN_BACK,
    None: Result.TAKEN_BACK,  # somebody deleted the message
}
STUCK: Final[dict[str, str]] = {
    Message.Status.REFUSED: Result.REFUSED,
    Message.Status.CONFLICT: Result.CONFLICT,
    Message.Status.WAITING: Result.WAITING,
}


def go_on(job: Job) -> work.Part:
    """One part of a bulk push. Raises `LostJob`."""
    if job.status == Job.Status.STOPPING:
        return _stop(job)
    queued = _queue(job)
    if queued and time.time() - _last_look(job) < LOOK_SECONDS:
        return work.Part(queued)
    began = time.monotonic()
    is_over = _look(job, may_end=not queued)
    if queued or is_over:
        return work.Part(queued)
    took = time.monotonic() - began
    return work.Part(0, timedelta(seconds=max(LOOK_SECONDS, took * LOOK_SHARE)))


# --- queueing ------------------------------------------------------------------------------------


def _queue(job: Job) -> int:
    """Put the next rows in the outbox; returns how many rows were handled."""
    with transaction.atomic():
        rows = job.rows.filter(number__gt=job.position, result__in=TO_DO).order_by("number")
        found = list(rows[: work.CHUNK])
        if not found:
            return 0
        kind = kind_of(found[0].key)
        chunk = list(takewhile(lambda row: kind_of(row.key) == kind, found))
        _send(job, pusher_of(kind), chunk)
        _save(chunk)
        going = sum(row.result == Result.QUEUED for row in chunk)
        position = chunk[-1].number
        work.write(
            job,
            position=position,
            queued=F("queued") + going,
            lease_until=timezone.now() + work.LEASE,
            tries=0,
        )
    job.position = position
    return len(chunk)


def _send(job: Job, pusher: Pusher, rows: Sequence[JobRow]) -> None:
    """Decide on each row, queue what goes, and tie each to the message that carries it."""
    looks = pusher.look(
        [subject_pk(row.key) for row in rows],
        today=timezone.localdate(),
        confirmed=bool(job.summary.get("confirmed")),
    )
    new = [pk for pk, look in looks.items() if look.is_new]
    if new:
        enqueue_many(pusher.wanted(new), user=job.created_by, batch=job.pk)
    following = [key_of(pusher.kind, pk) for pk, look in looks.items() if not look.is_new]
    messages = _messages(pusher, [row.key for row in rows])
    # This push counts on these too: whoever asked for them first cannot take them back alone.
    Message.objects.filter(
        pk__in=[messages[key] for key in following if key in messages], batch__isnull=False
    ).exclude(batch=job.pk).update(batch=None)
    for row in rows:
        look = looks.get(subject_pk(row.key))
        if look is None:
            row.result, row.findings = Result.GONE, []
            continue
        row.result, row.findings = look.result, [each.as_json() for each in look.remarks]
        row.message_id = messages.get(row.key) if look.result == Result.QUEUED else None
        if look.result == Result.QUEUED and row.message_id is None:
            row.result = Result.SKIPPED  # it arrived between two looks


def _messages(pusher: Pusher, subjects: Iterable[str]) -> dict[str, int]:
    """The message under way for each row that has one."""
    found = Message.objects.open().filter(operation=pusher.operation, subject__in=list(subjects))
    return dict(found.values_list("subject", "pk"))


def _save(rows: Sequence[JobRow]) -> None:
    """An upsert, because bulk_update builds one CASE per cell."""
    JobRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["result", "findings", "message"],
    )


# --- what became of it ---------------------------------------------------------------------------


def _look(job: Job, *, may_end: bool) -> bool:
    """Write what became of the rows under way; True when the job is over with that."""
    with transaction.atomic():
        _settle_rows(job)
        counts = work.counts_of(job)
        finished = finished_of(job, counts)
        summary = {**job.summary, "counts": counts, "marks": _marks(job, finished)}
        columns: dict[str, Any] = {"summary": summary, "finished": finished}
        is_over = may_end and not counts.get(Result.QUEUED)
        if is_over:
            columns |= {"status": Job.Status.DONE, "finished_at": timezone.now()}
        work.write(job, **columns, lease_until=timezone.now() + work.LEASE, tries=0)
    job.summary, job.finished = summary, finished
    job.status = columns.get("status", job.status)
    return is_over


def finished_of(job: Job, counts: dict[str, int]) -> int:
    """Rows that nothing more will happen to by itself."""
    return job.total - counts.get(Result.PENDING, 0) - counts.get(Result.QUEUED, 0)


def _settle_rows(job: Job) -> Counter[str | None]:
    """Follow the messages of the rows that are open; returns the statuses of those messages."""
    is_open = job.rows.filter(result__in=OPEN).order_by()
    found = is_open.values_list("result", "message__status").annotate(number=Count("pk"))
    statuses: Counter[str | None] = Counter()
    stuck: dict[str, str] = {}
    for result, status, number in found:
        statuses[status] += number
        if status in ENDED:
            _of(job, status).update(result=ENDED[status])
        elif status in STUCK and result != STUCK[status]:
            stuck[status] = STUCK[status]
        elif status in Message.ACTIVE and result == Result.WAITING:
            _of(job, status).filter(result=Result.WAITING).update(result=Result.QUEUED, findings=[])
    for status, result in stuck.items():
        _explain(job, status, result)
    return statuses


def _of(job: Job, status: str | None) -> Any:
    return job.rows.filter(result__in=OPEN, message__status=status)


def _explain(job: Job, status: str, result: str) -> None:
    """These rows stay behind: keep the answer, because the message will forget it once mended."""
    rows = _of(job, status).exclude(result=result).select_related("message__waits_for")
    while chunk := list(rows.order_by("number")[: work.CHUNK]):
        for row in chunk:
            row.result, row.findings = result, [_answer(row.message, status).as_json()]
        _save(chunk)


def _answer(message: Message, status: str) -> Remark:
    """What Edu-iX answered, or what the row waits for."""
    if status == Message.Status.CONFLICT:
        return Remark("error", "conflict", params={"text": message.text})
    told = message
    params: dict[str, Any] = {}
    if status == Message.Status.WAITING and message.waits_for is not None:
        told = message.waits_for
        params = {"subject": told.subject, "label": told.label or told.subject}
    key = "answer" if status == Message.Status.REFUSED else "waiting"
    return Remark("error", key, code=told.code, params={**params, "text": told.text})


def _last_look(job: Job) -> float:
    marks = job.summary.get("marks") or [[0.0, 0]]
    return float(marks[-1][0])


def _marks(job: Job, finished: int) -> list[list[float]]:
    """When how many were done, for the pace."""
    return [*job.summary.get("marks", []), [round(time.time(), 1), finished]][-MARKS:]


# --- stopping ------------------------------------------------------------------------------------


def _stop(job: Job) -> work.Part:
    """Take back what nobody has begun, and wait for what is under way."""
    with transaction.atomic():
        taken = take_back_batch(batch=job.pk, limit=TAKEN_BACK_TOGETHER)
        work.write(job, lease_until=timezone.now() + work.LEASE, tries=0)
    if taken:
        return work.Part(taken)
    with transaction.atomic():
        statuses = _settle_rows(job)
        counts = work.counts_of(job)
        summary = {**job.summary, "counts": counts}
        finished = finished_of(job, counts)
        columns: dict[str, Any] = {"summary": summary, "finished": finished}
        if not statuses[Message.Status.SENDING]:
            columns |= {"status": Job.Status.CANCELLED, "finished_at": timezone.now()}
            let_go_batch(batch=job.pk)
        work.write(job, **columns)
    job.summary, job.finished = summary, finished
    job.status = columns.get("status", job.status)
    return work.Part(0, STOPPING_REST)
