"""`manage.py import persons|person-credits|school-credits|products FILE`."""
# ruff: noqa: N999  the command has this name

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.jobs.files import BadFile
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import importer_of
from backoffice.jobs.remarks import Remark, words_of
from backoffice.jobs.services import cancel_import, create_import_job, run_import
from backoffice.jobs.tables import error_file
from backoffice.jobs.work import asked, go_on_when_answered, work_on
from backoffice.outbox.drains import drain_once

KINDS: Final = ("persons", "person-credits", "school-credits", "products")
WRONG_FILE: Final = 2
SOME_REFUSED: Final = 1
ASK_SECONDS: Final = 20
LONGEST_VALUE: Final = 40
MOST_LINES: Final = 1_000


class Command(BaseCommand):
    """Exit status: 0 all rows are good, 1 some were refused (the others are in), 2 a bad file."""

    help = "Take in a table file. The good rows go in; the refused ones are listed with the reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS, help="what the file holds")
        parser.add_argument("file", help="CSV with ; , or tab, by Edu-iX name or Dutch label")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would happen")
        parser.add_argument("--errors", metavar="FILE", help="write the refused rows to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        self.told = time.monotonic()
        errors = _writable(options["errors"]) if options["errors"] else None
        path = Path(options["file"])
        with _opened(path) as stream:
            try:
                job = create_import_job(
                    kind=options["kind"],
                    name=path.name,
                    stream=stream,
                    wait=True,
                    told=lambda done, total: self._tell(done, total, _("checked")),
                )
            except BadFile as problem:
                raise CommandError(f"{path}: {problem}", returncode=WRONG_FILE) from problem
        try:
            self._ask(job)
            self._work(job, _("checked"))
            if not options["dry_run"]:
                run_import(job=job, wait=False)
                self._work(job, _("taken in"))
        except KeyboardInterrupt:
            cancel_import(job=job)
            raise CommandError(
                _("Stopped. Give the same command again to go on; nothing goes in twice."),
                returncode=130,
            ) from None
        refused = job.summary["counts"].get(JobRow.Result.REFUSED, 0)
        if errors and refused:
            errors.write_bytes(b"".join(error_file(job)))
        for line in _report(job, dry_run=options["dry_run"]):
            self.stdout.write(line)
        if errors and refused:
            self.stdout.write(_("The refused rows are in %(file)s.") % {"file": errors})
        if options["dry_run"]:
            job.delete()
        if refused:
            raise SystemExit(SOME_REFUSED)

    def _ask(self, job: Job) -> None:
        """Wait until Edu-iX has told of the schools that are not known here."""
        if job.status != Job.Status.ASKING:
            return
        number = len(job.asked)
        words = ngettext("Asking Edu-iX for %d school…", "Asking Edu-iX for %d schools…", number)
        self.stderr.write(words % number)
        end = time.monotonic() + ASK_SECONDS
        while not go_on_when_answered(job):
            drain_once(limit=number)
            job.refresh_from_db()
            if job.status != Job.Status.ASKING:  # the worker was here first
                return
            if asked(job).exists() and time.monotonic() > end:
                said = asked(job).exclude(text="").values_list("text", flat=True).first()
                job.delete()
                raise CommandError(
                    _("Edu-iX does not answer about a school; nothing was taken in. Try it later.")
                    + (f" ({said})" if said else ""),
                    returncode=WRONG_FILE,
                )
            if asked(job).exists():
                time.sleep(0.2)

    def _work(self, job: Job, done: str) -> None:
        """Do this part of the job to its end, with a sign of life now and then."""
        while job.status in Job.AT_WORK:
            if not work_on(job, seconds=1.0) and job.status in Job.AT_WORK:
                time.sleep(0.2)  # the worker of the site has it in hand
                job.refresh_from_db()
            self._tell(job.finished, job.total, done)
        if job.status == Job.Status.FAILED:
            raise CommandError(_("The import broke off: %(why)s.") % {"why": job.failure})

    def _tell(self, done: int, total: int, what: str) -> None:
        """Progress, at most every other second."""
        if time.monotonic() - self.told > 2:
            self.told = time.monotonic()
            self.stderr.write(f"{_number(done)} / {_number(total)} {what}")


def _report(job: Job, *, dry_run: bool) -> Iterator[str]:
    """What became of the file: counts first, then each row that something is said about."""
    counts = job.summary["counts"]
    number = ngettext("%s row", "%s rows", job.total) % _number(job.total)
    yield f"{job.title}: {number} ({importer_of(job.kind).title})"
    if dry_run:
        yield _("Only a trial: nothing was taken in.")
    for result in JobRow.OF_IMPORTS:
        yield f"  {result.label:<14} {_number(counts.get(result, 0)):>8}"
    yield from _about_file(job)
    lines = 0
    for row in job.rows.exclude(findings=[]).order_by("number").iterator(chunk_size=500):
        for remark in map(Remark.from_json, row.findings):
            if remark.severity == "hint" and row.result != JobRow.Result.SKIPPED:
                continue
            if lines == MOST_LINES:
                yield _("There are more remarks: look at the page of this import.")
                return
            lines += 1
            yield _line(job, row, remark)


def _about_file(job: Job) -> Iterator[str]:
    """What is said about the file as a whole."""
    if job.summary["ignored"]:
        yield _("Columns that were not used: %s") % ", ".join(job.summary["ignored"])
    if hinted := job.summary.get("hinted"):
        yield ngettext(
            "%s row resembles another person's: see the preview page.",
            "%s rows resemble another person's: see the preview page.",
            hinted,
        ) % _number(hinted)


def _line(job: Job, row: JobRow, remark: Remark) -> str:
    """Line, column, value, reason, and the code last."""
    column = job.heading(remark.column) if remark.column else ""
    value = ""
    if remark.column in job.mapping and remark.key != "read_as":
        at = job.mapping.index(remark.column)
        value = _short(str(row.original[at])) if at < len(row.original) else ""
    what = {
        "error": _("refused"),
        "warning": _("warning"),
        "changed": _("read as"),
        "hint": _("skipped"),
    }[remark.severity]
    where = _("line %d") % row.number
    parts = (where, what, column, f"“{value}”" if value else "", words_of(remark, job.heading).text)
    number = f"[{remark.number}]" if remark.number else ""
    return "  ".join(filter(None, (*parts, number)))


def _short(value: str) -> str:
    """Fit for one line of a terminal: no control characters, not too long."""
    shown = "".join(sign if sign.isprintable() else "·" for sign in value)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 1]}…"


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file to read. Raises `CommandError` with one clear line."""
    try:
        if path.is_dir():
            raise CommandError(_("%s is a folder, not a file.") % path, returncode=WRONG_FILE)
        if not path.exists():
            raise CommandError(_("%s does not exist.") % path, returncode=WRONG_FILE)
        if not path.is_file():
            raise CommandError(_("%s is no ordinary file.") % path, returncode=WRONG_FILE)
        stream = path.open("rb")
    except OSError as problem:
        raise CommandError(
            _("%(file)s cannot be read: %(why)s.") % {"file": path, "why": problem.strerror},
            returncode=WRONG_FILE,
        ) from problem
    with stream:
        yield stream


def _writable(name: str) -> Path:
    """Where the refused rows will go; looked at first, because afterwards is too late."""
    path = Path(name)
    target = path if path.exists() else path.parent
    if path.is_dir() or not target.exists() or not os.access(target, os.W_OK):
        raise CommandError(_("%s cannot be written.") % path, returncode=WRONG_FILE)
    return path
