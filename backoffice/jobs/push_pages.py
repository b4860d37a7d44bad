"""What the page of work on many rows shows: how far it is, its pace, per row what and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.jobs.deeds import Deed, deed_of
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.pages import (
    ROWS_SHOWN,
    Chip,
    Tone,
    duration_words,
    result_counts,
)
from backoffice.jobs.push_words import not_there, verdict, words_of
from backoffice.jobs.registry import Described
from backoffice.jobs.remarks import Remark, explanation_of
from backoffice.jobs.tables import record
from backoffice.outbox import breaker
from backoffice.outbox.models import subject_pk
from backoffice.outbox.standstill import left_behind
from backoffice.screens.findings import explanation_url
from backoffice.screens.links import kind_of
from backoffice.screens.numbers import grouped

Result = JobRow.Result

TONES: Final[dict[str, Tone]] = {
    Result.SENT: "ok",
    Result.CHANGED: "ok",
    Result.EQUAL: "ok",
    Result.TAKEN_OVER: "idle",
    Result.DIFFERS: "bad",
    Result.SKIPPED: "idle",
    Result.TAKEN_BACK: "idle",
    Result.REFUSED: "bad",
    Result.CONFLICT: "bad",
    Result.GONE: "bad",
}
STATUS_TONES: Final[dict[str, Tone]] = {
    Job.Status.FAILED: "bad",
    Job.Status.CANCELLED: "idle",
}
ORDER: Final = (
    *JobRow.NOT_THERE,
    Result.TAKEN_BACK,
    Result.QUEUED,
    Result.PENDING,
    Result.OWN,
    Result.TAKEN_OVER,
    Result.CHANGED,
    Result.SENT,
    Result.EQUAL,
    Result.SKIPPED,
)
TELLING: Final = 20  # rows; fewer say nothing about the pace


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that stands between a row and Edu-iX: the explanation, and where it is mended."""

    explanation: Explanation
    lead: str = ""  # what it waits for, which fields differ
    url: str = ""
    is_eduix: bool = False  # Edu-iX answered it; otherwise it would

    @property
    def explanation_url(self) -> str:
        """Where the whole explanation stands."""
        return explanation_url(self.explanation) if self.explanation.known else ""

    @property
    def number(self) -> str:
        """The code as a screen shows it; states of our own have none."""
        number = self.explanation.number
        return str(abs(number)) if number is not None else ""

    @property
    def first_step(self) -> str:
        """Enough beside a row of a table."""
        return next(iter(self.explanation.steps), "")


@dataclass(frozen=True, slots=True)
class PushedRow:
    """One row of the table."""

    number: int
    title: str
    sub: str
    url: str
    result: str
    tone: Tone
    words: str
    why: list[Why]


# --- how far it is -------------------------------------------------------------------------------


def list_tone(job: Job) -> Tone:
    """The colour in the list of jobs."""
    if job.status == Job.Status.DONE:
        return "wait" if not_there(job) else "ok"
    return STATUS_TONES.get(job.status, "wait")


def still_going(job: Job) -> int:
    """Of a stopped job: rows that were under way already."""
    return result_counts(job).get(Result.QUEUED, 0) if job.status == Job.Status.CANCELLED else 0


def pace(job: Job) -> str:
    """`600 rows a minute, about 2 minutes to go`; empty while nobody can tell."""
    marks = job.summary.get("marks", [])
    if job.status != Job.Status.RUNNING or len(marks) < 2:
        return ""
    (began, before), (ended, after) = marks[0], marks[-1]
    if after - before < TELLING or ended <= began:
        return ""
    a_second = (after - before) / (ended - began)
    left = (job.total - job.finished) / a_second
    rate = ngettext("%s row a minute", "%s rows a minute", round(a_second * 60))
    return _("%(rate)s, about %(left)s to go.") % {
        "rate": rate % grouped(round(a_second * 60)),
        "left": duration_words(left),
    }


def standstill(job: Job) -> str:
    """Why nothing moves, when sending itself stands still."""
    if not job.is_at_work:
        return ""
    seen = breaker.look()
    if seen.is_stopped:
        return _("Sending is stopped, because Edu-iX refuses our login. The workbench tells more.")
    if seen.is_paused(timezone.now()):
        return _("Edu-iX cannot be reached now. Sending goes on by itself when it is back.")
    if (left := left_behind()) is not None:
        words = ngettext(
            "%(number)s message is under way for long; perhaps the process that sends was ended. "
            "At %(time)s Edu-iX is asked about it, and what waits behind it goes on.",
            "%(number)s messages are under way for long; perhaps the process that sends was ended. "
            "At %(time)s Edu-iX is asked about them, and what waits behind them goes on.",
            left.number,
        )
        at = time_format(timezone.localtime(left.until), "H:i:s")
        return words % {"number": grouped(left.number), "time": at}
    return ""


# --- rows ----------------------------------------------------------------------------------------


def chips(job: Job, current: str) -> list[Chip]:
    """A tab for each result that occurs, what needs somebody first."""
    counts = result_counts(job)
    found = [
        Chip(str(result.label), counts[result], f"?result={result.value}", current == result)
        for result in ORDER
        if counts.get(result)
    ]
    everything = Chip(_("All"), job.total, "?result=all", current == "all")
    return [*found, everything] if len(found) > 1 else found


