"""What may be done with imports: make one, run it, send what it brought, stop it, go on.

A file is read twice: once to its end, so that nothing is stored of a file that cannot be read, and
once to store its rows. Small files are checked and taken in while the caller waits; of larger ones
the sending worker does the work (`jobs/work.py`) and the page shows how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from backoffice.jobs.checking import check_rows
from backoffice.jobs.columns import Matched, fold, match_header, missing, names_of
from backoffice.jobs.files import BadFile, Line, Table, open_table
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Importer, importer_of, importers
from backoffice.jobs.work import CHUNK, begin, drop_rows, finish_check, with_remarks, work_on
from backoffice.outbox.services import ring
from backoffice.screens.normalise import tidy
from backoffice.screens.numbers import grouped

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Progress = Callable[[int, int], None]

SMALL: Final = 5_000  # rows; more than this is work for the background
MOST_ASKED: Final = 200  # unknown schools in one file; more is a wrong column
LONGEST_REFERENCE: Final = 40  # a school's key; a longer one is refused by the rules


def create_import_job(
    *,
    name: str,
    stream: IO[bytes],
    kind: str = "",
    user: AbstractBaseUser | None = None,
    wait: bool | None = None,
    told: Progress | None = None,
) -> Job:
    """Read a file, check its rows and keep them with what will become of each.

    `kind` is "persons", "person-credits", "school-credits" or "products"; "" tells it from the
    header. `stream` must be seekable. With `wait` everything happens now whatever the size; by
    default only for small files. The job is then `preview`, or `asking` while Edu-iX is asked for
    schools, or `checking`. `told` is called with the rows that are stored and their total. Raises
    `BadFile`, and then nothing was stored.
    """
    table = open_table(stream, names=names_of(c for each in importers() for c in each.columns))
    importer = importer_of(kind) if kind else recognise(table.header)
    matched = _matched(table.header, importer)
    survey = _survey(table, importer, matched)
    unknown = _unknown(importer, survey.references)
    waits = survey.total <= SMALL if wait is None else wait
    job = Job.objects.create(
        kind=importer.job_kind,
        title=PurePath(name).name[-200:],
        header=list(table.header),
        mapping=list(matched.names),
        total=survey.total,
        summary=_summary(table, matched),
        created_by_id=user.pk if user is not None else None,
        started_at=timezone.now(),
    )
    try:
        check_now = waits and not unknown
        for stored in _store(job, importer, table, check_now=check_now):
            if told:
                told(stored, survey.total)
        _settle(job, importer, unknown, user, is_checked=check_now)
    except BaseException:
        job.delete()  # nothing half-written, whatever went wrong
        raise
    if waits:
        work_on(job)
    return job


def recognise(header: Sequence[str]) -> Importer:
    """The kind of file that this header belongs to. Raises `BadFile` when it is none."""

    def known(importer: Importer) -> int:
        return sum(bool(name) for name in _names(header, importer))

    best = max(importers(), key=lambda each: (not missing(header, each.columns), known(each)))
    if not known(best):
        raise BadFile(
            _("None of the columns is known: %(names)s.") % {"names": ", ".join(header[:8])}
        )
    return best


def _names(header: Sequence[str], importer: Importer) -> list[str]:
    by_name = {name: column.name for column in importer.columns for name in column.folded}
    return [by_name.get(fold(cell), "") for cell in header]


def _matched(header: Sequence[str], importer: Importer) -> Matched:
    try:
        return match_header(header, importer.columns)
    except BadFile as problem:
        fitting = [each for each in importers() if not missing(header, each.columns)]
        if not fitting or importer in fitting:
            raise
        raise BadFile(
            _("This file holds %(found)s, not %(wanted)s.")
            % {
                "found": get_text_list([str(each.title).lower() for each in fitting], _("or")),
                "wanted": str(importer.title).lower(),
            }
        ) from problem


@dataclass(frozen=True, slots=True)
class _Survey:
    """What one look at the whole file tells: it can be read, so many rows, these schools."""

    total: int
    references: set[str]


def _survey(table: Table, importer: Importer, matched: Matched) -> _Survey:
    column = importer.reference_column
    at = matched.names.index(column) if column in matched.names else None
    total = 0
    references: set[str] = set()
    for line in table.rows():
        total += 1
        if at is not None and at < len(line.cells) and line.cells[at]:
            reference = tidy(line.cells[at])
            if len(reference) <= LONGEST_REFERENCE:
                references.add(reference)
    if not total:
        raise BadFile(_("The file holds column names and nothing else."))
    return _Survey(total, references)


def _unknown(importer: Importer, references: set[str]) -> set[str]:
    unknown: set[str] = set()
    rest = iter(sorted(references))
    while part := list(islice(rest, CHUNK)):
        unknown |= importer.unknown(part)
    if len(unknown) > MOST_ASKED:
        column = next(each for each in importer.columns if each.name == importer.reference_column)
        raise BadFile(
            _("The column %(name)s names %(number)s schools that are not known here. Is it right?")
            % {"name": column.label, "number": grouped(len(unknown))}
        )
    return unknown


def _summary(table: Table, matched: Matched) -> dict[str, object]:
    return {
        "ignored": list(matched.ignored),
        "absent": list(matched.absent),
        "blank": table.blank,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
    }


def _store(job: Job, importer: Importer, table: Table, *, check_now: bool) -> Iterator[int]:
    """Keep the rows, chunk by chunk, so that a long file never blocks other writers."""
    today = timezone.localdate()
    stored = 0
    for lines in _chunks(table.rows()):
        rows = [JobRow(job=job, number=line.number, original=list(line.cells)) for line in lines]
        if check_now:
            check_rows(job, importer, rows, today=today)
            job.summary = with_remarks(job.summary, rows)
        JobRow.objects.bulk_create(rows)
        stored += len(rows)
        yield stored


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def _settle(
    job: Job,
    importer: Importer,
    unknown: set[str],
    user: AbstractBaseUser | None,
    *,
    is_checked: bool,
) -> None:
    """What comes after the rows are stored."""
    with transaction.atomic():
        if is_checked:
            finish_check(job, importer)
            return
        job.status = Job.Status.CHECKING
        if unknown:
            job.asked = [message.pk for message in importer.ask(sorted(unknown), user)]
            job.status = Job.Status.ASKING
        job.save(update_fields=["status", "asked"])
        ring()


def run_import(*, job: Job, wait: bool | None = None) -> Job:
    """Take in the good rows of a preview; continues where an earlier run stopped.

    With `wait` now, whatever the size; by default only a small file, a larger one in the
    background. Running a job that is done changes nothing.
    """
    begin(job, Job.Status.RUNNING, previous=[Job.Status.PREVIEW])
    return _go_on(job, wait)


def send_import(*, job: Job, user: AbstractBaseUser | None = None, wait: bool | None = None) -> Job:
    """Queue for Edu-iX what the rows of an import brought and Edu-iX does not have yet."""
    if begin(job, Job.Status.QUEUEING, previous=[Job.Status.DONE]):
        job.queued_by_id = user.pk if user is not None else None
        job.save(update_fields=["queued_by"])
    return _go_on(job, wait)


def _go_on(job: Job, wait: bool | None) -> Job:
    if job.total <= SMALL if wait is None else wait:
        work_on(job)
    else:
        ring()
    return job


def go_on_without_answers(*, job: Job, wait: bool | None = None) -> Job:
    """Check the rows now; those whose school is still unknown are refused."""
    begin(job, Job.Status.CHECKING, previous=[Job.Status.ASKING])
    return _go_on(job, wait)


def go_on(*, job: Job, wait: bool | None = None) -> Job:
    """Continue a job that failed, behind its last finished row."""
    stopped_in = str(job.summary.get("stopped_in", ""))
    if stopped_in in Job.AT_WORK:
        Job.objects.filter(pk=job.pk, status=Job.Status.FAILED).update(
            status=stopped_in, tries=0, failure="", lease_until=None
        )
        job.refresh_from_db()
    return _go_on(job, wait)


def cancel_import(*, job: Job) -> bool:
    """Stop a job; rows that are in stay in. False when it was done already.

    Stopping the sending leaves an import that is done, with part of it queued.
    """
    now = timezone.now()
    jobs = Job.objects.filter(pk=job.pk)
    stopped = jobs.filter(status=Job.Status.QUEUEING).update(
        status=Job.Status.DONE, finished_at=now
    ) or jobs.filter(
        status__in=[
            Job.Status.READING,
            Job.Status.ASKING,
            Job.Status.CHECKING,
            Job.Status.PREVIEW,
            Job.Status.RUNNING,
            Job.Status.FAILED,
        ]
    ).update(status=Job.Status.CANCELLED, finished_at=now)
    job.refresh_from_db()
    return stopped == 1


def prune_jobs(*, before: datetime) -> int:
    """Delete the rows (personal data) of jobs made before a moment; returns how many rows.

    The jobs stay, with their counts. A preview that nobody ran is no work any more after that.
    """
    old = Job.objects.filter(created_at__lt=before)
    old.exclude(status__in=[Job.Status.DONE, Job.Status.CANCELLED]).filter(
        created_at__lt=timezone.now() - timedelta(days=1)
    ).update(status=Job.Status.CANCELLED, finished_at=timezone.now())
    filled = old.filter(Exists(JobRow.objects.filter(job=OuterRef("pk"))))
    return sum(drop_rows(job.rows.all()) for job in filled)
