"""Lists and forms of schools, persons and persons at schools."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.outbox.models import Message, PushState
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

PERSONS = "/admin/persons/person/"
SCHOOLS = "/admin/persons/school/"
SCHOOL_PERSONS = "/admin/persons/schoolperson/"


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(UserFactory(groups=list(groups)))
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("Accountmanager")


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


# --- form ----------------------------------------------------------------------------------------


def test_the_form_marks_the_field_that_was_refused(manager: Client) -> None:
    person = PersonFactory()
    refuse(person, -4967, "postalCode is not found")

    response = manager.get(f"{PERSONS}{person.pk}/change/")

    form = response.context["adminform"].form
    assert 'class="refused-field"' in form.fields["postal_code"].help_text
    assert form.fields["postal_code"].widget.attrs["aria-invalid"] == "true"
    assert "refused-field" not in str(form.fields["surname"].help_text)


def test_an_eck_id_is_never_shown_in_full(manager: Client) -> None:
    eck_id = "https://ketenid.nl/" + "a" * 103 + "zyxwvu"
    person = PersonFactory(eck_id=eck_id)

    page = manager.get(f"{PERSONS}{person.pk}/change/").content.decode()

    assert eck_id not in page
    assert "…zyxwvu" in page


def test_saving_a_refused_person_sends_it_again_and_says_so(manager: Client) -> None:
    person = PersonFactory(postal_code="9999 XX")
    message = refuse(person, 4967)

    response = manager.post(
        f"{PERSONS}{person.pk}/change/", form_of(person, postal_code="3011 AB"), follow=True
    )

    message.refresh_from_db()
    assert message.status == Message.Status.QUEUED
    person.refresh_from_db()
    assert (person.postal_code, person.push_state) == ("3011 AB", PushState.QUEUED)
    told = [str(line) for line in response.context["messages"]]
    assert len(told) == 1
    assert "Edu-iX" in told[0]


def test_a_new_person_goes_nowhere_until_it_is_pushed(manager: Client) -> None:
    values = form_of(PersonFactory.build(distributor_person_id="K-new"))

    manager.post(f"{PERSONS}add/", values)

    assert Person.objects.get().push_state == PushState.LOCAL_ONLY
    assert not Message.objects.exists()


def test_save_and_push_queues_the_person_and_its_schools(manager: Client) -> None:
    school = SchoolFactory()
    values = form_of(PersonFactory.build(distributor_person_id="K-new"))
    del values["_save"]
    values |= {
        "_push": "1",
        "school_persons-TOTAL_FORMS": "1",
        "school_persons-0-school": school.pk,
        "school_persons-0-role": "Student",
        "school_persons-0-school_student_number": "42",
        "school_persons-0-distributor_school_person_id": "SP-new",
    }

    response = manager.post(f"{PERSONS}add/", values)

    person = Person.objects.get()
    assert response["Location"].startswith(f"{PERSONS}{person.pk}/change/")
    queued = Message.objects.order_by("position").values_list("operation", flat=True)
    assert list(queued) == ["person.push", "schoolperson.push"]
    assert SchoolPerson.objects.get().push_state == PushState.QUEUED


def test_the_partners_rule_is_told_in_words(manager: Client) -> None:
    person = PersonFactory()

    response = manager.post(f"{PERSONS}{person.pk}/change/", form_of(person, postal_code="1234 A1"))

    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert list(errors) == ["postal_code"]


def test_an_error_about_a_field_that_is_not_on_the_form_stands_above_it(manager: Client) -> None:
    person = PersonFactory(registered_at=timezone.now(), distributor_person_id="x" * 256)
    Person.objects.filter(pk=person.pk).update(user_id="u" * 200)

    response = manager.post(f"{PERSONS}{person.pk}/change/", form_of(person))

    assert response.status_code == 200
    assert response.context["adminform"].form.non_field_errors()


def test_an_eck_id_can_be_replaced_and_removed(manager: Client) -> None:
    person = PersonFactory(eck_id="a" * 128)

    manager.post(f"{PERSONS}{person.pk}/change/", form_of(person, new_eck_id="b" * 128))
    person.refresh_from_db()
    assert person.eck_id == "b" * 128

    manager.post(f"{PERSONS}{person.pk}/change/", form_of(person, remove_eck_id="on"))
    person.refresh_from_db()
    assert person.eck_id == ""


def test_a_wrong_eck_id_is_refused_at_its_own_field(manager: Client) -> None:
    person = PersonFactory()

    response = manager.post(
        f"{PERSONS}{person.pk}/change/", form_of(person, new_eck_id="too short")
    )

    assert list(response.context["adminform"].form.errors) == ["new_eck_id"]


def test_the_partners_key_stands_fast_once_edu_ix_knows_it(manager: Client) -> None:
    person = PersonFactory(registered_at=timezone.now(), push_state=PushState.IN_SYNC)
    key = person.distributor_person_id

    manager.post(f"{PERSONS}{person.pk}/change/", form_of(person, distributor_person_id="K-other"))

    person.refresh_from_db()
    assert person.distributor_person_id == key


def test_only_what_edu_ix_never_heard_of_can_be_deleted() -> None:
    chief = signed_in("Beheerder")
    local = PersonFactory()
    known = PersonFactory(registered_at=timezone.now(), push_state=PushState.IN_SYNC)

    assert chief.post(f"{PERSONS}{known.pk}/delete/", {"post": "yes"}).status_code == 403
    chief.post(f"{PERSONS}{local.pk}/delete/", {"post": "yes"})

    assert list(Person.objects.all()) == [known]


def test_a_person_at_a_school_cannot_be_deleted_from_under_its_schools() -> None:
    chief = signed_in("Beheerder")
    place = SchoolPersonFactory()

    response = chief.post(f"{PERSONS}{place.person_id}/delete/", {"post": "yes"})

    assert response.status_code in (200, 403)
    assert Person.objects.filter(pk=place.person_id).exists()


def test_the_page_of_a_person_shows_its_credits_with_their_explanation(manager: Client) -> None:
    credit = PersonCreditFactory()

    page = manager.get(f"{PERSONS}{credit.school_person.person_id}/change/").content.decode()

    assert f"/admin/credits/personcredit/{credit.pk}/status/" in page
    assert "978900123456 2" not in page
    assert "9789001 23456 2" in page


def test_whose_school_link_it_is_never_changes(manager: Client) -> None:
    place = SchoolPersonFactory()
    other = PersonFactory()

    manager.post(
        f"{SCHOOL_PERSONS}{place.pk}/change/",
        {
            "person": other.pk,
            "school": place.school_id,
            "role": "Teacher",
            "school_student_number": "",
            "distributor_school_person_id": place.distributor_school_person_id,
        },
    )

    place.refresh_from_db()
    assert place.person_id != other.pk
    assert place.role == "Teacher"


# --- history -------------------------------------------------------------------------------------


def edited(manager: Client) -> Person:
    """A person whose surname and ECK iD were changed once."""
    person: Person = PersonFactory(surname="Berg", eck_id="a" * 122 + "uvwxyz")
    change = f"{PERSONS}{person.pk}/change/"
    manager.post(change, form_of(person, surname="Dal", new_eck_id="b" * 122 + "123456"))
    person.refresh_from_db()
    assert person.surname == "Dal"
    return person


def test_the_history_tells_who_changed_what_without_the_eck_id(manager: Client) -> None:
    person = edited(manager)

    page = manager.get(f"{PERSONS}{person.pk}/history/").content.decode()

    assert "Berg" in page
    assert "Dal" in page
    assert "…uvwxyz" in page
    assert "a" * 20 not in page
    assert "b" * 20 not in page


def test_an_earlier_state_comes_back_as_an_ordinary_edit(manager: Client) -> None:
    person = edited(manager)
    Person.objects.update(push_state=PushState.IN_SYNC, registered_at=timezone.now())
    before = person.history.earliest()

    manager.post(
        f"{PERSONS}{person.pk}/history/{before.history_id}/", form_of(person, surname="Berg")
    )

    person.refresh_from_db()
    assert (person.surname, person.push_state) == ("Berg", PushState.CHANGED)


def test_a_reader_sees_the_history_and_brings_nothing_back(manager: Client, reader: Client) -> None:
    person = edited(manager)
    moment = f"{PERSONS}{person.pk}/history/{person.history.earliest().history_id}/"

    shown = reader.get(moment)
    answer = reader.post(moment, form_of(person, surname="Berg"))

    assert (shown.status_code, answer.status_code) == (200, 403)
    person.refresh_from_db()
    assert person.surname == "Dal"


def test_the_history_of_what_is_not_there_is_not_found(manager: Client) -> None:
    deleted = PersonFactory(push_state=PushState.DELETED)
    moment = deleted.history.earliest().history_id

    assert manager.get(f"{PERSONS}{deleted.pk}/history/{moment}/").status_code == 404
    assert Client().get(f"{PERSONS}{deleted.pk}/history/{moment}/").status_code == 302


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
