"""The form of a person, its rules and its history."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.outbox.models import Message, PushState
from persons.models import Person, SchoolPerson
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.persons.admin.conftest import (
    PERSONS,
    SCHOOL_PERSONS,
    form_of,
    refuse,
    signed_in,
)

pytestmark = pytest.mark.django_db


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
