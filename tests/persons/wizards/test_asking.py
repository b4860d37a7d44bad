"""Who may ask for such a change, how, and what becomes of the requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Message
from persons.models import Person, PersonChange, SchoolPerson
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)
from tests.persons.given import known_person, rename, send
from tests.persons.wizards.conftest import address

pytestmark = pytest.mark.django_db


WIZARDS = ["person_merge", "person_rename", "person_remove"]


AT_SCHOOL = ["schoolperson_move", "schoolperson_remove"]


@pytest.fixture
def reader() -> Client:
    client = Client()
    client.force_login(UserFactory(groups=["Meelezer"]))
    return client


# --- rights, methods, strangers ------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WIZARDS, *AT_SCHOOL])
def test_looking_changes_nothing_and_a_reader_may_not_look(
    manager: Client, reader: Client, name: str
) -> None:
    place = SchoolPersonFactory()
    url = address(name, place.pk if name in AT_SCHOOL else place.person.pk)

    assert manager.get(url).status_code == 200
    assert reader.get(url).status_code == 403
    assert reader.post(url, {"reason": "x", "_yes": "1"}).status_code == 403
    assert manager.put(url).status_code == 405
    assert Client().get(url).status_code == 302
    assert not PersonChange.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", WIZARDS)
def test_a_deleted_person_has_no_wizards(manager: Client, name: str) -> None:
    person = PersonFactory(push_state="deleted")

    assert manager.get(address(name, person.pk)).status_code == 404
    assert manager.get(address(name, 987654)).status_code == 404


def test_a_form_without_a_reason_says_so(manager: Client) -> None:
    person = PersonFactory()

    page = manager.post(address("person_rename", person.pk), {"to_key": "N", "reason": " "})

    assert 'class="errorlist"' in page.content.decode()
    assert not PersonChange.objects.exists()


# --- the requests --------------------------------------------------------------------------------


def refused_rename(gateway: Gateway, sandbox: SandboxServer) -> PersonChange:
    change = rename(known_person(gateway), "NIEUW")
    sandbox.control.trouble("fault", "updatePersonID", code=7328)
    send(gateway, change)
    return change


def test_a_refused_request_explains_itself_and_can_be_tried_again(
    manager: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    change = refused_rename(gateway, sandbox)
    url = address("personchange_change", change.pk)
    assert "7328" in manager.get(url).content.decode()

    manager.post(address("personchange_again", change.pk))
    send(gateway, change)

    assert change.applied_at is not None
    assert "7328" not in manager.get(url).content.decode()


def test_a_refused_request_can_be_withdrawn_and_only_by_who_may_push(
    manager: Client, reader: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    change = refused_rename(gateway, sandbox)
    url = address("personchange_withdraw", change.pk)

    assert reader.post(url).status_code == 403
    assert manager.post(url).status_code == 302
    change.refresh_from_db()
    assert change.withdrawn_at is not None
    assert manager.post(address("personchange_again", change.pk)).status_code == 302
    assert not Message.objects.open().exists()


@pytest.mark.parametrize("name", ["personchange_again", "personchange_withdraw"])
def test_the_address_of_a_button_leads_to_its_page(manager: Client, name: str) -> None:
    change = rename(PersonFactory(), "NIEUW")
    url = address(name, change.pk)

    assert manager.get(url).url == address("personchange_change", change.pk)  # type: ignore[attr-defined]
    assert manager.put(url).status_code == 405


def test_the_address_of_fetch_again_leads_to_the_school(manager: Client) -> None:
    school = SchoolFactory()

    answer = manager.get(f"/admin/persons/school/{school.pk}/fetch/")

    assert answer.url == f"/admin/persons/school/{school.pk}/change/"  # type: ignore[attr-defined]
    assert not Message.objects.exists()


def test_a_method_that_is_not_allowed_gets_a_page(manager: Client) -> None:
    answer = manager.get("/admin/weer-sturen/")

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert b"<h1>" in answer.content


def test_requests_stand_in_a_list_and_on_the_person(
    manager: Client, reader: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    change = refused_rename(gateway, sandbox)

    for client in (manager, reader):
        listed = client.get("/admin/persons/personchange/").content.decode()
        assert change.reason in listed
        assert "7328" in listed
        person = client.get(f"/admin/persons/person/{change.person_id}/change/").content.decode()
        assert change.reason in person
    assert (
        "/merge/"
        in manager.get(f"/admin/persons/person/{change.person_id}/change/").content.decode()
    )


def test_a_refused_request_stands_on_the_workbench(
    manager: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    change = refused_rename(gateway, sandbox)

    page = manager.get("/admin/").content.decode()

    assert address("personchange_change", change.pk) in page


def test_a_number_is_refused_in_the_form_when_it_is_taken_or_promised(
    manager: Client, gateway: Gateway
) -> None:
    from tests.persons.admin.conftest import form_of

    rename(known_person(gateway, distributor_person_id="VAST"), "BELOOFD")
    PersonFactory(distributor_person_id="WEG", push_state="deleted")
    template = PersonFactory.build()

    def added(number: str) -> int:
        form = form_of(template, distributor_person_id=number)
        return manager.post("/admin/persons/person/add/", form).status_code

    assert [added(number) for number in ("VAST", "BELOOFD", "WEG")] == [200, 200, 302]
    assert Person.objects.filter(distributor_person_id="WEG").count() == 2


def test_two_new_places_with_one_number_are_an_error_and_no_crash(manager: Client) -> None:
    from tests.persons.admin.conftest import form_of

    person, school = PersonFactory(), SchoolFactory()
    rows: dict[str, Any] = {"school_persons-TOTAL_FORMS": "2"}
    for at in (0, 1):
        rows |= {
            f"school_persons-{at}-person": person.pk,
            f"school_persons-{at}-school": school.pk,
            f"school_persons-{at}-role": "Student",
            f"school_persons-{at}-school_student_number": "",
            f"school_persons-{at}-distributor_school_person_id": "SP-DUBBEL",
        }

    answer = manager.post(f"/admin/persons/person/{person.pk}/change/", form_of(person, **rows))

    assert answer.status_code == 200
    assert not SchoolPerson.objects.exists()


def test_a_long_list_of_credits_costs_no_more_queries(
    manager: Client, gateway: Gateway, django_assert_max_num_queries: Any
) -> None:
    place = SchoolPersonFactory()
    PersonCreditFactory.create_batch(30, school_person=place)
    manager.get("/admin/")

    with django_assert_max_num_queries(25):
        manager.get(address("person_remove", place.person_id))
