"""From the form of a school to its report: one line under the form."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from backoffice.desk.report_views import LOOK
from backoffice.screens.panels import Panel, register_panel
from persons.models import School

TEMPLATE = "desk/_report_panel.html"


def register_report_panel() -> None:
    """Called once, when the roof is set up."""
    register_panel("school", _of_school)


def _of_school(request: HttpRequest, school: School) -> Panel | None:
    if not request.user.has_perms(LOOK):
        return None
    return Panel(TEMPLATE, reverse("admin:school_report", args=[school.pk]))
