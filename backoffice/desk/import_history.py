"""What imports did to a row, on its page of history: an import writes no version of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Model, Q
from django.http import HttpRequest
from django.urls import reverse

from backoffice.jobs.models import Job, JobRow
from backoffice.screens.panels import Panel, register_panel
from persons.columns import masked_eck_id

SHOWN: Final = 20
TEMPLATE: Final = "desk/_import_history.html"
TOOK_IN: Final = (JobRow.Result.CREATED, JobRow.Result.CHANGED)
Kind = Job.Kind
# name of the model -> the imports that write it, the column of `JobRow` with its key, the key
SOURCES: Final[dict[str, tuple[Kind, str, str]]] = {
    "person": (Kind.IMPORT_PERSONS, "group", "distributor_person_id"),
    "schoolperson": (Kind.IMPORT_PERSONS, "key", "distributor_school_person_id"),
    "personcredit": (Kind.IMPORT_PERSON_CREDITS, "key", "distributor_person_credit_id"),
    "schoolcredit": (Kind.IMPORT_SCHOOL_CREDITS, "key", "distributor_school_credit_id"),
}


@dataclass(frozen=True)
class Imported:
    """One line of a file that made or changed this row."""

    at: datetime
    result: str
    file: str
    number: int
    who: str
    changes: list[tuple[str, str, str]]
    url: str


def imports_of(model_name: str, row: Model, *, may_open: bool) -> list[Imported]:
    """The newest imports that made or changed this row; one query."""
    kind, column, key = SOURCES[model_name]
    value = getattr(row, key)
    if not value:
        return []
    done = Q(job__status__in=[Job.Status.DONE, Job.Status.QUEUEING]) | Q(
        job__status=Job.Status.RUNNING, number__lte=F("job__position")
    )
    found = JobRow.objects.filter(done, job__kind=kind, result__in=TOOK_IN, **{column: value})
    lines = found.select_related("job__created_by").order_by("-job", "-number")[:SHOWN]
    told = [(line, _imported(line, type(row), may_open)) for line in lines]
    # A line of a file may have changed another row than this one; when its content was pruned,
    # nobody can tell any more.
    return [
        one
        for line, one in told
        if one.changes or line.result == JobRow.Result.CREATED or not line.after
    ]


def _imported(line: JobRow, model: type[Model], may_open: bool) -> Imported:
    job = line.job
    return Imported(
        at=job.finished_at or job.created_at,
        result=str(line.get_result_display()),
        file=job.title,
        number=line.number,
        who=job.created_by.get_username() if job.created_by else "",
        changes=_changes(line, {one.name: str(one.verbose_name) for one in model._meta.fields}),
        url=reverse("admin:import_job", args=[job.pk]) if may_open else "",
    )


def _changes(line: JobRow, labels: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Of a row that was there before; what is new was all of it."""
    if line.result != JobRow.Result.CHANGED:
        return []
    return [
        (label, _shown(name, line.before.get(name)), _shown(name, line.after.get(name)))
        for name, label in labels.items()
        if name in line.after
    ]


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return "\u2013"
    return masked_eck_id(str(value)) if name == "eck_id" else str(value)


def register_import_history() -> None:
    """Called once, when the roof is set up."""
    for name in SOURCES:
        register_panel(f"history:{name}", _maker(name))


def _maker(name: str) -> Callable[[HttpRequest, Any], Panel | None]:
    def panel(request: HttpRequest, row: Model) -> Panel | None:
        found = imports_of(name, row, may_open=request.user.has_perm("jobs.add_job"))
        return Panel(TEMPLATE, found) if found else None

    return panel
