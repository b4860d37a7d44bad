"""Rows beside the rules, beside each other, and beside what we hold."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.services import run_import

from .given import BRUG, import_of, person, pupil, results, said, school, table

pytestmark = pytest.mark.django_db


def test_a_row_equal_to_an_earlier_one_is_skipped_and_told() -> None:
    school()

    job = import_of([person(), pupil(2), person()])

    assert results(job) == {2: "created", 3: "created", 4: "skipped"}
    assert said(job, 4) == [("hint", "equal_row", "", None)]
    assert job.rows.get(number=4).findings[0]["params"] == {"earlier": 2}


def test_the_same_key_with_other_data_is_refused_and_both_lines_are_named() -> None:
    school()

    job = import_of([person(), person(Leerlingnummer="20500")])

    assert results(job) == {2: "created", 3: "refused"}
    assert said(job, 3) == [("error", "same_key", "distributor_school_person_id", None)]
    assert job.rows.get(number=3).findings[0]["params"] == {
        "earlier": 2,
        "columns": ["school_student_number"],
    }


def test_a_person_at_two_schools_is_two_rows_that_agree() -> None:
    school()
    school(BRUG)

    job = import_of([person(), person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG})])

    assert results(job) == {2: "created", 3: "created"}


def test_two_rows_of_one_person_that_disagree_are_refused_by_name_of_the_column() -> None:
    school()
    school(BRUG)
    other = person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG, "Achternaam": "Bergen"})

    job = import_of([person(), other])

    assert results(job) == {2: "created", 3: "refused"}
    assert said(job, 3) == [("error", "person_differs", "distributor_person_id", None)]
    assert job.rows.get(number=3).findings[0]["params"]["columns"] == ["surname"]


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_rows_far_apart_are_compared_like_neighbours(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.jobs.services.CHUNK", chunk)
    monkeypatch.setattr("backoffice.jobs.work.CHUNK", chunk)
    school()
    school(BRUG)
    second = person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG})
    rows = [person(), pupil(2), second, pupil(3), person(), person(Rol="Teacher")]

    job = run_import(job=import_of(rows))

    assert results(job) == {
        2: "created", 3: "created", 4: "created", 5: "created", 6: "skipped", 7: "refused",
    }  # fmt: skip


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    school()
    data = table([person()]).replace(b";Student", b";Student;extra")

    job = import_of(data)

    assert ("error", "too_many_cells", "", None) in said(job, 2)


def test_a_row_that_ends_early_is_read_and_told() -> None:
    school()
    row = person(**dict.fromkeys(("Schoolpersoonnummer", "School-ID"), ""))
    data = table([row]).replace(b";;;20419;Student", b"")

    job = import_of(data)

    assert results(job) == {2: "created"}
    assert said(job, 2) == [("warning", "short_row", "", None)]


def test_a_row_with_everything_wrong_names_every_column() -> None:
    school()
    row = dict.fromkeys(person(), "x" * 300)

    job = import_of([row])

    wrong = {column for severity, _key, column, _code in said(job, 2) if severity == "error"}
    assert results(job) == {2: "refused"}
    assert wrong == set(job.mapping) - set()


def test_an_empty_row_breaks_the_rules_with_their_codes() -> None:
    school()
    row = dict.fromkeys(person(), "") | {"Rol": "Student"}

    job = import_of([row])

    codes = {column: code for _severity, _key, column, code in said(job, 2)}
    assert codes["surname"] == 5020
    assert codes["first_name"] == 4860
    assert codes["postal_code"] == 4960
    assert codes["country_code"] == 4780
    assert codes["organisation_id"] == 6720
    assert codes["distributor_school_person_id"] == 6740


def test_what_is_read_differently_is_told_with_both_texts() -> None:
    school()

    job = import_of([person(Land="Nederland", Rol="leerling", Postcode="3011ab")])

    changed = {
        remark["column"]: remark["params"]
        for remark in job.rows.get().findings
        if remark["severity"] == "changed"
    }
    assert changed == {
        "country_code": {"from": "Nederland", "to": "NL"},
        "role": {"from": "leerling", "to": "Student"},
        "postal_code": {"from": "3011ab", "to": "3011 AB"},
    }
    assert job.summary["remarks"] == {"changed": 1}


@pytest.mark.parametrize("day", ["04-03-2012", "4-3-2012", "2012-03-04", "4/3/2012"])
def test_both_forms_of_a_date_are_read_without_a_word(day: str) -> None:
    school()

    job = import_of([person(Geboortedatum=day)])

    assert job.rows.get().values["date_of_birth"] == "2012-03-04"
    assert said(job, 2) == []


def test_a_preposition_in_the_surname_is_moved_and_told() -> None:
    school()

    job = import_of([person(Tussenvoegsel="", Achternaam="van den Berg")])

    row = job.rows.get()
    assert (row.values["preposition"], row.values["surname"]) == ("van den", "Berg")
    assert {remark["column"] for remark in row.findings} == {"preposition", "surname"}


def test_a_shortened_number_is_refused_because_digits_are_lost() -> None:
    school()

    job = import_of([person(Klantnummer="1,23457E+11")])

    assert ("error", "shortened_number", "distributor_person_id", None) in said(job, 2)


def test_broken_letters_are_a_warning() -> None:
    school()

    job = import_of([person(Voornaam="Zo\u00c3\u00ab")])

    assert said(job, 2) == [("warning", "broken_letters", "first_name", None)]
    assert results(job) == {2: "created"}


def test_a_file_with_another_delimiter_and_encoding_gives_the_same_rows() -> None:
    school()
    rows = [person(Voornaam="Zoë"), pupil(2)]

    one = import_of(table(rows))
    other = import_of(table(rows, delimiter="\t", encoding="utf-16"))

    def values(job: Job) -> list[Any]:
        return list(JobRow.objects.filter(job=job).values_list("number", "values", "findings"))

    assert values(one) == values(other)
