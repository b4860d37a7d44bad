"""What the tests of why have in common."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.desk.why_views import why_url
from backoffice.outbox.models import PushState
from credits.access_mends import first_day_of, last_day_of
from credits.models import PersonCredit
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolPersonFactory,
)

EAN = "9789001234562"


def sent(hours: float = 48) -> dict[str, Any]:
    at = timezone.now() - timedelta(hours=hours)
    return {"push_state": PushState.IN_SYNC, "push_changed_at": at, "registered_at": at}


def this_year() -> dict[str, Any]:
    today = timezone.localdate()
    first = first_day_of(today).year % 100
    return {
        "credit_start_date": first_day_of(today),
        "credit_end_date": last_day_of(today),
        "school_year": first * 100 + (first + 1) % 100,
    }


@pytest.fixture
def credit() -> PersonCredit:
    """All is in order with Sanne and her book."""
    ProductFactory()
    at = timezone.now() - timedelta(days=3)
    person = PersonFactory(user_id="u-1", user_id_changed_at=at, **sent())
    place = SchoolPersonFactory(person=person, **sent())
    return PersonCreditFactory(
        school_person=place,
        specification_state="Specified",
        specification_changed_at=timezone.now() - timedelta(days=1),
        **this_year(),
        **sent(),
    )


def url_of(credit: PersonCredit, name: str = "why_person") -> str:
    return why_url(credit.school_person.person_id, ean=credit.ean, name=name)


def verdict_in(page: str) -> str:
    found = re.search(r'data-verdict="(\w+)"', page)
    assert found is not None
    return found[1]


def page_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()