def shown_result(job: Job, asked_for: str) -> str:
    """The tab to open: the one that was asked for, else what needs somebody."""
    counts = result_counts(job)
    if asked_for == "all" or counts.get(asked_for):
        return asked_for
    return next((result.value for result in ORDER if counts.get(result)), "all")


def rows_shown(job: Job, *, result: str, after: int) -> tuple[list[PushedRow], int | None]:
    """A page of rows behind number `after`, and the number to go on from when there are more."""
    rows = job.rows.filter(number__gt=after).order_by("number")
    if result != "all":
        rows = rows.filter(result=result)
    found = list(rows.select_related("message")[: ROWS_SHOWN + 1])
    page = found[:ROWS_SHOWN]
    described = _described(job, page)
    shown = [_shown(job, row, described.get(row.key)) for row in page]
    return shown, page[-1].number if len(found) > ROWS_SHOWN else None


def _described(job: Job, rows: Sequence[JobRow]) -> dict[str, Described]:
    """By subject; the same queries a kind, however many."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_kind[kind_of(row.key)].append(subject_pk(row.key))
    return {
        f"{kind}:{pk}": described
        for kind, pks in by_kind.items()
        for pk, described in deed_of(job.kind, kind).describe(pks).items()
    }


def _shown(job: Job, row: JobRow, described: Described | None) -> PushedRow:
    deed = deed_of(job.kind, kind_of(row.key))
    words = deed.words(row)
    if row.result == Result.QUEUED and row.message is not None:
        words = str(row.message.get_status_display())
    return PushedRow(
        number=row.number,
        title=described.title if described else _label(row),
        sub=described.sub if described else "",
        url=deed.url(row.key) if described else "",
        result=str(Result(row.result).label),
        tone=TONES.get(row.result, "wait"),
        words=words,
        why=[why_of(row, Remark.from_json(each), deed) for each in row.findings],
    )


def _label(row: JobRow) -> str:
    """The partner's key, which outlives the row."""
    return str(row.original[0]) if row.original else row.key


def why_of(row: JobRow, remark: Remark, deed: Deed) -> Why:
    """The explanation of one remark on a row, by the code where there is one."""
    subject = str(remark.params.get("subject", row.key))
    text = str(remark.params.get("text", ""))
    service = "credit" if "credit" in kind_of(subject) else "profile"
    url = deed.mend_url(subject, code=remark.code, text=text)
    if remark.key == "conflict":
        return Why(explain("own:conflict"), url=url)
    if remark.key == "answer" and remark.code is not None:
        return Why(explain(remark.code, service=service), url=url, is_eduix=True)
    if remark.key == "waiting":
        lead = _("Waits for %(label)s.") % {"label": remark.params.get("label", "")}
        found = explain(remark.code, service=service) if remark.code else explain("own:conflict")
        return Why(found, lead=lead, url=url, is_eduix=True)
    found = explanation_of(remark)
    label = str(remark.params.get("label", ""))
    return Why(found, lead=f"{label}:" if subject != row.key else "", url=url)


# --- the file ------------------------------------------------------------------------------------


def failed_file(job: Job) -> Iterator[bytes]:
    """What did not arrive: the key, the code, what it means, what to do, and who must act."""
    yield record(
        [
            _("Number"), _("Result"), _("Code"), _("What is the matter"), _("Probable cause"),
            _("What to do"), _("Who"),
        ],
        bom=True,
    )  # fmt: skip
    rows = job.rows.filter(result__in=JobRow.NOT_THERE).order_by("number")
    for row in rows.iterator(chunk_size=500):
        result = str(Result(row.result).label)
        deed = deed_of(job.kind, kind_of(row.key))
        whys = [why_of(row, Remark.from_json(each), deed) for each in row.findings]
        if not whys:
            yield record([_label(row), result, "", deed.words(row), "", "", ""])
        for why in whys:
            found = why.explanation
            title = " ".join(filter(None, (why.lead, found.title)))
            remedy = " ".join(found.steps)
            yield record(
                [_label(row), result, why.number, title, found.cause, remedy, found.owner_label]
            )


def failed_file_name(job: Job) -> str:
    """For the browser: ASCII, whatever the job is called."""
    name = slugify(PurePath(job.title).stem) or job.kind
    return f"{name}-{job.pk}-{slugify(words_of(job).file())}.csv"


def above(job: Job, *, may_import: bool) -> tuple[str, str]:
    """The page above this one, and its name; nothing for who may not see that."""
    if job.kind == Job.Kind.FETCH:
        return reverse("admin:drift"), _("Differences")
    return (reverse("admin:import_start"), _("Import")) if may_import else ("", "")


def urls(job: Job) -> dict[str, str]:
    """The addresses of the page of one job and of its buttons."""
    names: Sequence[str] = ("job", "progress", "stop", "resume", "failed")
    return {name: reverse(f"admin:push_{name}", args=[job.pk]) for name in names}


def state(job: Job) -> dict[str, Any]:
    """What also the polled part of the page shows."""
    counts = result_counts(job)
    return {
        "job": job,
        "verdict": verdict(job),
        "tone": list_tone(job),
        "pace": pace(job),
        "standstill": standstill(job),
        "parts": [
            (result.label, counts[result], TONES.get(result, "wait"))
            for result in ORDER
            if counts.get(result)
        ],
        "urls": urls(job),
    }
