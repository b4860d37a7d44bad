"""Pushing persons from their list, and the page of a school."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.outbox.models import Message, PushState
from persons.models import School
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.persons.admin.conftest import (
    PERSONS,
    SCHOOLS,
)

pytestmark = pytest.mark.django_db


# --- action --------------------------------------------------------------------------------------


def test_push_narrows_the_selection_and_tells_the_count(manager: Client) -> None:
    due = PersonFactory.create_batch(2)
    equal = PersonFactory(push_state=PushState.IN_SYNC, registered_at=timezone.now())
    asked = [row.pk for row in (*due, equal)]

    response = manager.post(
        PERSONS, {"action": "push_to_eduix", "_selected_action": asked}, follow=True
    )

    assert Message.objects.count() == 2
    told = str(next(iter(response.context["messages"])))
    assert "2" in told
    assert "1" in told


def test_pushing_twice_sends_once(manager: Client) -> None:
    person = PersonFactory()
    form = {"action": "push_to_eduix", "_selected_action": [person.pk]}

    manager.post(PERSONS, form)
    manager.post(PERSONS, form)

    assert Message.objects.count() == 1


def test_a_push_of_everything_takes_all_pages_and_waits_its_turn(manager: Client) -> None:
    people = PersonFactory.create_batch(60)

    manager.post(
        PERSONS,
        {
            "action": "push_to_eduix",
            "_selected_action": [people[0].pk],
            "select_across": "1",
            "index": "0",
        },
    )

    assert Message.objects.count() == 60
    assert set(Message.objects.values_list("priority", flat=True)) == {Message.Priority.BULK}


def test_a_get_never_pushes(manager: Client) -> None:
    person = PersonFactory()

    manager.get(PERSONS, {"action": "push_to_eduix", "_selected_action": str(person.pk)})

    assert not Message.objects.exists()


# --- schools -------------------------------------------------------------------------------------


def test_schools_show_their_numbers(manager: Client) -> None:
    place = SchoolPersonFactory(school__name="De Brug")
    PersonCreditFactory.create_batch(2, school_person=place)

    page = manager.get(SCHOOLS, {"q": "brug"}).content.decode()

    assert "De Brug" in page
    assert '<span class="num">1</span>' in page
    assert '<span class="num">2</span>' in page


def test_a_new_school_is_fetched_never_typed_in(manager: Client) -> None:
    response = manager.post(f"{SCHOOLS}add/", {"organisation_id": "97889c33-new"})

    message = Message.objects.get(operation="school.fetch")
    assert response["Location"] == f"{SCHOOLS}fetching/{message.pk}/"
    assert not School.objects.exists()
    waiting = manager.get(response["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' in waiting


def test_waiting_ends_at_the_school_once_it_is_there(manager: Client) -> None:
    manager.post(f"{SCHOOLS}add/", {"organisation_id": "97889c33-new"})
    message = Message.objects.get()
    school = SchoolFactory(organisation_id="97889c33-new")
    Message.objects.update(status="done")
    url = f"{SCHOOLS}fetching/{message.pk}/"
    there = reverse("admin:persons_school_change", args=[school.pk])

    assert manager.get(url)["Location"] == there
    assert manager.get(url, headers={"HX-Request": "true"})["HX-Redirect"] == there


def test_waiting_ends_with_words_when_edu_ix_does_not_know_the_school(manager: Client) -> None:
    manager.post(f"{SCHOOLS}add/", {"organisation_id": "97889c33-new"})
    Message.objects.update(status="done")

    page = manager.get(f"{SCHOOLS}fetching/{Message.objects.get().pk}/").content.decode()

    assert "hx-trigger" not in page
    assert f"{SCHOOLS}add/" in page


def test_a_school_that_is_here_already_is_shown(manager: Client) -> None:
    school = SchoolFactory()

    response = manager.post(f"{SCHOOLS}add/", {"organisation_id": school.organisation_id})

    assert response["Location"] == f"{SCHOOLS}{school.pk}/change/"
    assert not Message.objects.exists()


def test_too_long_a_school_id_is_refused_at_once(manager: Client) -> None:
    response = manager.post(f"{SCHOOLS}add/", {"organisation_id": "x" * 41})

    assert response.status_code == 200
    assert not Message.objects.exists()


def test_fetching_again_needs_a_post_and_the_right(manager: Client, reader: Client) -> None:
    school = SchoolFactory()
    url = f"{SCHOOLS}{school.pk}/fetch/"

    assert manager.get(url).url == f"{SCHOOLS}{school.pk}/change/"  # type: ignore[attr-defined]
    assert reader.post(url).status_code == 403
    assert Client().post(url).status_code == 302
    assert manager.post(url).status_code == 302
    assert Message.objects.get().operation == "school.fetch"


def test_what_edu_ix_tells_of_a_school_cannot_be_edited(manager: Client) -> None:
    school = SchoolFactory()

    manager.post(
        f"{SCHOOLS}{school.pk}/change/",
        {"name": "Anders", "contact_name": "Mw. De Wit", "contact_email": "", "contact_phone": ""},
    )

    school.refresh_from_db()
    assert school.name != "Anders"
    assert school.contact_name == "Mw. De Wit"
