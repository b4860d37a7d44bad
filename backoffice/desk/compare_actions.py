"""Comparing chosen rows of a list with Edu-iX, and the button on a school's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.outbox.pushable import signed_in
from backoffice.screens.actions import ListAction, register_action
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


def _comparing(person: str, school: str) -> Callable[[Any, HttpRequest, QuerySet[Any]], None]:
    def run(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Ask for everything the chosen rows belong to, each once."""
        plain = rows.order_by()
        persons = list(plain.values_list(person, flat=True).distinct()) if person else []
        schools = list(plain.values_list(school, flat=True).distinct()) if school else []
        started = compare_selection(
            person_ids=persons, organisation_ids=schools, user=signed_in(request)
        )
        number = len(persons) + len(schools)
        told = (
            ngettext("%d person is being compared", "%d persons are being compared", number)
            if person
            else ngettext("%d school is being compared", "%d schools are being compared", number)
        ) % number
        words = _("in the background") if started is not None else _("now")
        link = format_html(
            '<a href="{}">{}</a>', reverse("admin:drift"), _("What differs appears here")
        )
        messages.success(request, format_html("{} {}. {}", told, words, link))

    return run
