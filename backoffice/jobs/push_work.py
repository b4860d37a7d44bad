"""Work on many rows of ours by way of the outbox, chunk by chunk under the lease of its job.

What is done with a row is its deed (`jobs/deeds.py`): it is sent, compared, given back. Three
things in turn: queue a chunk, see what became of what is under way, and, when somebody said stop,
take back what nobody has begun. Each is one transaction with how far the job has come, so whoever
is killed leaves rows that the next worker goes on behind.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from backoffice.jobs import work
from backoffice.jobs.deeds import STUCK, deed_of, deeds_of
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.remarks import Remark
from backoffice.outbox.again import LOT, hold_batch, let_go_batch, take_back_batch
from backoffice.outbox.models import Message
from backoffice.screens.links import kind_of

TAKEN_BACK_TOGETHER: Final = 300  # chains: a person's are some messages each
LOOK_SECONDS: Final = 1.0  # between two looks at what became of the messages
LOOK_SHARE: Final = 20  # a look may take one part in so many of a worker's time
HELD: Final = timedelta(hours=1)  # what is to be taken back; then it would go after all
HOLDING_SECONDS: Final = 0.4  # at a time; its lease is renewed then
STOPPING_REST: Final = timedelta(seconds=0.3)
MARKS: Final = 12  # looks that the pace is read from

Result = JobRow.Result
TO_DO: Final = (Result.PENDING, Result.TAKEN_BACK)
OPEN: Final = (Result.QUEUED, Result.WAITING)
GIVEN_UP: Final = (Message.Status.CANCELLED, None)  # None: somebody deleted the message


def go_on(job: Job) -> work.Part:
    """One part of a job. Raises `LostJob`."""
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
        deed_of(job.kind, kind).begin(job, chunk)
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


def _save(rows: Sequence[JobRow]) -> None:
    """An upsert, because bulk_update builds one CASE per cell."""
    JobRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["result", "findings", "message", "values", "before", "after"],
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
    stuck: set[str] = set()
    for result, status, number in found:
        statuses[status] += number
        if status == Message.Status.DONE:
            _end(job)
        elif status in GIVEN_UP:
            update_in_lots(_of(job, status), result=Result.TAKEN_BACK)
        elif status in STUCK and (status, result) != (Message.Status.WAITING, Result.WAITING):
            stuck.add(status)
        elif status in Message.ACTIVE and result == Result.WAITING:
            waiting = _of(job, status).filter(result=Result.WAITING)
            update_in_lots(waiting, result=Result.QUEUED, findings=[])
    for status in stuck:
        _explain(job, status)
    for deed in deeds_of(job):
        deed.give_up(job)
    return statuses


def _of(job: Job, status: str | None) -> Any:
    return job.rows.filter(result__in=OPEN, message__status=status)


def update_in_lots(rows: QuerySet[JobRow], **columns: object) -> None:
    """Change rows, which are no longer among `rows` then, so many a statement."""
    last = 0
    while True:
        later = rows.filter(number__gt=last).order_by("number")
        lot = list(later.values_list("pk", "number")[:LOT])
        JobRow.objects.filter(pk__one_of=[pk for pk, _number in lot]).update(**columns)
        if len(lot) < LOT:
            return
        last = lot[-1][1]


def _end(job: Job) -> None:
    """These rows are done: at once where all come to the same."""
    rows = _of(job, Message.Status.DONE)
    alike = {deed.came_to for deed in deeds_of(job)}
    if len(alike) == 1 and (result := alike.pop()):
        update_in_lots(rows, result=result, findings=[])
        return

    def end(kind: str, chunk: Sequence[JobRow]) -> None:
        deed_of(job.kind, kind).end(chunk)

    _chunk_by_chunk(rows.select_related("message"), end)


def _explain(job: Job, status: str) -> None:
    """These rows stay behind: keep the answer, because the message will forget it once mended."""

    def tell(kind: str, chunk: Sequence[JobRow]) -> None:
        for row in chunk:
            row.result = deed_of(job.kind, kind).stuck[status]
            if row.message is not None:
                row.findings = [_answer(row.message, status).as_json()]

    rows = _of(job, status).select_related("message__waits_for")
    if status == Message.Status.WAITING:
        rows = rows.exclude(result=Result.WAITING)  # told already
    _chunk_by_chunk(rows, tell)


def _chunk_by_chunk(rows: Any, tell: Callable[[str, Sequence[JobRow]], None]) -> None:
    """Save what becomes of rows, which are no longer among `rows` then."""
    while found := list(rows.order_by("number")[: work.CHUNK]):
        for kind in dict.fromkeys(kind_of(row.key) for row in found):
            tell(kind, [row for row in found if kind_of(row.key) == kind])
        _save(found)


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
    """Take back what nobody has begun, and wait for what is under way.

    First all of it is held: that is ten times as quick, and nobody sends what is held.
    """
    held = job.summary.get("held", 0)
    if held is not None:
        until = timezone.now() + HELD
        held = hold_batch(batch=job.pk, until=until, after=held, seconds=HOLDING_SECONDS)
        job.summary = {**job.summary, "held": held}
        work.write(job, summary=job.summary, lease_until=timezone.now() + work.LEASE, tries=0)
        if held is not None:
            return work.Part(0)
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
