"""What the tests of compare have in common."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from persons.comparing import queue_check
from persons.fetching import person_check
from persons.models import Person
from persons.services import queue_person_push
from tests.credits.comparing.conftest import changed, credit, school
from tests.factories import PersonFactory, UserFactory
from tests.outbox.conftest import gateway, sandbox

__all__ = ["credit", "gateway", "sandbox", "school"]


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    made = Client(headers={"accept-language": "en"})
    made.cookies["django_language"] = "en"
    made.force_login(UserFactory(groups=["Accountmanager"]))
    return made


def url(row: Any, kind: str = "person") -> str:
    return f"/admin/vergelijken/{kind}/{row.pk}/"


def token_on(page: Any) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def check(person: Person, gateway: Gateway) -> None:
    queue_check(wanted=person_check(person.pk, person.distributor_person_id))
    drain_once(gateway=gateway)


def at_edu_ix(gateway: Gateway, person: Person) -> Any:
    found = gateway.get_person(distributor_person_id=person.distributor_person_id)
    return found.person if found is not None else None


@pytest.fixture
def conflict(gateway: Gateway, sandbox: SandboxServer) -> Person:
    """A person whose key exists at Edu-iX with another surname and postal code."""
    person = PersonFactory()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    changed(sandbox, "person", person.distributor_person_id, surname="Anders", postalCode="9711 AA")
    Person.objects.update(registered_at=None, push_state="local_only")
    Message.objects.all().delete()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    person.refresh_from_db()
    assert person.push_state == PushState.CONFLICT
    return person
