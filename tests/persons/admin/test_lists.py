"""Lists of persons: what is found, counted and shown, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backoffice.outbox.models import Message, PushState
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolPersonFactory,
)
from tests.persons.admin.conftest import (
    PERSONS,
    SCHOOL_PERSONS,
    SCHOOLS,
    form_of,
    refuse,
    signed_in,
)

pytestmark = pytest.mark.django_db


# --- lists ---------------------------------------------------------------------------------------


def test_the_list_shows_name_school_prematch_state_and_credits(manager: Client) -> None:
    place = SchoolPersonFactory(person__user_id="portal-1", school__name="De Brug")
    PersonCreditFactory(school_person=place)

    page = manager.get(PERSONS).content.decode()

    assert "Sanne van den Berg" in page
    assert "De Brug" in page
    assert place.school_student_number in page
    assert '<span class="num">1</span>' in page
    assert 'class="pill ok"' in page


def test_the_explanation_stands_beside_a_refused_person(manager: Client) -> None:
    person = PersonFactory()
    refuse(person, -4967, "postalCode is not found")

    page = manager.get(PERSONS).content.decode()

    assert f"/admin/persons/person/{person.pk}/change/#id_postal_code" in page
    assert "4967" in page
    assert 'class="pill bad"' in page


@pytest.mark.parametrize("path", [PERSONS, SCHOOLS, SCHOOL_PERSONS])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    manager: Client, path: str, django_assert_max_num_queries: Any
) -> None:
    def fill(rows: int) -> None:
        for place in SchoolPersonFactory.create_batch(rows):
            refuse(place.person, 4967)

    fill(10)
    manager.get(path)  # the first page also writes the session
    few = count_queries(manager, path)
    fill(30)
    many = count_queries(manager, path)

    assert few == many
    assert many <= 25


def count_queries(client: Client, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("words", ["berg sanne", "Sanne van den Berg", "den", "BERG"])
def test_a_person_is_found_by_names_in_any_order(manager: Client, words: str) -> None:
    PersonFactory()
    PersonFactory(first_name="Yusuf", preposition="", surname="Öztürk")

    page = manager.get(PERSONS, {"q": words}).content.decode()

    assert "Sanne van den Berg" in page
    assert "Öztürk" not in page


def test_letters_beyond_a_to_z_are_found_whatever_their_case(manager: Client) -> None:
    PersonFactory(first_name="Yusuf", preposition="", surname="Öztürk")

    assert "Yusuf Öztürk" in manager.get(PERSONS, {"q": "öztürk"}).content.decode()


def test_a_person_is_found_by_each_of_the_keys(manager: Client) -> None:
    place = SchoolPersonFactory(
        school_student_number="77123", person__email="unique@example.nl", person__user_id="u-9"
    )
    PersonFactory(first_name="Ander", distributor_person_id="K-other")

    for typed in (
        "77123",
        "unique@example.nl",
        "u-9",
        place.person.distributor_person_id.lower(),
        place.distributor_school_person_id,
    ):
        page = manager.get(PERSONS, {"q": typed}).content.decode()
        assert "Sanne van den Berg" in page, typed
        assert "K-other" not in page, typed


def test_somebody_at_two_schools_stands_in_the_list_once(manager: Client) -> None:
    person = PersonFactory()
    first, _second = SchoolPersonFactory.create_batch(2, person=person)

    page = manager.get(PERSONS, {"school": first.school_id}).content.decode()

    assert page.count('name="_selected_action"') == 1


def test_chips_divide_the_list(manager: Client) -> None:
    PersonFactory()
    refused = PersonFactory(first_name="Refused")
    refuse(refused, 4967)

    everything = manager.get(PERSONS)
    page = manager.get(PERSONS, {"group": "attention"}).content.decode()

    assert [chip.count for chip in everything.context["cl"].chips] == [2, 1, 1, 0, 0]
    assert "Refused" in page
    assert "Sanne van den Berg" not in page


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [("prematch", "linked", 1), ("prematch", "eck", 1), ("prematch", "none", 1), ("role", "x", 0)],
)
def test_filters_divide_the_list(
    manager: Client, parameter: str, value: str, expected: int
) -> None:
    PersonFactory(user_id="u")
    PersonFactory(eck_id="e" * 128)
    PersonFactory()

    page = manager.get(PERSONS, {parameter: value}).content.decode()

    assert page.count('name="_selected_action"') == expected


def test_a_deleted_person_stands_in_no_list(manager: Client) -> None:
    PersonFactory(push_state=PushState.DELETED)

    assert "Sanne" not in manager.get(PERSONS).content.decode()


@pytest.mark.parametrize("path", [PERSONS, SCHOOLS, SCHOOL_PERSONS])
@pytest.mark.parametrize(
    "lookup",
    ["eck_id__startswith", "email__contains", "user_id", "person__eck_id__gt", "contact_email"],
)
def test_hidden_columns_cannot_be_asked_for(manager: Client, path: str, lookup: str) -> None:
    assert manager.get(path, {lookup: "a"}).status_code == 400


def test_names_are_shown_as_text_never_as_markup(manager: Client) -> None:
    evil = "<script>alert(1)</script>"
    place = SchoolPersonFactory(person__surname=evil, school__name=evil)
    refuse(place.person, 4967, evil)

    for path in (PERSONS, SCHOOLS, SCHOOL_PERSONS, f"{PERSONS}{place.person_id}/change/"):
        page = manager.get(path).content.decode()
        assert evil not in page, path
        assert "&lt;script&gt;" in page, path


def test_persons_at_schools_stand_in_no_navigation(manager: Client) -> None:
    page = manager.get(PERSONS).content.decode()

    assert SCHOOL_PERSONS not in page


# --- rights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PERSONS, SCHOOLS, SCHOOL_PERSONS, f"{SCHOOLS}add/"])
def test_a_stranger_must_sign_in(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_a_colleague_without_a_group_sees_nothing() -> None:
    nobody = signed_in()

    assert nobody.get(PERSONS).status_code == 403
    assert nobody.get(f"{SCHOOLS}add/").status_code == 403


def test_a_reader_looks_and_changes_nothing(reader: Client) -> None:
    person = PersonFactory()

    page = reader.get(f"{PERSONS}{person.pk}/change/").content.decode()
    answer = reader.post(f"{PERSONS}{person.pk}/change/", form_of(person, surname="Anders"))

    assert 'name="_save"' not in page
    assert 'name="_push"' not in page
    assert answer.status_code == 403
    person.refresh_from_db()
    assert person.surname == "Berg"


def test_a_reader_cannot_push(reader: Client) -> None:
    person = PersonFactory()

    reader.post(PERSONS, {"action": "push_to_eduix", "_selected_action": [person.pk]})

    assert not Message.objects.exists()
