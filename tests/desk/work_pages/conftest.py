"""What the tests of work_pages have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.work import WorkItem, work_items
from backoffice.outbox.models import PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import PersonCredit
from credits.status import CreditStatus
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


FAULT = {
    "status": CreditStatus.PUBLISHER_FAULT,
    "push_state": PushState.IN_SYNC,
    "specification_state": "Fault",
    "specification_changed_at": NOW,
    "publisher_error_code": 117,
}


@pytest.fixture(autouse=True)
def running() -> None:
    ServiceState.objects.update_or_create(service=SERVICE, defaults={"beat_at": timezone.now()})


@pytest.fixture
def browser() -> Callable[..., Client]:
    """A browser of a colleague in this group."""

    def sign_in(group: str = "Accountmanager", **columns: Any) -> Client:
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        client.force_login(UserFactory(groups=[group], **columns))
        return client

    return sign_in


def place(school: Any = None) -> Any:
    return SchoolPersonFactory(
        person=PersonFactory(push_state=PushState.IN_SYNC, registered_at=NOW),
        school=school or SchoolFactory(),
        push_state=PushState.IN_SYNC,
        registered_at=NOW,
    )


def faults(number: int = 1, school: Any = None, **columns: Any) -> list[PersonCredit]:
    pupil = place(school)
    return PersonCreditFactory.create_batch(
        number, school_person=pupil, registered_at=NOW, **(FAULT | columns)
    )


def unlinked(number: int = 1, school: Any = None) -> Any:
    pupil = place(school)
    PersonCreditFactory.create_batch(
        number,
        school_person=pupil,
        status=CreditStatus.WAITING_FOR_PREMATCH,
        push_state=PushState.IN_SYNC,
    )
    return pupil.school


def only() -> WorkItem:
    (item,) = work_items(now=timezone.now())
    return item


def page(client: Client, **asked: str) -> str:
    response = client.get(reverse("admin:work"), asked)
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, do: str, key: str = "", **given: Any) -> Any:
    data = {"doen": do, "item": key or only().key, **given}
    return client.post(reverse("admin:work_do"), data, follow=True)


def shown(client: Client, name: str = "mine") -> list[str]:
    response = client.get(reverse("admin:work"), {"lijst": name})
    return [line.item.key for line in response.context["lines"]]
