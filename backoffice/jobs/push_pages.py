"""What the page of a bulk push shows: how far it is, at what pace, and per row what and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.pages import ROWS_SHOWN, Chip, Tone, counted, result_counts
from backoffice.jobs.pushing import pusher_of
from backoffice.jobs.registry import Described
from backoffice.jobs.remarks import Remark, explanation_of
from backoffice.jobs.tables import record
from backoffice.outbox import breaker
from backoffice.outbox.models import subject_pk
from backoffice.screens.findings import explanation_url
from backoffice.screens.links import kind_of, url_of

Result = JobRow.Result

TONES: Final[dict[str, Tone]] = {
    Result.SENT: "ok",
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
    Result.SENT,
    Result.SKIPPED,
)
TELLING: Final = 20  # rows; fewer say nothing about the pace
RESUMABLE: Final = (Job.Status.CANCELLED, Job.Status.FAILED)


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


def state_words(job: Job) -> str:
    """How a push stands, for lists: its steps have other names than those of an import."""
    if job.status == Job.Status.RUNNING:
        return _("Under way")
    return str(job.get_status_display())


def list_tone(job: Job) -> Tone:
    """The colour in the list of jobs."""
    if job.status == Job.Status.DONE:
        return "wait" if not_there(job) else "ok"
    return STATUS_TONES.get(job.status, "wait")


def not_there(job: Job) -> int:
    """How many rows did not arrive and will not by themselves within this job."""
    counts = result_counts(job)
    return sum(counts.get(result, 0) for result in JobRow.NOT_THERE)


def verdict(job: Job) -> str:
    """How it stands, in one sentence."""
    counts = result_counts(job)
    sent, stuck = counts.get(Result.SENT, 0), not_there(job)
    if job.status in (Job.Status.RUNNING, Job.Status.READING):
        numbers = {"done": counted(job.finished), "total": counted(job.total)}
        return _("%(done)s of %(total)s rows are done.") % numbers
    if job.status == Job.Status.STOPPING:
        return _("This is being stopped; what Edu-iX is answering now still ends.")
    if job.status == Job.Status.FAILED:
        return _("This broke off: %(name)s. What went stays; you can go on.") % {
            "name": job.failure
        }
    words = ngettext("%s row is at Edu-iX", "%s rows are at Edu-iX", sent) % counted(sent)
    if job.status == Job.Status.CANCELLED:
        left = counts.get(Result.TAKEN_BACK, 0) + counts.get(Result.PENDING, 0)
        rest = ngettext("%s was not sent", "%s were not sent", left) % counted(left)
        return _("Stopped. %(words)s, %(rest)s.") % {"words": words, "rest": rest}
    if not stuck:
        return _("Ready. %(words)s; nothing stayed behind.") % {"words": words}
    rest = ngettext("%s is not", "%s are not", stuck) % counted(stuck)
    return _("Ready. %(words)s, %(rest)s: below stands why.") % {"words": words, "rest": rest}


def still_going(job: Job) -> int:
    """Of a stopped push: rows that were under way already."""
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
        "rate": rate % counted(round(a_second * 60)),
        "left": _duration(left),
    }


def _duration(seconds: float) -> str:
    if seconds < 90:
        number = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", number) % number
    number = round(seconds / 60)
    if number < 120:
        return ngettext("%d minute", "%d minutes", number) % number
    return ngettext("%d hour", "%d hours", round(number / 60)) % round(number / 60)


def standstill(job: Job) -> str:
    """Why nothing moves, when sending itself stands still."""
    if not job.is_at_work:
        return ""
    seen = breaker.look()
    if seen.is_stopped:
        return _("Sending is stopped, because Edu-iX refuses our login. The workbench tells more.")
    if seen.is_paused(timezone.now()):
        return _("Edu-iX cannot be reached now. Sending goes on by itself when it is back.")
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
    described = _described(page)
    shown = [_shown(row, described.get(row.key)) for row in page]
    return shown, page[-1].number if len(found) > ROWS_SHOWN else None


def _described(rows: Sequence[JobRow]) -> dict[str, Described]:
    """By subject; one query a kind."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_kind[kind_of(row.key)].append(subject_pk(row.key))
    return {
        f"{kind}:{pk}": described
        for kind, pks in by_kind.items()
        for pk, described in pusher_of(kind).describe(pks).items()
    }


def _shown(row: JobRow, described: Described | None) -> PushedRow:
    words = ""
    if row.result == Result.QUEUED and row.message is not None:
        words = str(row.message.get_status_display())
    elif row.result == Result.SKIPPED:
        words = _("equal to Edu-iX already")
    elif row.result == Result.GONE:
        words = _("This row was deleted since; there is nothing to send.")
    return PushedRow(
        number=row.number,
        title=described.title if described else _label(row),
        sub=described.sub if described else "",
        url=url_of(row.key) if described else "",
        result=str(Result(row.result).label),
        tone=TONES.get(row.result, "wait"),
        words=words,
        why=[why_of(row, Remark.from_json(each)) for each in row.findings],
    )


def _label(row: JobRow) -> str:
    """The partner's key, which outlives the row."""
    return str(row.original[0]) if row.original else row.key


def why_of(row: JobRow, remark: Remark) -> Why:
    """The explanation of one remark on a row, by the code where there is one."""
    subject = str(remark.params.get("subject", row.key))
    text = str(remark.params.get("text", ""))
    service = "credit" if "credit" in kind_of(subject) else "profile"
    url = url_of(subject, code=remark.code, text=text)
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
        whys = [why_of(row, Remark.from_json(each)) for each in row.findings]
        if not whys:
            yield record([_label(row), result, "", "", "", "", ""])
        for why in whys:
            found = why.explanation
            title = " ".join(filter(None, (why.lead, found.title)))
            remedy = " ".join(found.steps)
            yield record(
                [_label(row), result, why.number, title, found.cause, remedy, found.owner_label]
            )


def failed_file_name(job: Job) -> str:
    """For the browser: ASCII, whatever the job is called."""
    return f"{slugify(PurePath(job.title).stem) or 'push'}-{job.pk}-{slugify(_('not sent'))}.csv"


def urls(job: Job) -> dict[str, str]:
    """The addresses of one push's page and buttons."""
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
