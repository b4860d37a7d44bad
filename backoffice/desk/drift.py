"""What comparing has found and nobody has mended yet, and the comparison of every night."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.desk.comparison import label_of, title_of_row
from backoffice.desk.mirrors import MIRRORS
from backoffice.jobs.files import harmless
from backoffice.jobs.models import CheckRun, Drift
from backoffice.jobs.pages import duration_words
from backoffice.outbox.cells import no_answer_words
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from backoffice.screens.numbers import grouped, with_number
from persons.comparing import known_persons, last_checked, start_run
from persons.models import School

logger = logging.getLogger(__name__)

SHOWN: Final = 50
NIGHT: Final = "reconcile"  # its row of `ServiceState` says when the last night was
NIGHTLY_SAMPLE: Final = 500
"""Persons compared each night: a few minutes of calls, and one in two thousand of a million."""
NIGHT_HOURS: Final = (2, 3, 4)  # local time; a worker that was down at two still does it
NIGHT_EVERY: Final = timedelta(hours=20)
LOOK_SECONDS: Final = 600

KINDS: Final[dict[str, str | Promise]] = {
    "person": gettext_lazy("Persons"),
    "schoolperson": gettext_lazy("Persons at schools"),
    "person_credit": gettext_lazy("Credits of persons"),
    "school_credit": gettext_lazy("Credits of schools"),
    "school": gettext_lazy("Schools"),
}
_looked: dict[str, float] = {}


def still_there() -> QuerySet[Drift]:
    """Differences that nothing has mended since they were found.

    One is mended as soon as our row was accepted, taken over, changed or deleted after it: what
    stands between the two then shows in the row's own sync state.
    """
    found: Q = Q(kind="school", what=Drift.What.GONE) & Q(
        Exists(School.objects.filter(pk=OuterRef("row_id")))
    )
    for kind, mirror in MIRRORS.items():
        rows = mirror.model._default_manager
        claims = rows.filter(pk=OuterRef("row_id"), push_state=PushState.IN_SYNC).filter(
            Q(push_changed_at=None) | Q(push_changed_at__lte=OuterRef("found_at"))
        )
        ours = rows.exclude(push_state=PushState.DELETED).filter(**{mirror.key: OuterRef("label")})
        found |= Q(kind=kind, what__in=[Drift.What.DIFFERS, Drift.What.GONE]) & Q(Exists(claims))
        found |= Q(kind=kind, what=Drift.What.EXTRA) & ~Q(Exists(ours))
    return Drift.objects.filter(found)


def shown_part(what: str) -> QuerySet[Drift]:
    """One part of the page; what was taken over is told and needs nobody."""
    if what == Drift.What.TAKEN_OVER:
        return Drift.objects.filter(what=Drift.What.TAKEN_OVER)
    open_ones = still_there()
    return open_ones.filter(what=what) if what in Drift.OPEN else open_ones


def counts() -> dict[str, dict[str, int]]:
    """Numbers by what and kind; two queries."""
    found: dict[str, dict[str, int]] = {}
    taken = Drift.objects.filter(what=Drift.What.TAKEN_OVER)
    for rows in (still_there(), taken):
        grouped = rows.order_by().values_list("what", "kind").annotate(number=Count("pk"))
        for what, kind, number in grouped:
            found.setdefault(what, {})[kind] = number
    return found


@dataclass(frozen=True)
class DriftLine:
    """One difference as the page shows it."""

    drift: Drift
    kind: str
    title: str
    sub: str
    fields: str
    url: str


def lines_of(drifts: list[Drift]) -> list[DriftLine]:
    """Titles in one query for each kind."""
    rows: dict[tuple[str, int], Any] = {}
    for kind, mirror in MIRRORS.items():
        pks = [one.row_id for one in drifts if one.kind == kind and one.row_id]
        if pks:
            found = mirror.model._default_manager.select_related(*mirror.related)
            rows |= {(kind, row.pk): row for row in found.filter(pk__in=pks)}
    return [_line(one, rows.get((one.kind, one.row_id or 0))) for one in drifts]


def _line(drift: Drift, row: Any) -> DriftLine:
    title, sub = drift.label, ""
    if row is not None:
        title, sub = title_of_row(MIRRORS[drift.kind], row)
    return DriftLine(
        drift, str(KINDS[drift.kind]), title, sub, fields_of(drift), url_of_drift(drift)
    )


def fields_of(drift: Drift) -> str:
    """`Postal code, e-mail`."""
    if drift.kind == "school":
        names = {one.name: str(one.verbose_name) for one in School._meta.fields}
        return ", ".join(names.get(name, name) for name in drift.columns)
    mirror = MIRRORS[drift.kind]
    return ", ".join(label_of(mirror, name) for name in drift.columns)


def url_of_drift(drift: Drift) -> str:
    """The page where it is settled."""
    if drift.what == Drift.What.EXTRA:
        return reverse("admin:compare_extra", args=[drift.pk])
    return reverse("admin:compare", args=[drift.kind, drift.row_id])


@dataclass(frozen=True)
class RunCard:
    """How the newest comparison stands."""

    run: CheckRun
    verdict: str
    tone: str
    trouble: str
    per_second: float
    left: str  # in words; empty while nobody can tell


def run_card(now: datetime) -> RunCard | None:
    """The comparison under way, else the last one; None when there never was one."""
    run = CheckRun.objects.filter(status=CheckRun.Status.RUNNING).order_by("pk").first()
    run = run or CheckRun.objects.order_by("-pk").first()
    return card_of(run, now) if run is not None else None


def card_of(run: CheckRun, now: datetime) -> RunCard:
    """How this comparison stands."""
    passed = ((run.finished_at or now) - run.created_at).total_seconds()
    rate = run.finished / passed if passed > 0 else 0.0
    is_running = run.status == CheckRun.Status.RUNNING
    left = duration_words((run.total - run.finished) / rate) if is_running and rate else ""
    tone = {"running": "wait", "cancelled": "idle"}.get(run.status, "wait" if run.failed else "ok")
    return RunCard(
        run, run_words(run), tone, trouble_words(run) if is_running else "", round(rate, 1), left
    )


def run_words(run: CheckRun) -> str:
    """How it stands in a sentence."""
    numbers = {"done": grouped(run.finished), "total": grouped(run.total), "what": str(run)}
    if run.status == CheckRun.Status.RUNNING:
        return _("%(what)s: %(done)s of %(total)s compared.") % numbers
    if run.status == CheckRun.Status.CANCELLED:
        return _("%(what)s: stopped after %(done)s of %(total)s.") % numbers
    if run.failed:
        words = _("%(what)s: %(done)s of %(total)s compared.") % {
            **numbers,
            "done": grouped(run.answered),
        }
        failed = with_number(
            ngettext("%d was not answered.", "%d were not answered.", run.failed), run.failed
        )
        return f"{words} {failed}"
    return _("%(what)s: all %(total)s compared.") % numbers


def trouble_of(run: CheckRun) -> str:
    """Why Edu-iX does not answer, for who runs programs; empty while nothing is wrong."""
    if _is_stopped():
        return _("Edu-iX refuses our login; nothing is asked until that is mended.")
    return _tried(run).values_list("text", flat=True).first() or ""


def trouble_words(run: CheckRun) -> str:
    """The same in the words of a page, without the full stop; empty while nothing is wrong."""
    if _is_stopped():
        return _("Edu-iX refuses our login; nothing is asked until that is mended.").rstrip(".")
    tried = _tried(run).first()
    return no_answer_words(tried) if tried is not None else ""


def _is_stopped() -> bool:
    return ServiceState.objects.filter(service=SERVICE, stopped_at__isnull=False).exists()


def _tried(run: CheckRun) -> QuerySet[Message]:
    tried = Message.objects.active().filter(pk__in=run.items.values("message"), tries__gt=0)
    return tried.exclude(text="")


def as_csv(what: str) -> Iterator[bytes]:
    """The differences as a file that a spreadsheet opens; field names, never values."""
    head = [_("What"), _("Kind"), _("Key"), _("Fields"), _("Found"), _("Page")]
    yield _record(head, bom=True)
    for drift in shown_part(what).order_by("pk").iterator(chunk_size=500):
        found_at = timezone.localtime(drift.found_at).strftime("%Y-%m-%d %H:%M")
        yield _record(
            [
                str(drift.get_what_display()),
                str(KINDS[drift.kind]),
                drift.label,
                fields_of(drift),
                found_at,
                url_of_drift(drift),
            ]
        )


def _record(cells: list[str], *, bom: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(map(harmless, cells))
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def equal_words() -> str:
    """`Everything is equal, last compared at 09:12`."""
    at = last_checked()
    if at is None:
        return _("Nothing was compared yet.")
    local = timezone.localtime(at)
    if local.date() == timezone.localdate():
        return _("Everything is equal, last compared at %s.") % local.strftime("%H:%M")
    return _("Everything is equal, last compared on %s.") % local.strftime("%d-%m-%Y %H:%M")


def reconcile_nightly() -> int:
    """What the worker does beside sending: a random sample each night, by whoever comes first.

    A new installation only notes the moment: its first night is the next one. Returns 0, because
    nothing of it is work that waited.
    """
    if time.monotonic() - _looked.get(NIGHT, -LOOK_SECONDS) < LOOK_SECONDS:
        return 0
    _looked[NIGHT] = time.monotonic()
    now = timezone.now()
    _row, is_new = ServiceState.objects.get_or_create(service=NIGHT, defaults={"beat_at": now})
    if is_new or timezone.localtime(now).hour not in NIGHT_HOURS:
        return 0
    due = ServiceState.objects.filter(service=NIGHT, beat_at__lt=now - NIGHT_EVERY)
    # Of two workers that look at the same moment one changes the row.
    if due.update(beat_at=now) and known_persons().exists():
        run = start_run(sample=NIGHTLY_SAMPLE, is_nightly=True)
        logger.info("check_run_nightly", extra={"run_id": run.pk, "total": run.total})
    return 0
