"""What the tests of report have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.report import Report, report_on
from backoffice.outbox.models import PushState
from credits.access_mends import first_day_of, last_day_of
from credits.models import PersonCredit
from persons.models import School, SchoolPerson
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

SignIn = Callable[..., Client]


LOOK = ("persons.view_person", "credits.view_personcredit", "persons.view_school")


OTHER = "9789006234561"


def sent(**columns: Any) -> dict[str, Any]:
    at = timezone.now() - timedelta(hours=48)
    return {"push_state": PushState.IN_SYNC, "push_changed_at": at, "registered_at": at, **columns}


def this_year() -> dict[str, Any]:
    today = timezone.localdate()
    first = first_day_of(today).year % 100
    return {
        "credit_start_date": first_day_of(today),
        "credit_end_date": last_day_of(today),
        "school_year": first * 100 + (first + 1) % 100,
    }


def pupil_at(school: School, linked: bool = True, **columns: Any) -> SchoolPerson:
    """At Edu-iX with a place; linked unless a test says otherwise."""
    person = PersonFactory(user_id="u" if linked else "", **sent(**columns))
    return SchoolPersonFactory(person=person, school=school, **sent())


def credit_at(place: SchoolPerson, **columns: Any) -> PersonCredit:
    given = {"specification_state": "Specified", **sent(), **this_year(), **columns}
    return PersonCreditFactory(school_person=place, **given)


@pytest.fixture
def school() -> School:
    """One pupil in order, two without a link, one refused, one without any credit."""
    ProductFactory()
    found = SchoolFactory(name="De Brug", contact_email="coordinator@brug.example")
    credit_at(pupil_at(found))
    for _each in range(2):
        credit_at(pupil_at(found, linked=False))
    credit_at(pupil_at(found, push_state=PushState.REFUSED, push_code=-4967))
    pupil_at(found)
    return found


def made(school: School) -> Report:
    return report_on(school, day=timezone.localdate(), now=timezone.now())


def url_of(school: School, name: str = "school_report", *more: str) -> str:
    return reverse(f"admin:{name}", args=[school.pk, *more])
