"""Who comes near to a name, an address or a number with a typing error."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from persons.near import has_trigrams, persons_near
from tests.factories import PersonFactory, SchoolPersonFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["Sanne Jansen", "sane janssen", "Janssem", "S. Jansen"])
def test_a_name_written_otherwise(typed: str) -> None:
    person = PersonFactory(first_name="Sanne", preposition="", surname="Janssen")
    PersonFactory(first_name="Hendrik", preposition="", surname="Oosterhuis")

    assert persons_near(typed, 5) == [person]


@pytest.mark.parametrize("typed", ["sanne.jansen@exmaple.nl", "SANNE.JANSSEN@example.nl"])
def test_an_address_with_a_typing_error(typed: str) -> None:
    person = PersonFactory(email="Sanne.Jansen@example.nl")
    PersonFactory(email="boekhouding@anders.example")

    assert persons_near(typed, 5) == [person]


@pytest.mark.parametrize("typed", ["20491", "20418", "2419", "204219"])
def test_a_student_number_changed_about_misread_short_or_long(typed: str) -> None:
    place = SchoolPersonFactory(school_student_number="20419")
    SchoolPersonFactory(school_student_number="99999")

    assert persons_near(typed, 5) == [place.person]


def test_two_digits_changed_about_come_before_one_misread() -> None:
    misread = SchoolPersonFactory(school_student_number="20414").person
    swapped = SchoolPersonFactory(school_student_number="20149").person

    assert persons_near("20419", 5) == [swapped, misread]


def test_a_customer_number_in_small_letters() -> None:
    person = PersonFactory(distributor_person_id="K204103")

    assert persons_near("k204130", 5) == [person]


@pytest.mark.parametrize("typed", ["", "x", "ab cd", "@", "1", "9" * 60, "'; drop", "%_%", "Ÿ́z ẞq"])
def test_what_is_like_nobody_brings_nobody(typed: str) -> None:
    PersonFactory()

    assert persons_near(typed, 5) == []


def test_the_deleted_come_near_to_nothing() -> None:
    PersonFactory(distributor_person_id="K204103", push_state="deleted")
    PersonFactory(first_name="Sanne", surname="Janssen", push_state="deleted")

    assert persons_near("K204130", 5) == []
    assert persons_near("Sanne Jansen", 5) == []


def test_the_number_of_queries_does_not_grow_with_those_who_come_near() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert persons_near("Sanne Jansen", 5)
        return len(queries)

    PersonFactory(first_name="Sanne", preposition="", surname="Janssen")
    few = count()
    PersonFactory.create_batch(20, first_name="Sanne", preposition="", surname="Janssen")

    assert count() <= few + 1  # the schools of those who have one
    assert few <= 8


def test_postgresql_has_its_trigrams(postgresql: None) -> None:
    assert has_trigrams()


def test_without_trigrams_the_beginning_must_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persons.near.has_trigrams", lambda: False)
    person = PersonFactory(first_name="Sanne", preposition="", surname="Janssen", email="s@j.nl")

    assert persons_near("Sanne Jansen", 5) == [person]
