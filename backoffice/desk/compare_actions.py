"""Comparing chosen rows of a list with Edu-iX, and the button on a school's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.jobs.push_views import go_to
from backoffice.outbox.pushable import signed_in
from backoffice.screens.actions import ListAction, register_action
from backoffice.screens.numbers import with_number
from persons.comparing import compare_selection

# model -> its permission, and the lookups to the person or school that is asked for
LISTS: Final = {
    "persons.person": ("persons.change_person", "pk", ""),
    "persons.schoolperson": ("persons.change_schoolperson", "person_id", ""),
    "persons.school": ("persons.change_school", "", "organisation_id"),
    "credits.personcredit": ("credits.change_personcredit", "school_person__person_id", ""),
    "credits.schoolcredit": ("credits.change_schoolcredit", "", "school__organisation_id"),
}


def register_actions() -> None:
    """Called once at start."""
    for model, (permission, person, school) in LISTS.items():
        action = ListAction(
            "compare_with_eduix",
            gettext_lazy("Compare with Edu-iX"),
            permission,
            _comparing(person, school),
        )
        register_action(model, action)


def _comparing(
    person: str, school: str
) -> Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]:
    def run(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """Ask for everything the chosen rows belong to, each once; many are a job."""
        plain = rows.order_by()
        lookup = person or school
        keys = plain.values_list(lookup, flat=True)
        chosen = {"person_ids" if person else "organisation_ids": keys}
        job = compare_selection(
            **chosen, title=str(_("Compare with Edu-iX")), user=signed_in(request)
        )
        if job is not None:
            return go_to(request, job)
        told = _told(keys.distinct().count(), is_about_persons=bool(person))
        url = reverse("admin:drift")
        link = format_html('<a href="{}">{}</a>', url, _("What differs appears here"))
        messages.success(request, format_html("{} {}", told, link))
        return None

    return run


def _told(number: int, *, is_about_persons: bool) -> str:
    if is_about_persons:
        words = ngettext(
            "%d person is being compared now.", "%d persons are being compared now.", number
        )
    else:
        words = ngettext(
            "%d school is being compared now.", "%d schools are being compared now.", number
        )
    return with_number(words, number)
