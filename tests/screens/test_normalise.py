"""What people write, and what the service wants; anything else stays as it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.screens import normalise
from persons.imports import PersonImporter
from persons.normalising import as_country, country_codes, without_preposition

TABLE = [
    (normalise.as_date, "2010-05-01", "2010-05-01"),
    (normalise.as_date, "01-05-2010", "2010-05-01"),
    (normalise.as_date, "1-5-2010", "2010-05-01"),
    (normalise.as_date, "01/05/2010", "2010-05-01"),
    (normalise.as_date, "1.5.2010", "2010-05-01"),
    (normalise.as_date, "2010-5-1", "2010-05-01"),
    (normalise.as_date, "2010-05-01 00:00:00", "2010-05-01"),
    (normalise.as_date, "01-05-2010 0:00", "2010-05-01"),
    (normalise.as_date, "29-02-2012", "2012-02-29"),
    (normalise.as_date, "29-02-2011", "29-02-2011"),
    (normalise.as_date, "05-13-2010", "05-13-2010"),
    (normalise.as_date, "1-5-10", "1-5-10"),
    (normalise.as_date, "2010-05-01 13:00", "2010-05-01 13:00"),
    (normalise.as_dutch_postal_code, "1234ab", "1234 AB"),
    (normalise.as_dutch_postal_code, "1234 ab", "1234 AB"),
    (normalise.as_dutch_postal_code, "1234AB", "1234 AB"),
    (normalise.as_dutch_postal_code, "12345 AB", "12345 AB"),
    (normalise.as_dutch_postal_code, "0123 AB", "0123 AB"),
    (normalise.as_ean, "978-90-01-23456-2", "9789001234562"),
    (normalise.as_ean, "978 9001 234562", "9789001234562"),
    (normalise.as_ean, "978\u20139001234562", "9789001234562"),
    (normalise.as_ean, "ABC-12", "ABC-12"),
    (normalise.as_school_year, "2026-2027", "2627"),
    (normalise.as_school_year, "2026/27", "2627"),
    (normalise.as_school_year, "26/27", "2627"),
    (normalise.as_school_year, "2627", "2627"),
    (normalise.as_number, "012", "12"),
    (normalise.as_number, "12a", "12a"),
    (normalise.as_number, "", ""),
    (normalise.tidy, "  Sanne\u00a0 van\nden  Berg ", "Sanne van den Berg"),
    (normalise.tidy, "Zoe\u0308", "Zoë"),
    (as_country, "Nederland", "NL"),
    (as_country, "nederland", "NL"),
    (as_country, "nl", "NL"),
    (as_country, "NLD", "NL"),
    (as_country, "Holland", "NL"),
    (as_country, "België", "BE"),
    (as_country, "Duitsland", "DE"),
    (as_country, "Germany", "DE"),
    (as_country, "Atlantis", "Atlantis"),
]


@pytest.mark.parametrize(("function", "written", "wanted"), TABLE)
def test_each_way_of_writing_becomes_what_the_service_wants(
    function: Callable[[str], str], written: str, wanted: str
) -> None:
    assert function(written) == wanted


@pytest.mark.parametrize(
    ("column", "written", "wanted"),
    [
        ("role", "leerling", "Student"),
        ("role", "LEERLING", "Student"),
        ("role", "docent", "Teacher"),
        ("role", "Conciërge", "Conciërge"),
        ("gender", "v", "F"),
        ("gender", "Vrouw", "F"),
        ("gender", "m", "M"),
        ("gender", "man", "M"),
        ("gender", "onbekend", "U"),
        ("person_state", "actief", "A"),
        ("person_state", "b", "B"),
    ],
)
def test_words_of_a_school_become_the_service_s_values(
    column: str, written: str, wanted: str
) -> None:
    assert PersonImporter.normalisers[column](written) == wanted


@pytest.mark.parametrize(
    ("surname", "preposition", "rest"),
    [
        ("van der Berg", "van der", "Berg"),
        ("de Vries-van Dam", "de", "Vries-van Dam"),
        ("in 't Groen", "in 't", "Groen"),
        ("van \u2019t Hof", "van \u2019t", "Hof"),
        ("uit den Bogaard", "uit den", "Bogaard"),
        ("Van Dam", "", "Van Dam"),
        ("Westerveld tot Zuidbroek", "", "Westerveld tot Zuidbroek"),
        ("van", "", "van"),
        ("", "", ""),
        ("de la", "", "de la"),
    ],
)
def test_what_stands_before_a_surname_in_lower_case_is_its_preposition(
    surname: str, preposition: str, rest: str
) -> None:
    assert without_preposition(surname) == (preposition, rest)


@given(st.text(max_size=40))
def test_no_text_whatever_makes_a_normaliser_fail(text: str) -> None:
    for function in (
        normalise.as_date,
        normalise.as_number,
        normalise.as_ean,
        normalise.as_school_year,
        normalise.as_dutch_postal_code,
        normalise.tidy,
        as_country,
        without_preposition,
    ):
        once = function(text)

        assert isinstance(once, str | tuple)


@given(st.dates())
def test_a_date_is_the_same_in_both_forms(day: date) -> None:
    dutch = f"{day.day}-{day.month}-{day.year:04d}"

    assert normalise.as_date(dutch) == normalise.as_date(day.isoformat()) == day.isoformat()


@pytest.mark.parametrize("text", ["9,78901E+12", "9.78901E+12", "1E+10"])
def test_a_number_that_a_spreadsheet_shortened_is_recognised(text: str) -> None:
    assert normalise.is_shortened(text)


@pytest.mark.parametrize("text", ["9789001234562", "K1E2", "", "E10", "2E5"])
def test_other_keys_are_not_taken_for_shortened_numbers(text: str) -> None:
    assert not normalise.is_shortened(text)


@pytest.mark.parametrize("text", ["Zo\u00c3\u00ab", "Zo\ufffd", "Fran\u00c3\u00a7ois"])
def test_letters_that_were_broken_before_are_recognised(text: str) -> None:
    assert normalise.is_broken(text)


@pytest.mark.parametrize("text", ["Zoë", "Ãnna", "Öztürk", "Łukasz", "Nguyễn", "Ångström"])
def test_ordinary_letters_are_not_taken_for_broken_ones(text: str) -> None:
    assert not normalise.is_broken(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@example.nl", True),
        ("a.b+c@mail.example.nl", True),
        ("example.nl", False),
        ("a@b", False),
        ("a@@example.nl", False),
        ("a b@example.nl", False),
        ("@example.nl", False),
    ],
)
def test_an_e_mail_address_has_a_name_and_a_domain(text: str, is_one: bool) -> None:
    assert normalise.is_email(text) is is_one


def test_every_code_of_the_countries_is_its_own_name() -> None:
    codes = country_codes()

    assert {codes[code.casefold()] for code in codes.values()} == set(codes.values())
