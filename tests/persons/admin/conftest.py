"""What the tests of the pages of persons have in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backoffice.outbox.models import Message, PushState
from persons.models import Person
from persons.services import queue_person_push
from tests.clients import manager, signed_in

__all__ = ["manager", "signed_in"]

PERSONS = "/admin/persons/person/"
SCHOOLS = "/admin/persons/school/"
SCHOOL_PERSONS = "/admin/persons/schoolperson/"


@pytest.fixture
def reader() -> Client:
    return signed_in("Meelezer")


def refuse(row: Any, code: int, text: str = "") -> Message:
    """Put a row in the state that a refusal of Edu-iX leaves."""
    message = queue_person_push(person=row)
    Message.objects.filter(pk=message.pk).update(status="refused", code=code, text=text)
    type(row).objects.filter(pk=row.pk).update(
        push_state=PushState.REFUSED, push_code=code, push_text=text
    )
    row.refresh_from_db()
    message.refresh_from_db()
    return message


def form_of(person: Person, **changes: Any) -> dict[str, Any]:
    """What the browser posts for a person without schools."""
    values = {
        "distributor_person_id": person.distributor_person_id,
        "person_state": person.person_state,
        "first_name": person.first_name,
        "preposition": person.preposition,
        "surname": person.surname,
        "date_of_birth": "2012-03-04",
        "gender": person.gender,
        "email": person.email,
        "postal_code": person.postal_code,
        "house_number": person.house_number,
        "country_code": str(person.country_code),
        "new_eck_id": "",
        "school_persons-TOTAL_FORMS": "0",
        "school_persons-INITIAL_FORMS": "0",
        "_save": "1",
    }
    return values | changes
