"""What Edu-iX would say stands on the form before anything is sent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from credits.forms import PersonCreditForm, SchoolCreditForm
from persons.forms import PersonForm, SchoolPersonForm
from persons.models import Person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

GOOD_PERSON: dict[str, Any] = {
    "distributor_person_id": "K1",
    "person_state": "A",
    "first_name": "Noor",
    "preposition": "",
    "surname": "Berg",
    "date_of_birth": "2012-03-04",
    "gender": "F",
    "email": "noor@example.nl",
    "postal_code": "2601 DC",
    "house_number": "12",
    "country_code": "NL",
    "new_eck_id": "",
}


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def person_form(**typed: Any) -> PersonForm:
    return PersonForm(GOOD_PERSON | typed)


@pytest.mark.parametrize(
    ("field", "typed", "code", "words"),
    [
        ("surname", "x" * 51, "5022", "at most 50 characters; there are 51"),
        ("surname", "", "5020", "surname"),
        ("first_name", "x" * 51, "4862", "at most 50"),
        ("preposition", "x" * 16, "4982", "at most 15"),
        ("date_of_birth", "31-02-2012", "4803", "date"),
        ("date_of_birth", "2999-01-01", "4803", "future"),
        ("gender", "Z", "4884", "gender"),
        ("house_number", "12a", "4905", "house number"),
        ("house_number", "0", "4901", "at least 1"),
        ("postal_code", "12 34", "6", "1234 AB"),
        ("country_code", "Atlantis", "4784", "country"),
        ("distributor_person_id", "", "6", "customer number"),
        ("distributor_person_id", "x" * 257, "3042", "at most 256"),
        ("new_eck_id", "e" * 127, "7701", "128"),
    ],
)
def test_a_wrong_value_is_refused_once_with_the_code_of_edu_ix(
    field: str, typed: str, code: str, words: str
) -> None:
    form = person_form(**{field: typed})

    assert not form.is_valid()
    assert list(form.errors) == [field]
    (error,) = form.errors[field]
    assert f" {code}: " in error
    assert words in error


def test_the_limit_and_the_length_stand_beside_the_code() -> None:
    (error,) = map(str, person_form(surname="x" * 51).errors["surname"])

    assert error.startswith("Edu-iX would give 5022: ")
    assert "(at most 50 characters; there are 51)" in error


def test_under_the_field_stands_why_and_a_link_to_the_explanation() -> None:
    form = person_form(surname="x" * 51)
    form.is_valid()

    help_text = str(form["surname"].help_text)

    assert "refused-field" in help_text
    assert "/admin/uitleg/?q=5022" in help_text
    assert form.fields["surname"].widget.attrs["aria-invalid"] == "true"


def test_no_field_cuts_a_paste() -> None:
    for form in (PersonForm(), SchoolPersonForm(), PersonCreditForm(), SchoolCreditForm()):
        for name, field in form.fields.items():
            assert "maxlength" not in field.widget.attrs, name
            assert getattr(field.widget, "input_type", "") != "number", name


def test_a_choice_that_was_not_made_has_the_code_of_its_key() -> None:
    form = SchoolPersonForm({"distributor_school_person_id": "S1", "role": "Student"})

    assert any(" 6720: " in error for error in form.errors["school"])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"distributor_person_id": "K" * 21}, "distributor_person_id", "20 characters"),
        ({"country_code": "BE", "postal_code": "2018 AB"}, "postal_code", "Belgi"),
    ],
)
def test_a_stored_warning_stands_at_its_field_and_stops_nothing(
    changes: dict[str, str], field: str, words: str
) -> None:
    assert person_form(**changes).is_valid()

    form = PersonForm(instance=PersonFactory(**changes))

    help_text = str(form.fields[field].help_text)

    assert "warned-field" in help_text
    assert words in help_text


def test_a_credit_warns_for_its_number_its_ean_and_its_period() -> None:
    credit = PersonCreditFactory(
        distributor_person_credit_id="C" * 31,
        ean="9789001234561",
        credit_start_date=date(2026, 8, 1),
        credit_end_date=date(2026, 7, 1),
    )

    form = PersonCreditForm(instance=credit)

    for name in ("distributor_person_credit_id", "ean", "credit_end_date"):
        assert "warned-field" in str(form.fields[name].help_text), name


def test_a_row_that_is_stored_and_cannot_be_sent_says_so_at_the_field() -> None:
    credit = SchoolCreditFactory()
    type(credit).objects.filter(pk=credit.pk).update(contact_name="")
    credit.refresh_from_db()

    form = SchoolCreditForm(instance=credit)

    assert "Edu-iX would give 6420" in str(form.fields["contact_name"].help_text)


# --- what was typed is read as an import reads it -------------------------------------------------


def test_what_was_read_differently_is_told_field_by_field() -> None:
    form = person_form(
        surname="van der  Berg\u00a0",
        postal_code="1234ab",
        country_code="Nederland",
        gender="meisje",
        email="Noor <noor@example.nl>",
    )

    assert form.is_valid(), form.errors
    assert form.instance.preposition == "van der"
    assert form.instance.surname == "Berg"
    assert (form.instance.postal_code, form.instance.gender) == ("1234 AB", "F")
    assert set(form.read_as) == {
        "preposition",
        "surname",
        "postal_code",
        "country_code",
        "gender",
        "email",
    }
    assert "“1234ab”" in str(form.read_as["postal_code"])
    assert "“1234 AB”" in str(form.read_as["postal_code"])


def test_a_date_in_either_form_is_no_correction() -> None:
    assert not person_form(date_of_birth="4-3-2012").read_as
    assert person_form(date_of_birth="2012-03-04 00:00:00").read_as
    assert person_form(date_of_birth="4.3.2012").is_valid()


def test_an_ean_and_a_year_may_be_typed_as_books_and_schools_write_them() -> None:
    place = SchoolPersonFactory()
    form = PersonCreditForm(
        {
            "school_person": place.pk,
            "ean": "978-90-01-23456-2",
            "school_year": "2026-2027",
            "credit_start_date": "1-8-2026",
            "credit_end_date": "",
            "distributor_person_credit_id": "\u200bC1",
        }
    )

    assert form.is_valid(), form.errors
    assert (form.instance.ean, form.instance.school_year) == ("9789001234562", 2627)
    assert set(form.read_as) == {"ean", "school_year", "distributor_person_credit_id"}


def test_the_page_lists_every_change_after_saving() -> None:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    posted = GOOD_PERSON | {"surname": "van den Berg", "postal_code": "1234ab", "_save": "1"}
    school = SchoolFactory()
    inline = {
        "school_persons-TOTAL_FORMS": "1",
        "school_persons-INITIAL_FORMS": "0",
        "school_persons-0-school": school.pk,
        "school_persons-0-role": "leerling",
        "school_persons-0-school_student_number": "1",
        "school_persons-0-distributor_school_person_id": "S1",
    }

    response = client.post("/admin/persons/person/add/", posted | inline, follow=True)

    told = " ".join(str(message) for message in response.context["messages"])
    assert Person.objects.get().surname == "Berg"
    for words in ("“van den Berg”", "“Berg”", "“1234ab”", "“1234 AB”", "“leerling”"):
        assert words in told, told
