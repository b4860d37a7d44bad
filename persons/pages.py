"""Tells the outbox which pages belong to persons, persons at schools and schools."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from backoffice.screens.links import Page, register_page
from backoffice.screens.numbers import plural
from backoffice.screens.panels import register_panel
from persons.actions_panel import person_actions, school_person_actions


def register_pages() -> None:
    """Called once, when the admin is set up."""
    register_page(
        "person",
        Page(
            url=lambda pk: reverse("admin:persons_person_change", args=[pk]),
            counted=plural("%d person", "%d persons"),
            rules="person",
            fields={"eck_id": "new_eck_id"},
        ),
    )
    register_page(
        "schoolperson",
        Page(
            url=lambda pk: reverse("admin:persons_schoolperson_change", args=[pk]),
            counted=plural("%d person at a school", "%d persons at schools"),
            rules="schoolperson",
            fields={"organisation_id": "school", "distributor_person_id": "person"},
        ),
    )
    register_page(
        "school",
        Page(
            url=lambda key: (
                f"{reverse('admin:persons_school_changelist')}?"
                f"{urlencode({'organisation_id': key})}"
            ),
            counted=plural("%d school", "%d schools"),
        ),
    )
    register_page(
        "person_change",
        Page(
            url=lambda pk: reverse("admin:persons_personchange_change", args=[pk]),
            counted=plural("%d request", "%d requests"),
        ),
    )
    register_panel("person", person_actions)
    register_panel("schoolperson", school_person_actions)
