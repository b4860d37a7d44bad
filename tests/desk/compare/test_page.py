"""The page of a comparison: polling, rights, queries, and the ways to it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Job
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message
from credits.models import PersonCredit
from persons.models import Person, School
from tests.credits.comparing.conftest import changed
from tests.desk.compare.conftest import check, url
from tests.factories import PersonCreditFactory, PersonFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_asking_again_polls_until_the_answer_is_there(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    person = credit.school_person.person

    client.post(f"{url(person)}ophalen/")

    waiting = client.get(url(person)).content.decode()
    assert "hx-get" in waiting
    drain_once(gateway=gateway)
    answered = client.get(f"{url(person)}stand/").content.decode()
    assert "hx-get" not in answered
    assert "is equal" in answered


@pytest.mark.parametrize("part", ["ophalen", "kiezen", "opnieuw", "verwijderd"])
def test_the_buttons_only_post(client: Client, part: str) -> None:
    assert client.get(f"{url(PersonFactory())}{part}/").status_code == 405


def test_a_reader_may_look_and_not_decide(conflict: Person) -> None:
    reader = Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))

    page = reader.get(url(conflict))

    assert page.status_code == 200
    assert 'type="radio"' not in page.content.decode()
    assert reader.post(f"{url(conflict)}kiezen/", {"all": "theirs"}).status_code == 403
    assert reader.post(f"{url(conflict)}ophalen/").status_code == 403


def test_a_stranger_sees_nothing(conflict: Person) -> None:
    stranger = Client()
    stranger.force_login(UserFactory())

    assert stranger.get(url(conflict)).status_code == 403
    assert stranger.get("/admin/vergelijken/verzoek/1/").status_code == 404


def test_the_number_of_queries_does_not_depend_on_what_hangs_below(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    person = credit.school_person.person
    check(person, gateway)

    def count() -> int:
        client.get(url(person))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(person)).status_code == 200
        return len(queries)

    one = count()
    PersonCreditFactory.create_batch(8, school_person=credit.school_person)

    assert count() == one


Page = Callable[[Person], str]


PLACES: dict[str, Page] = {
    "list": lambda person: "/admin/persons/person/",
    "form": lambda person: f"/admin/persons/person/{person.pk}/change/",
    "messages": lambda person: "/admin/outbox/message/",
    "message": lambda person: f"/admin/outbox/message/{Message.objects.get().pk}/change/",
    "workbench": lambda person: "/admin/",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_conflict_leads_to_this_page_from_everywhere(
    client: Client, conflict: Person, place: str
) -> None:
    assert url(conflict) in client.get(PLACES[place](conflict)).content.decode()


def test_the_page_of_a_credit_in_conflict_leads_here(client: Client, credit: PersonCredit) -> None:
    PersonCredit.objects.update(push_state="conflict")
    PersonCredit.objects.all().refresh_statuses()

    for page in (
        f"/admin/credits/personcredit/{credit.pk}/status/",
        "/admin/credits/personcredit/",
    ):
        assert url(credit, "person_credit") in client.get(page).content.decode()


def test_a_school_page_shows_its_credits(client: Client, school: School, gateway: Gateway) -> None:
    page = f"/admin/vergelijken/school/{school.pk}/"
    client.post(f"{page}ophalen/")
    drain_once(gateway=gateway)

    text = client.get(page).content.decode()

    assert "as Edu-iX holds them" in text
    assert (
        "/admin/vergelijken/school/"
        in client.get(f"/admin/persons/school/{school.pk}/change/").content.decode()
    )


def test_chosen_rows_are_compared_at_once_and_many_in_the_background(client: Client) -> None:
    persons = PersonFactory.create_batch(25, registered_at=timezone.now())

    def act(number: int) -> str:
        data = {
            "action": "compare_with_eduix",
            "_selected_action": [one.pk for one in persons[:number]],
        }
        return client.post("/admin/persons/person/", data, follow=True).content.decode()

    assert "3 persons are being compared" in act(3)
    assert Message.objects.count() == 3
    assert "0 of 25 rows are done." in act(25)
    assert Job.objects.get().total == 25


def test_theirs_names_a_school_that_we_lack(
    client: Client, credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    place = credit.school_person
    changed(sandbox, "schoolperson", place.distributor_school_person_id, organisationID="elders")
    check(place.person, gateway)

    text = client.get(url(place, "schoolperson")).content.decode()

    assert "We do not have the school that Edu-iX names." in text
    assert re.search(r'value="theirs" disabled', text)
