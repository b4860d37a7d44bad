"""What the import pages show: one sentence of verdict first, then the rows and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Described, Importer
from backoffice.jobs.remarks import Remark, Words, explanation_of, general_words, words_of
from backoffice.jobs.work import asked
from backoffice.outbox.cells import no_answer_words
from backoffice.screens.findings import explanation_url
from backoffice.screens.links import url_of
from backoffice.screens.numbers import grouped

Tone = Literal["ok", "wait", "bad", "idle"]

ROWS_SHOWN: Final = 50
REASONS_READ: Final = 5_000  # refused rows that are counted by reason
REASONS_SHOWN: Final = 8
WORTH_COUNTING: Final = 20  # refused rows; fewer can be read one by one

# Parts of the rows by what is said about them, beside those by result: what a tab asks for, the
# severity of the remark, and its label.
_SAID: Final[dict[str, tuple[str, Promise]]] = {
    "said-warning": ("warning", gettext_lazy("With a warning")),
    "said-changed": ("changed", gettext_lazy("Read differently")),
    "said-hint": ("hint", gettext_lazy("Worth a look")),
}

_RESULT_TONES: Final[dict[str, Tone]] = {
    JobRow.Result.CREATED: "ok",
    JobRow.Result.CHANGED: "ok",
    JobRow.Result.UNCHANGED: "idle",
    JobRow.Result.SKIPPED: "idle",
    JobRow.Result.REFUSED: "bad",
    JobRow.Result.PENDING: "wait",
}
_STATUS_TONES: Final[dict[str, Tone]] = {
    Job.Status.DONE: "ok",
    Job.Status.FAILED: "bad",
    Job.Status.CANCELLED: "idle",
    Job.Status.PREVIEW: "wait",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A tab above the rows, with how many stand behind it."""

    label: str
    count: int
    query: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A remark for the page: which column, what stood there, and the words."""

    column: str
    value: str
    words: Words
    number: str
    tone: Tone
    url: str  # the row of ours that it is about, empty when it is about none
    explanation_url: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row as it stood in the file."""

    heading: str
    value: str
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the table."""

    number: int
    title: str
    key: str
    result: str
    tone: Tone
    changes: list[str]
    said: list[Said]
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows stay out, counted."""

    count: int
    words: Words
    column: str
    number: str


def duration_words(seconds: float) -> str:
    """`39 seconds`, `12 minutes`, `3 hours`: as exact as somebody who waits wants to know."""
    if seconds < 90:
        number = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", number) % number
    number = round(seconds / 60)
    if number < 120:
        return ngettext("%d minute", "%d minutes", number) % number
    return ngettext("%d hour", "%d hours", round(number / 60)) % round(number / 60)


def result_counts(job: Job) -> dict[str, int]:
    """Rows by result, as far as they are known."""
    return dict(job.summary.get("counts", {}))


def verdict(job: Job) -> str:
    """How it stands, in one sentence."""
    if job.status in (Job.Status.PREVIEW, Job.Status.DONE):
        return _verdict_of_counts(job)
    progress = {"done": grouped(job.finished), "total": grouped(job.total)}
    if job.status == Job.Status.ASKING:
        number = asked(job).count()
        return ngettext(
            "Asking Edu-iX for %d school that is not known here yet.",
            "Asking Edu-iX for %d schools that are not known here yet.",
            number,
        ) % (number)
    return {
        Job.Status.READING: _("The file is being read."),
        Job.Status.CHECKING: _("The rows are being checked: %(done)s of %(total)s."),
        Job.Status.RUNNING: _("The rows are being taken in: %(done)s of %(total)s."),
        Job.Status.QUEUEING: _("Everything is being made ready to send: %(done)s of %(total)s."),
        Job.Status.FAILED: _("This broke off after %(done)s of %(total)s rows; you can go on."),
        Job.Status.STOPPING: _("This is being stopped: %(done)s of %(total)s are done."),
        Job.Status.CANCELLED: _("Stopped. What was taken in before stays in."),
    }[Job.Status(job.status)] % progress


