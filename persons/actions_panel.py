"""What more can be done with a person, and what was asked before: a part of its page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backoffice.screens.panels import Panel
from persons.change_admin import change_pill
from persons.change_models import PersonChange
from persons.models import Person, SchoolPerson

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SHOWN = 20
OF_PERSON: tuple[tuple[_StrOrPromise, str], ...] = (
    (_("Merge with another"), "person_merge"),
    (_("Other customer number"), "person_rename"),
    (_("Delete this person"), "person_remove"),
)
OF_SCHOOL_PERSON: tuple[tuple[_StrOrPromise, str], ...] = (
    (_("To another school"), "schoolperson_move"),
    (_("Delete from this school"), "schoolperson_remove"),
)


def person_actions(request: HttpRequest, person: Person) -> Panel | None:
    """On the page of a person."""
    actions = _links(OF_PERSON, person.pk) if request.user.has_perm("persons.push_person") else []
    return _panel(actions, PersonChange.objects.about(person.pk))


def school_person_actions(request: HttpRequest, place: SchoolPerson) -> Panel | None:
    """On the page of a person at a school."""
    allowed = request.user.has_perm("persons.push_schoolperson")
    actions = _links(OF_SCHOOL_PERSON, place.pk) if allowed else []
    return _panel(actions, PersonChange.objects.filter(school_person=place))


def _links(
    actions: Iterable[tuple[_StrOrPromise, str]], pk: int
) -> list[tuple[_StrOrPromise, str]]:
    return [(label, reverse(f"admin:persons_{name}", args=[pk])) for label, name in actions]


def _panel(
    actions: list[tuple[_StrOrPromise, str]], changes: QuerySet[PersonChange]
) -> Panel | None:
    asked = [
        (
            change,
            change_pill(change),
            reverse("admin:persons_personchange_change", args=[change.pk]),
        )
        for change in changes.select_related("created_by").order_by("-pk")[:SHOWN]
    ]
    if not actions and not asked:
        return None
    return Panel("persons/actions_panel.html", {"actions": actions, "changes": asked})
