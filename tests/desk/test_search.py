"""What somebody may mean who types in the search box."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import translation

from backoffice.desk.search import SHOWN, answers_to, is_meant, name_search
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def reader() -> Any:
    return UserFactory(groups=["Meelezer"])


@pytest.mark.parametrize("text", ["5022", "code 5022", "-5022", "Foutcode: 5022", "fout 5022"])
def test_a_code_is_explained_however_it_is_written(reader: Any, text: str) -> None:
    (answer,) = answers_to(text, reader)

    assert answer.url.startswith("/admin/uitleg/?q=")


def test_a_pasted_answer_of_edu_ix_is_explained(reader: Any) -> None:
    (answer,) = answers_to("<faultcode>ns1:2606</faultcode>", reader)

    assert answer.title == "Explanation"


@pytest.mark.parametrize("text", ["Sanne van den Berg", "Öztürk", "999999999", "  ", "%", "'--"])
def test_a_name_or_anything_else_names_no_page(reader: Any, text: str) -> None:
    assert answers_to(text, reader) == []


def test_a_student_number_at_two_schools_is_two_persons(reader: Any) -> None:
    SchoolPersonFactory(school_student_number="31415")
    SchoolPersonFactory(school_student_number="31415")

    assert len(answers_to("31415", reader)) == 2


def test_one_person_with_two_reasons_to_be_found_is_one_answer(reader: Any) -> None:
    person = PersonFactory(distributor_person_id="77701")
    SchoolPersonFactory(person=person, school_student_number="77701")

    assert len(answers_to("77701", reader)) == 1


def test_no_more_persons_than_fit_are_offered(reader: Any) -> None:
    SchoolPersonFactory.create_batch(SHOWN + 2, school_student_number="1")

    assert len([a for a in answers_to("1", reader) if "/persons/" in a.url]) == SHOWN


def test_nobody_is_led_to_what_they_may_not_see() -> None:
    PersonFactory(distributor_person_id="KLANT-7")
    PersonCreditFactory(distributor_person_credit_id="KLANT-7")
    user = UserFactory()

    assert answers_to("KLANT-7", user) == []
    assert name_search("Jansen", user) == ""
    assert name_search("Jansen", AnonymousUser()) == ""


def test_names_are_looked_up_in_the_list_of_persons(reader: Any) -> None:
    assert name_search("Van den Berg", reader) == "/admin/persons/person/?q=Van+den+Berg"


def test_a_school_is_found_by_a_part_of_its_name_its_brin_or_its_number(reader: Any) -> None:
    school = SchoolFactory(name="De Brug", city="Schiedam", brin="98DB", organisation_id="abc-1")
    url = f"/admin/persons/school/{school.pk}/change/"

    for text in ("de brug", "brug", "98db", "abc-1"):
        answers = answers_to(text, reader)
        assert [answer.url for answer in answers] == [url]
        assert is_meant(answers, text, reader)
    assert answers_to("de brug", UserFactory()) == []
    assert answers_to("br", reader) == []


def test_a_name_of_a_school_and_of_a_person_is_a_choice(reader: Any) -> None:
    SchoolFactory(name="Van der Burg College")
    PersonFactory(surname="Burg")

    answers = answers_to("burg", reader)

    assert len(answers) == 1
    assert not is_meant(answers, "burg", reader)
