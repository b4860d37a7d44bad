"""The page of a bulk push, from the action of a list to the file of what did not arrive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import create_push_job, stop_push
from backoffice.jobs.work import work_on
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.trying import claim_due
from persons import sendable_admin
from persons.models import Person
from tests.factories import PersonFactory
from tests.jobs.views.conftest import colleague, text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/persons/person/"
Result = JobRow.Result


def english(*permissions: str) -> Client:
    """Somebody with these rights, whose browser chose English."""
    client = colleague(*permissions)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


@pytest.fixture
def sender() -> Client:
    return english("persons.view_person", "persons.push_person")


def act(client: Client, **more: str) -> Any:
    pks = [str(pk) for pk in Person.objects.values_list("pk", flat=True)]
    data = {"action": "push_to_eduix", "index": "0", "select_across": "1"}
    return client.post(LIST, {**data, "_selected_action": pks[:1], **more})


def ended(refused: int = 1) -> Job:
    """A push of two rows that arrived and one that Edu-iX refused."""
    PersonFactory.create_batch(2, push_state=PushState.IN_SYNC, registered_at=timezone.now())
    bad = PersonFactory(distributor_person_id="=K1", postal_code="9999 XX")
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")
    work_on(job)
    Message.objects.update(status=Message.Status.REFUSED, code=-4967, text="postalCode")
    Job.objects.update(lease_until=None)
    work_on(job)
    assert job.rows.get(key=f"person:{bad.pk}").result == Result.REFUSED
    return job


def test_many_rows_of_a_list_become_a_job_and_few_do_not(sender: Client) -> None:
    PersonFactory.create_batch(3)
    with patch.object(sendable_admin, "AT_ONCE", 4):
        act(sender)
    assert not Job.objects.exists()
    assert Message.objects.count() == 3

    PersonFactory()
    with patch.object(sendable_admin, "AT_ONCE", 4):
        answer = act(sender)

    job = Job.objects.get()
    assert answer.url == reverse("admin:push_job", args=[job.pk])
    assert (job.total, Message.objects.count()) == (4, 3)
    page = sender.get(answer.url)
    assert "0 of 4 rows are done." in text_of(page)


def test_a_large_push_asks_for_its_number(sender: Client) -> None:
    PersonFactory.create_batch(4)
    with (
        patch.object(sendable_admin, "AT_ONCE", 2),
        patch.object(sendable_admin, "TYPED_FROM", 3),
    ):
        asked = act(sender)
        wrong = act(sender, aantal="3")
        assert not Job.objects.exists()
        right = act(sender, aantal="4")

    assert (asked.status_code, wrong.status_code, right.status_code) == (200, 422, 302)
    assert 'name="select_across" value="1"' in asked.content.decode()
    assert Job.objects.get().total == 4


def test_each_row_tells_what_to_do_and_the_file_holds_the_same(sender: Client) -> None:
    job = ended()

    page = text_of(sender.get(reverse("admin:push_job", args=[job.pk])))
    file = b"".join(sender.get(reverse("admin:push_failed", args=[job.pk])))

    lines = file.decode("utf-8-sig").splitlines()
    assert "1 is not: below stands why" in page
    assert "code 4967" in page
    assert len(lines) == 2
    assert lines[1].startswith("'=K1;Refused;4967;")  # no spreadsheet calculates it
    title = lines[1].split(";")[3].strip('"')
    assert title
    assert title in page


def test_the_page_costs_the_same_queries_however_many_rows(
    sender: Client, django_assert_max_num_queries: Any
) -> None:
    PersonFactory.create_batch(60)
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")
    work_on(job, seconds=0)
    url = reverse("admin:push_job", args=[job.pk])
    sender.get(url)

    with django_assert_max_num_queries(25):
        sender.get(url, {"result": "all"})


def test_the_moving_part_ends_when_the_push_does(sender: Client) -> None:
    PersonFactory()
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")
    url = reverse("admin:push_progress", args=[job.pk])

    assert "hx-get" in sender.get(url).content.decode()
    sender.post(reverse("admin:push_stop", args=[job.pk]))
    assert sender.get(url).headers["HX-Refresh"] == "true"
    assert "Stopped." in text_of(sender.get(reverse("admin:push_job", args=[job.pk])))

    sender.post(reverse("admin:push_resume", args=[job.pk]))
    assert Job.objects.get().status == Job.Status.RUNNING


def test_a_bar_that_stands_still_tells_of_a_sender_that_vanished(sender: Client) -> None:
    PersonFactory.create_batch(3)
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")
    work_on(job, seconds=0)
    claimed = claim_due(2)
    url = reverse("admin:push_progress", args=[job.pk])

    assert "under way for long" not in text_of(sender.get(url))  # a moment ago: nothing is wrong

    since = timezone.now() - timedelta(seconds=50)
    until = since + timedelta(seconds=settings.EDUIX_LEASE_SECONDS)
    Message.objects.filter(pk__in=[one.pk for one in claimed]).update(lease_until=until)
    at = timezone.localtime(until).strftime("%H:%M:%S")
    assert (
        "2 messages are under way for long; perhaps the process that sends was ended. "
        f"At {at} Edu-iX is asked about them" in text_of(sender.get(url))
    )


def test_who_asked_is_told_once_on_the_next_page(sender: Client) -> None:
    PersonFactory()
    with patch.object(sendable_admin, "AT_ONCE", 1):
        act(sender)
    home = reverse("admin:index")
    assert "rows are at Edu-iX" not in sender.get(home).content.decode()
    Job.objects.update(status=Job.Status.DONE, summary={"kinds": ["person"], "counts": {"sent": 2}})

    page = sender.get(home).content.decode()

    assert "2 rows are at Edu-iX" in page
    assert reverse("admin:push_job", args=[Job.objects.get().pk]) in page
    assert "2 rows are at Edu-iX" not in sender.get(home).content.decode()


def test_who_signed_in_anew_is_told_what_ended_meanwhile_and_once(sender: Client) -> None:
    PersonFactory()
    with patch.object(sendable_admin, "AT_ONCE", 1):
        act(sender)
    job = Job.objects.get()
    Job.objects.update(
        status=Job.Status.DONE,
        finished_at=timezone.now(),
        summary={"kinds": ["person"], "counts": {"sent": 2}},
    )
    assert job.created_by is not None
    again, third, other = Client(), Client(), english("persons.view_person")
    for client in (again, third):
        client.force_login(job.created_by)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    assert "2 rows are at Edu-iX" not in other.get("/admin/").content.decode()
    assert "2 rows are at Edu-iX" in again.get("/admin/").content.decode()
    for client in (again, third, sender):
        assert "2 rows are at Edu-iX" not in client.get("/admin/").content.decode()


def test_what_ended_long_ago_is_no_news(sender: Client) -> None:
    PersonFactory()
    with patch.object(sendable_admin, "AT_ONCE", 1):
        act(sender)
    Job.objects.update(status=Job.Status.DONE, finished_at=timezone.now() - timedelta(days=8))
    user = Job.objects.get().created_by
    assert user is not None
    client = Client()
    client.force_login(user)

    assert reverse("admin:push_job", args=[Job.objects.get().pk]) not in (
        client.get("/admin/").content.decode()
    )


def test_who_waits_for_nothing_asks_nothing(sender: Client) -> None:
    sender.get("/admin/persons/person/")

    with CaptureQueriesContext(connection) as queries:
        sender.get("/admin/persons/person/")

    assert not [one for one in queries if "jobs_job" in one["sql"]]


@pytest.mark.parametrize("rights", [("jobs.add_job",), ("credits.push_personcredit",)])
def test_who_may_not_send_these_rows_neither_sees_nor_steers(rights: tuple[str, ...]) -> None:
    PersonFactory()
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")
    client = english(*rights)

    for name in ("job", "progress", "failed"):
        assert client.get(reverse(f"admin:push_{name}", args=[job.pk])).status_code == 403
    for name in ("stop", "resume"):
        assert client.post(reverse(f"admin:push_{name}", args=[job.pk])).status_code == 403
    assert Job.objects.get().status == Job.Status.RUNNING
    if "jobs.add_job" in rights:
        assert "Send persons" not in client.get("/admin/importeren/").content.decode()
        assert client.post(reverse("admin:import_cancel", args=[job.pk])).status_code == 404


def test_imports_and_pushes_stand_in_one_list() -> None:
    job = ended()
    client = english("jobs.add_job", "persons.push_person")

    page = client.get("/admin/importeren/")

    assert reverse("admin:push_job", args=[job.pk]) in page.content.decode()
    assert "1 refused" in text_of(page)
    old = client.get(reverse("admin:import_job", args=[job.pk]))
    assert old.url == reverse("admin:push_job", args=[job.pk])  # type: ignore[attr-defined]


def test_steering_takes_a_post(sender: Client) -> None:
    PersonFactory()
    job = create_push_job(parts=[("person", Person.objects.all())], title="Send persons")

    for name in ("stop", "resume"):
        assert sender.get(reverse(f"admin:push_{name}", args=[job.pk])).status_code == 405
    assert stop_push(job=job)
