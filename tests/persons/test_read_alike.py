"""One table of inputs and outputs: what is typed and what stands in a file end up alike."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest
from django.core.exceptions import ValidationError
from django.forms import DateField
from django.utils import translation

from backoffice.jobs.registry import importer_of
from credits.forms import PersonCreditForm, SchoolCreditForm
from persons.forms import PersonForm, SchoolPersonForm

TODAY = date(2026, 9, 1)

# column, typed, read
PERSON: Final = [
    ("postal_code", "1234ab", "1234 AB"),
    ("postal_code", "1234 ab", "1234 AB"),
    ("postal_code", "1234AB", "1234 AB"),
    ("postal_code", "1234\u00a0AB", "1234 AB"),
    ("postal_code", "\u200b1234 AB", "1234 AB"),
    ("postal_code", "12345", "12345"),
    ("country_code", "Nederland", "NL"),
    ("country_code", "nederland", "NL"),
    ("country_code", "nl", "NL"),
    ("country_code", "NLD", "NL"),
    ("country_code", "België", "BE"),
    ("country_code", "Duitsland", "DE"),
    ("country_code", "Germany", "DE"),
    ("gender", "v", "F"),
    ("gender", "Vrouw", "F"),
    ("gender", "meisje", "F"),
    ("gender", "jongen", "M"),
    ("gender", "onbekend", "U"),
    ("person_state", "actief", "A"),
    ("person_state", "geblokkeerd", "B"),
    ("surname", "Berg\u00a0", "Berg"),
    ("surname", "de\u00ad Vries", "Vries"),
    ("surname", "van der Berg", "Berg"),
    ("surname", "Van Dam", "Van Dam"),
    ("first_name", "Zoe\u0308", "Zoë"),
    ("first_name", "  Anne   Marie ", "Anne Marie"),
    ("date_of_birth", "4-3-2012", "2012-03-04"),
    ("date_of_birth", "04/03/2012", "2012-03-04"),
    ("date_of_birth", "2012-03-04 00:00:00", "2012-03-04"),
    ("date_of_birth", "31-02-2012", "31-02-2012"),
    ("house_number", "012", "12"),
    ("email", "Noor Berg <noor@example.nl>", "noor@example.nl"),
    ("email", "mailto:noor@example.nl", "noor@example.nl"),
    ("email", "noor@example.nl;", "noor@example.nl"),
    ("distributor_person_id", "\ufeffK1", "K1"),
]
SCHOOL_PERSON: Final = [
    ("role", "leerling", "Student"),
    ("role", "Docent", "Teacher"),
    ("school_student_number", " 20419 ", "20419"),
]
PERSON_CREDIT: Final = [
    ("ean", "978-90-01-23456-2", "9789001234562"),
    ("ean", "978 9001 234562", "9789001234562"),
    ("ean", "978\u20139001234562", "9789001234562"),
    ("school_year", "2026-2027", "2627"),
    ("school_year", "26/27", "2627"),
    ("credit_start_date", "1-8-2026", "2026-08-01"),
]
SCHOOL_CREDIT: Final = [
    ("contact_email", "Boeken <boeken@example.nl>", "boeken@example.nl"),
    ("amount", "030", "30"),
]
TABLES: Final[list[tuple[str, Any, list[tuple[str, str, str]]]]] = [
    ("persons", PersonForm, PERSON),
    ("persons", SchoolPersonForm, SCHOOL_PERSON),
    ("person-credits", PersonCreditForm, PERSON_CREDIT),
    ("school-credits", SchoolCreditForm, SCHOOL_CREDIT),
]
CASES: Final = [(kind, form, *case) for kind, form, cases in TABLES for case in cases]
BESIDE: Final = {"country_code": "NL", "preposition": "", "postal_code": "", "surname": ""}


def as_written(field: Any, text: str) -> str:
    """A date in the one form of files, whatever the language of the form."""
    if not isinstance(field, DateField):
        return text
    try:
        day = field.to_python(text)
    except ValidationError:
        return text
    return day.isoformat() if day else ""


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(("kind", "form", "column", "typed", "read"), CASES)
def test_a_form_and_a_file_read_alike(
    kind: str, form: Any, column: str, typed: str, read: str, language: str
) -> None:
    beside = BESIDE if kind == "persons" else {}
    cells = {**beside, column: typed}

    with translation.override(language):
        made = form(cells)
        written = as_written(made.fields[column], made.data[column])
    reading = importer_of(kind).read(cells, today=TODAY)

    assert written == read
    assert str(reading.values[column]) == read


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "form", "column", "typed", "read"), CASES)
def test_nothing_is_changed_silently(
    kind: str, form: Any, column: str, typed: str, read: str
) -> None:
    del kind
    is_date = column.endswith("date") or column == "date_of_birth"
    made = form({**BESIDE, column: typed})
    with translation.override("en"):
        told = str(made.read_as.get(column, ""))

    if typed == read or (is_date and " " not in typed):  # a date may be written in either way
        assert not told
    else:
        assert f"“{typed}”" in told
        assert f"“{read}”" in told


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 30
