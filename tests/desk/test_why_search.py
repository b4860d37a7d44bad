"""Whom, which book and which day somebody means who asks why there is no access."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.desk.why_search import find_day, find_ean, find_persons, find_school
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 21)
ECK = "ab" * 64


@pytest.mark.parametrize(
    "typed",
    [
        "K204103",
        "k204103",
        "20419",
        "SP-1",
        "job.verhoeven@example.nl",
        "JOB.verhoeven@example.nl",
        "u-77",
        ECK,
        "C-1",
        "Job Verhoeven",
        "verhoeven job",
        "  Job   Verhoeven 04-03-2012 ",
        "2012-03-04 verhoeven",
        "04/03/2012",
        "verhoev",
    ],
)
def test_any_number_key_or_name_finds_its_person(typed: str) -> None:
    person = PersonFactory(
        distributor_person_id="K204103",
        first_name="Job",
        preposition="",
        surname="Verhoeven",
        email="job.verhoeven@example.nl",
        user_id="u-77",
        eck_id=ECK,
    )
    place = SchoolPersonFactory(
        person=person, school_student_number="20419", distributor_school_person_id="SP-1"
    )
    PersonCreditFactory(school_person=place, distributor_person_credit_id="C-1")
    PersonFactory(first_name="Iemand", surname="Anders", date_of_birth=date(2010, 1, 1))

    assert find_persons(typed).one == person


def test_a_name_without_its_accents_is_found() -> None:
    person = PersonFactory(first_name="Zoë", preposition="van 't", surname="Hof")

    assert find_persons("zoe van t hof").one == person


def test_a_number_of_two_schools_gives_a_choice_and_the_school_decides() -> None:
    places = [SchoolPersonFactory(school_student_number="20419") for _ in range(2)]

    found = find_persons("20419")

    assert (found.one, len(found.persons)) == (None, 2)
    assert find_persons("20419", school=places[1].school).one == places[1].person


def test_a_school_where_none_of_them_is_hides_nobody() -> None:
    SchoolPersonFactory(school_student_number="20419")
    SchoolPersonFactory(school_student_number="20419")

    assert len(find_persons("20419", school=SchoolFactory()).persons) == 2


def test_somebody_who_was_deleted_is_not_found() -> None:
    PersonFactory(distributor_person_id="K9", push_state="deleted")

    assert find_persons("K9").one is None


@pytest.mark.parametrize("typed", ["van den Brge", "Sanne Brg", "Sane van den Berg"])
def test_a_typing_error_brings_near_matches(typed: str) -> None:
    person = PersonFactory()
    PersonFactory(first_name="Hendrik", preposition="", surname="Oosterhuis")

    found = find_persons(typed)

    assert found.one is None
    assert found.problem
    assert list(found.near) == [person]


def test_a_number_with_a_typing_error_brings_its_neighbours() -> None:
    person = PersonFactory(distributor_person_id="K204103")

    found = find_persons("K204108")

    assert list(found.near) == [person]
    assert found.ask_key == "K204108"


def test_a_name_is_nothing_to_ask_edu_ix_for() -> None:
    assert find_persons("Niemand Hier").ask_key == ""


@pytest.mark.parametrize("typed", ["", "   ", "x" * 301])
def test_nothing_and_far_too_much_are_refused_with_a_reason(typed: str) -> None:
    found = find_persons(typed)

    assert not found.persons
    assert found.problem


def test_many_who_fit_are_cut_and_told() -> None:
    PersonFactory.create_batch(25)

    found = find_persons("Sanne")

    assert (len(found.persons), found.is_cut) == (20, True)


@pytest.mark.parametrize("typed", ["9789001234562", "978-90-01-23456-2", "9789001 23456 2"])
def test_an_ean_however_written(typed: str) -> None:
    credit = PersonCreditFactory()

    assert find_ean(typed, credit.school_person.person) == ("9789001234562", "")


def test_an_odd_number_that_this_person_has_is_taken_as_it_is() -> None:
    credit = PersonCreditFactory(ean="LOKAAL-7")

    assert find_ean("LOKAAL-7", credit.school_person.person) == ("LOKAAL-7", "")


def test_a_title_stands_for_its_book_and_that_of_this_person_comes_first() -> None:
    ProductFactory()
    ProductFactory(ean="9789001234579", title="Getal & Ruimte 2 vwo, antwoorden")
    credit = PersonCreditFactory()

    assert find_ean("getal ruimte", credit.school_person.person) == ("9789001234562", "")
    ean, problem = find_ean("getal ruimte", PersonFactory())
    assert ean == ""
    assert "2" in problem


@pytest.mark.parametrize("typed", ["97890012345", "9789099999999", "Geen boek heet zo"])
def test_a_book_that_is_none_or_unknown_is_told(typed: str) -> None:
    ean, problem = find_ean(typed, PersonFactory())

    assert ean == ""
    assert problem


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("", TODAY),
        ("vandaag", TODAY),
        ("Today", TODAY),
        ("2026-09-03", date(2026, 9, 3)),
        ("3-9-2026", date(2026, 9, 3)),
        ("03/09/2026", date(2026, 9, 3)),
    ],
)
def test_a_day_is_read_as_people_write_it(typed: str, day: date) -> None:
    assert find_day(typed, TODAY) == (day, "")


@pytest.mark.parametrize("typed", ["31-02-2026", "morgen", "2026", "1-1-1990", "2036-01-01", "x"])
def test_a_day_that_is_none_or_years_away_is_told_and_is_today(typed: str) -> None:
    day, problem = find_day(typed, TODAY)

    assert day == TODAY
    assert problem


def test_a_school_by_id_brin_or_name() -> None:
    school = SchoolFactory(name="De Brug", brin="98DB01", city="Schiedam")
    SchoolFactory(name="Het Baken", brin="97BK00")

    for typed in (school.organisation_id, "98db01", "de brug", "Schiedam"):
        assert find_school(typed) == (school, "")
    assert find_school("") == (None, "")


@pytest.mark.parametrize("typed", ["Nergens", "Het Baken College"])
def test_a_school_that_is_none_or_several_is_told(typed: str) -> None:
    SchoolFactory(name="Het Baken College Noord")
    SchoolFactory(name="Het Baken College Zuid")

    school, problem = find_school(typed)

    assert school is None
    assert problem


def test_the_number_of_a_book_is_told_from_that_of_a_person() -> None:
    ProductFactory(ean="9789001234562", title="Getal & Ruimte")

    found = find_persons("9789001 23456 2")

    assert "“Getal & Ruimte”" in found.problem
    assert (found.persons, found.ask_key) == ((), "")
