"""From the form of a person, a place or a credit to "why no access?": one line under the form."""

from __future__ import annotations

from django.http import HttpRequest

from backoffice.desk.why_views import PERMISSIONS, why_url
from backoffice.screens.panels import Panel, register_panel
from credits.models import PersonCredit
from persons.models import Person, SchoolPerson

TEMPLATE = "desk/_why_panel.html"


def register_why_panels() -> None:
    """Called once, when the roof is set up."""
    register_panel("person", _of_person)
    register_panel("schoolperson", _of_place)
    register_panel("person_credit", _of_credit)


def _panel(request: HttpRequest, person_id: int, ean: str = "") -> Panel | None:
    if not request.user.has_perms(PERMISSIONS):
        return None
    return Panel(TEMPLATE, why_url(person_id, ean=ean))


def _of_person(request: HttpRequest, person: Person) -> Panel | None:
    return _panel(request, person.pk)


def _of_place(request: HttpRequest, place: SchoolPerson) -> Panel | None:
    return _panel(request, place.person_id)


def _of_credit(request: HttpRequest, credit: PersonCredit) -> Panel | None:
    return _panel(request, credit.school_person.person_id, credit.ean)
