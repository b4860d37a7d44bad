"""Tells the outbox which pages belong to credits, and a person's or school's page its credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from backoffice.outbox.models import PushState
from backoffice.screens.admin import cells_of
from backoffice.screens.links import Page, register_page
from backoffice.screens.numbers import plural
from backoffice.screens.panels import Panel, register_panel
from credits.columns import (
    edit_url,
    lay_statuses,
    status_pill,
    status_url,
    title_of,
    under_title,
)
from credits.filters import CreditGroupFilter
from credits.models import PersonCredit
from persons.models import Person, School

COUNTED_CREDITS = plural("%d credit", "%d credits")
COUNTED_RETURNS = plural("%d return", "%d returns")

CREDITS_SHOWN = 100


@dataclass(frozen=True)
class CreditLine:
    """One credit in the table on a person's page."""

    title: str
    under: str
    school: str
    school_year: str
    edit_url: str
    status_url: str
    pill: SafeString
    cell: SafeString


@dataclass(frozen=True)
class GroupLine:
    """One part of a school's credits, with the list behind it."""

    label: str | Promise
    count: int
    percent: int
    url: str


def credits_of_person(request: HttpRequest, person: Person) -> Panel | None:
    """The credits of one person, newest first, with their status and explanation."""
    if not request.user.has_perm("credits.view_personcredit"):
        return None
    found = (
        PersonCredit.objects.filter(school_person__person=person)
        .exclude(push_state=PushState.DELETED)
        .with_title()
        .select_related("school_person__person", "school_person__school")
        .order_by("-school_year", "-pk")
    )
    credits = list(found[:CREDITS_SHOWN])
    lay_statuses(credits, today=timezone.localdate())
    add = reverse("admin:credits_personcredit_add")
    may_add = request.user.has_perm("credits.add_personcredit")
    places = person.school_persons.exclude(push_state=PushState.DELETED).select_related("school")
    return Panel(
        "credits/person_panel.html",
        {
            "lines": [_line(credit) for credit in credits],
            "is_cut": len(credits) == CREDITS_SHOWN,
            "adds": [
                (place.school.name, f"{add}?school_person={place.pk}")
                for place in places
                if may_add
            ],
        },
    )


def _line(credit: PersonCredit) -> CreditLine:
    cells = cells_of(credit)
    return CreditLine(
        title=title_of(credit),
        under=under_title(credit),
        school=credit.school_person.school.name,
        school_year=credit.school_year_label,
        edit_url=edit_url(credit),
        status_url=status_url(credit),
        pill=status_pill(cells["status"]),
        cell=cells["cell"],
    )


def credits_of_school(request: HttpRequest, school: School) -> Panel | None:
    """The person credits of one school by what must happen; one query."""
    if not request.user.has_perm("credits.view_personcredit"):
        return None
    found = PersonCredit.objects.filter(school_person__school=school)
    shown: Any = found.exclude(push_state=PushState.DELETED).on(timezone.localdate())
    rows = shown.order_by().values_list("shown_status").annotate(rows=Count("pk"))
    counts: dict[Any, int] = {status: int(number) for status, number in rows}
    total = sum(counts.values())
    url = reverse("admin:credits_personcredit_changelist")
    lines = [
        GroupLine(
            label=group.label,
            count=number,
            percent=round(100 * number / total),
            url=f"{url}?group={key}&school={school.pk}",
        )
        for key, group in CreditGroupFilter.groups.items()
        if (number := sum(counts.get(status, 0) for status in group.statuses))
    ]
    return Panel("credits/school_panel.html", {"lines": lines, "total": total})


def register_pages() -> None:
    """Called once, when the admin is set up."""
    register_page(
        "person_credit",
        Page(
            url=lambda pk: reverse("admin:credits_personcredit_change", args=[pk]),
            counted=COUNTED_CREDITS,
            rules="personCredit",
            fields={"distributor_school_person_id": "school_person"},
        ),
    )
    register_page(
        "school_credit",
        Page(
            url=lambda pk: reverse("admin:credits_schoolcredit_change", args=[pk]),
            counted=COUNTED_CREDITS,
            rules="schoolCredit",
            fields={"organisation_id": "school"},
        ),
    )
    register_page(
        "credit_return",
        Page(
            url=lambda pk: reverse("admin:credits_creditreturn_change", args=[pk]),
            counted=COUNTED_RETURNS,
        ),
    )
    register_panel("person", credits_of_person)
    register_panel("school", credits_of_school)
