"""Comparing chosen rows, a school or a sample: from the list to the file of what needs a look."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import CheckRun, Job, JobRow
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import PushState
from persons import comparing
from persons.models import Person
from persons.services import queue_person_push
from tests.credits.comparing.conftest import changed
from tests.factories import PersonFactory, SchoolFactory, UserFactory
from tests.jobs.views.conftest import text_of
from tests.jobs.working import work_off
from tests.outbox.conftest import SCHOOL, gateway, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db

LIST = "/admin/persons/person/"
DRIFT = "/admin/afwijkingen/"


def english(group: str) -> Client:
    made = Client()
    made.cookies["django_language"] = "en"
    made.force_login(UserFactory(groups=[group]))
    return made


@pytest.fixture
def client() -> Client:
    return english("Accountmanager")


@pytest.fixture
def persons(gateway: Gateway) -> list[Person]:
    """Two that Edu-iX holds, and one that was never sent."""
    made = PersonFactory.create_batch(3)
    for person in made[:2]:
        queue_person_push(person=person)
    drain_once(gateway=gateway)
    return made


def compare(client: Client, at_once: int = 1) -> Any:
    pks = [str(pk) for pk in Person.objects.values_list("pk", flat=True)]
    data = {"action": "compare_with_eduix", "index": "0", "_selected_action": pks}
    with patch.object(comparing, "AT_ONCE", at_once):
        return client.post(LIST, data)


def page_of(job: Job, name: str = "job") -> str:
    return reverse(f"admin:push_{name}", args=[job.pk])


def test_each_of_a_selection_tells_what_it_came_to(
    client: Client, persons: list[Person], sandbox: SandboxServer, gateway: Gateway
) -> None:
    equal, differs, own = persons
    changed(sandbox, "person", differs.distributor_person_id, surname="Anders")
    answer = compare(client)
    job = Job.objects.get()
    assert answer["Location"] == page_of(job)
    assert "0 of 3 rows are done." in text_of(client.get(page_of(job)))
    assert "hx-get" in client.get(page_of(job, "progress")).content.decode()

    drain_once(gateway=gateway)
    work_off(job)

    elsewhere = text_of(client.get(LIST))
    assert "Ready. 3 were compared, 1 needs a look: below stands why." in elsewhere
    assert "were compared" not in text_of(client.get(LIST))
    first = client.get(page_of(job)).content.decode()
    assert reverse("admin:compare", args=["person", differs.pk]) in first
    assert "1 row differs" in first
    assert equal.distributor_person_id not in first  # what needs somebody opens first
    whole = text_of(client.get(page_of(job), {"result": "all"}))
    assert all(one.distributor_person_id in whole for one in (equal, differs, own))
    assert "Nothing of it counts as equal until it is sent." in whole
    lines = b"".join(client.get(page_of(job, "failed"))).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"{differs.distributor_person_id};Differs from Edu-iX;;")
    assert "Compare with Edu-iX" in text_of(client.get(DRIFT))
    assert page_of(job) in client.get(DRIFT).content.decode()


def test_a_school_and_a_sample_go_to_their_own_page_and_everything_does_not(
    client: Client, persons: list[Person]
) -> None:
    school = SchoolFactory(organisation_id=SCHOOL["organisationID"])

    for data in ({"school": school.organisation_id}, {"sample": "2"}):
        answer = client.post(f"{DRIFT}vergelijken/", data)
        assert answer["Location"] == page_of(Job.objects.latest("pk"))
    assert [job.total for job in Job.objects.order_by("pk")] == [1, 2]
    assert not CheckRun.objects.exists()
    assert client.post(f"{DRIFT}vergelijken/", {})["Location"] == DRIFT
    assert CheckRun.objects.get().scope == "all"


def test_who_may_only_look_does_not_stop_it(client: Client, persons: list[Person]) -> None:
    compare(client)
    job = Job.objects.get()
    reader, stranger = english("Meelezer"), english("Beheerder")
    stranger.logout()

    page = reader.get(page_of(job))

    assert page.status_code == 200
    assert page_of(job, "stop") not in page.content.decode()
    assert page_of(job, "stop") in client.get(page_of(job)).content.decode()
    assert reader.post(page_of(job, "stop")).status_code == 403
    assert reader.post(page_of(job, "resume")).status_code == 403
    assert stranger.get(page_of(job)).status_code == 302
    client.post(page_of(job, "stop"))
    assert Job.objects.get().status == Job.Status.CANCELLED
    assert "Stopped. 0 were compared, 3 were not." in text_of(client.get(page_of(job)))
    client.post(page_of(job, "resume"))
    assert Job.objects.get().status == Job.Status.RUNNING


def test_the_page_takes_as_many_queries_however_many_there_are(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    PersonFactory.create_batch(60, push_state=PushState.IN_SYNC)
    compare(client)
    job = Job.objects.get()
    JobRow.objects.update(result=JobRow.Result.EQUAL)
    client.get(page_of(job))

    with django_assert_max_num_queries(25):
        client.get(page_of(job), {"result": "all"})