def _verdict_of_counts(job: Job) -> str:
    counts = result_counts(job)
    refused = counts.get(JobRow.Result.REFUSED, 0)
    new = counts.get(JobRow.Result.CREATED, 0)
    changed = counts.get(JobRow.Result.CHANGED, 0)
    good = new + changed + counts.get(JobRow.Result.UNCHANGED, 0)
    numbers = {"good": grouped(good), "refused": grouped(refused)}
    if job.status == Job.Status.DONE:
        words = ngettext("%(good)s row is in", "%(good)s rows are in", good)
    elif not new and not changed and good:
        words = ngettext(
            "%(good)s row is here already and changes nothing",
            "%(good)s rows are here already and change nothing",
            good,
        )
    else:
        words = ngettext("%(good)s row can go in", "%(good)s rows can go in", good)
    if not refused:
        return _("%(words)s; none is refused.") % {"words": words % numbers}
    rest = ngettext("%(refused)s cannot", "%(refused)s cannot", refused)
    if job.status == Job.Status.DONE:
        rest = ngettext("%(refused)s was refused", "%(refused)s were refused", refused)
    return f"{words % numbers}, {rest % numbers}."


def trouble(job: Job) -> str:
    """Why Edu-iX has not answered, as far as a first try has told; "" while nothing is wrong."""
    if job.status != Job.Status.ASKING:
        return ""
    tried = asked(job).filter(tries__gt=0).exclude(text="").first()
    return no_answer_words(tried) if tried is not None else ""


def verdict_tone(job: Job) -> Tone:
    """The colour of the verdict: nothing is bad as long as rows can be mended and sent again."""
    if job.status in (Job.Status.PREVIEW, Job.Status.DONE):
        return "wait" if result_counts(job).get(JobRow.Result.REFUSED) else "ok"
    return _STATUS_TONES.get(job.status, "wait")


def status_tone(job: Job) -> Tone:
    """The colour of a job in the list of jobs."""
    return _STATUS_TONES.get(job.status, "wait")


def time_left(job: Job, now: datetime) -> timedelta | None:
    """How long this part still takes at its present speed; None while nobody can tell."""
    if job.started_at is None or not 0 < job.finished < job.total:
        return None
    return (now - job.started_at) * ((job.total - job.finished) / job.finished)


def chips(job: Job, current: str) -> list[Chip]:
    """A tab for each result that occurs, the ones that need attention first."""
    counts = result_counts(job)
    order = (
        JobRow.Result.REFUSED,
        JobRow.Result.CREATED,
        JobRow.Result.CHANGED,
        JobRow.Result.UNCHANGED,
        JobRow.Result.SKIPPED,
    )
    found = [
        Chip(str(result.label), counts[result], f"?result={result.value}", current == result)
        for result in order
        if counts.get(result)
    ]
    said = [
        Chip(str(label), number, f"?result={name}", current == name)
        for name, (severity, label) in _SAID.items()
        if (number := _rows_with(job, severity))
    ]
    total = Chip(_("All"), job.total, "?result=all", current == "all")
    return [*found, *said, total] if len(found) + len(said) > 1 else found


def _rows_with(job: Job, severity: str) -> int:
    """How many rows have a remark of this severity; hints come late, and are counted here."""
    number: int = job.summary.get("remarks", {}).get(severity, 0)
    if severity == "hint" and (number or job.summary.get("hinted")):
        return _with_remark(job.rows.all(), severity).count()
    return number


def _with_remark(rows: QuerySet[JobRow], severity: str) -> QuerySet[JobRow]:
    """The text of a JSON column reads alike in both databases; what it holds does not."""
    said = rows.annotate(said=Cast("findings", TextField()))
    return said.filter(said__contains=f'"severity": "{severity}"')


def shown_result(job: Job, asked_for: str) -> str:
    """The tab to open: the one that was asked for, else the refused rows, else what is new."""
    counts = result_counts(job)
    if asked_for == "all" or asked_for in _SAID or counts.get(asked_for):
        return asked_for
    order = (JobRow.Result.REFUSED, JobRow.Result.CREATED, JobRow.Result.CHANGED)
    return next((result.value for result in order if counts.get(result)), "all")


def rows_shown(
    job: Job, importer: Importer, *, result: str, after: int
) -> tuple[list[Shown], int | None]:
    """A page of rows behind line `after`, and the line to go on from when there are more."""
    rows = job.rows.filter(number__gt=after).order_by("number")
    if result in _SAID:
        rows = _with_remark(rows, _SAID[result][0])
    elif result != "all":
        rows = rows.filter(result=result)
    found = list(rows[: ROWS_SHOWN + 1])
    page = found[:ROWS_SHOWN]
    described = importer.describe(page)
    shown = [_shown(job, row, described[row.number]) for row in page]
    return shown, page[-1].number if len(found) > ROWS_SHOWN else None


