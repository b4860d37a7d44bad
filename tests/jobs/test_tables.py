"""The file of refused rows: safe to open, and mended it goes straight back in."""

from __future__ import annotations

import csv
import io

import pytest
from django.utils.translation import override

from backoffice.jobs.models import Job
from backoffice.jobs.registry import importers
from backoffice.jobs.services import recognise, run_import
from backoffice.jobs.tables import error_file, error_file_name, template_file

from .given import import_of, person, pupil, results, said, school

pytestmark = pytest.mark.django_db


def cells(job: Job) -> list[list[str]]:
    text = b"".join(error_file(job)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_the_refused_rows_come_back_with_line_and_reason() -> None:
    school()
    job = import_of([pupil(1), pupil(2, Achternaam="", Geslacht="Q"), pupil(3)])

    with override("en"):
        header, row = cells(job)

    assert header == [*person(), "Line", "Reason"]
    assert row[: len(header) - 2] == list(pupil(2, Achternaam="", Geslacht="Q").values())
    assert row[-2] == "3"
    assert "5020" in row[-1]
    assert "4884" in row[-1]


def test_it_opens_in_dutch_excel_with_its_letters() -> None:
    school()
    job = import_of([pupil(1, Voornaam="Zoë", Achternaam="")])

    data = b"".join(error_file(job))

    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 2
    assert "Zoë" in data.decode("utf-8-sig")


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_no_cell_can_be_calculated(cell: str) -> None:
    school()
    job = import_of([pupil(1, Voornaam=cell, Achternaam="")])

    _header, row = cells(job)

    assert row[1] == f"'{cell}"


def test_a_mended_error_file_goes_in_and_gives_the_original_text() -> None:
    school()
    job = import_of([pupil(1, Voornaam="=Sanne", Achternaam="")])
    mended = b"".join(error_file(job)).replace(b"Sanne;van den;;", b"Sanne;van den;Berg;")

    again = run_import(job=import_of(mended))

    assert results(again) == {2: "created"}
    assert again.rows.get().values["first_name"] == "=Sanne"
    assert len(again.summary["ignored"]) == 2


def test_a_reason_names_the_column_as_the_file_does() -> None:
    school()
    row = {("distributorPersonID" if k == "Klantnummer" else k): v for k, v in person().items()}

    job = import_of([row | {"distributorPersonID": ""}])

    assert said(job, 2)[0][2] == "distributor_person_id"
    assert "distributorPersonID:" in cells(job)[1][-1]


@pytest.mark.parametrize(
    ("title", "stem"),
    [("leerlingen 2V.csv", "leerlingen-2v"), ("../../x;\r\n.csv", "x"), ("", "import")],
)
def test_the_name_of_the_file_is_plain_whatever_was_uploaded(title: str, stem: str) -> None:
    name = error_file_name(Job(title=title))

    assert name.startswith(f"{stem}-")
    assert name.isascii()


def test_each_template_is_recognised_as_its_own_kind() -> None:
    for importer in importers():
        header = template_file(importer).decode("utf-8-sig").strip().split(";")

        assert recognise(header) is importer