def _shown(job: Job, row: JobRow, described: Described) -> Shown:
    remarks = sorted(map(Remark.from_json, row.findings), key=_weight)
    wrong = {remark.column for remark in remarks if remark.is_error}
    return Shown(
        number=row.number,
        title=described.title,
        key=described.sub,
        result=str(JobRow.Result(row.result).label),
        tone=_RESULT_TONES[row.result],
        changes=_changes(job, row),
        said=[_said(job, row, remark) for remark in remarks],
        cells=[
            Cell(
                heading=str(heading),
                value=str(row.original[at]) if at < len(row.original) else "",
                is_wrong=job.mapping[at] in wrong,
            )
            for at, heading in enumerate(job.header)
        ],
    )


def _weight(remark: Remark) -> int:
    return ("error", "warning", "changed", "hint").index(remark.severity)


def _said(job: Job, row: JobRow, remark: Remark) -> Said:
    value = ""
    if remark.column in job.mapping and remark.key != "read_as":
        at = job.mapping.index(remark.column)
        value = str(row.original[at]) if at < len(row.original) else ""
    return Said(
        column=job.heading(remark.column) if remark.column else "",
        value=value,
        words=words_of(remark, job.heading),
        number=remark.number,
        tone="bad" if remark.is_error else "wait",
        url=url_of(str(remark.params.get("subject", ""))),
        explanation_url=explanation_url(found) if (found := explanation_of(remark)).known else "",
    )


def _changes(job: Job, row: JobRow) -> list[str]:
    """`Postcode: 1234 AB becomes 5678 CD` for each column that changes."""
    if row.result != JobRow.Result.CHANGED:
        return []
    nothing = _("(empty)")
    return [
        _("%(column)s: %(before)s becomes %(after)s")
        % {
            "column": job.heading(name),
            "before": row.before.get(name, "") or nothing,
            "after": after or nothing,
        }
        for name, after in row.after.items()
        if name in row.before  # not what is new beside it
    ]


def reasons(job: Job) -> list[Reason]:
    """Why rows are refused, the most frequent first; none when the rows themselves tell it."""
    if result_counts(job).get(JobRow.Result.REFUSED, 0) < WORTH_COUNTING:
        return []
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Remark] = {}
    refused = job.rows.filter(result=JobRow.Result.REFUSED).order_by("number")
    for findings in refused.values_list("findings", flat=True)[:REASONS_READ]:
        for remark in map(Remark.from_json, findings):
            if remark.is_error:
                reason = (remark.column, remark.number or remark.key)
                counts[reason] += 1
                first.setdefault(reason, remark)
    return [
        Reason(
            count,
            general_words(first[reason], job.heading),
            job.heading(reason[0]) if reason[0] else "",
            first[reason].number,
        )
        for reason, count in counts.most_common(REASONS_SHOWN)
    ]


def facts(job: Job, importer: Importer) -> list[tuple[str, str]]:
    """How the file was read, and what was left aside."""
    summary = job.summary
    names = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
    delimiters = {";": _("semicolon"), ",": _("comma"), "\t": _("tab")}
    encoding = names.get(summary.get("encoding", ""), "")
    found = [
        (_("Holds"), str(importer.title)),
        (_("Rows"), grouped(job.total)),
        (_("Written in"), f"{encoding}, {delimiters.get(summary.get('delimiter', ''), '')}"),
    ]
    if summary.get("ignored"):
        found.append((_("Columns that are not used"), ", ".join(summary["ignored"])))
    if summary.get("absent"):
        titles = {column.name: column.label for column in importer.columns}
        absent = ", ".join(titles[name] for name in summary["absent"])
        found.append((_("Not in the file, stays as it is"), absent))
    if summary.get("blank"):
        found.append((_("Empty rows passed over"), grouped(summary["blank"])))
    remarks = summary.get("remarks", {})
    if remarks.get("changed"):
        found.append((_("Rows read differently from how they stand"), grouped(remarks["changed"])))
    if remarks.get("warning"):
        found.append((_("Rows with a warning"), grouped(remarks["warning"])))
    if summary.get("hinted"):
        found.append((_("Rows that resemble another person's"), grouped(summary["hinted"])))
    return found


def urls(job: Job) -> dict[str, str]:
    """The addresses of one job's pages and buttons."""
    names: Sequence[str] = ("job", "progress", "run", "send", "cancel", "continue", "errors")
    return {name: reverse(f"admin:import_{name}", args=[job.pk]) for name in names}
