"""Files that go in and come out: uploads, examples, templates, refused rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.jobs.models import Job
from tests.jobs.given import EXAMPLES, example_schools, import_of, person, pupil, school, table
from tests.jobs.views.conftest import START, Elements, text_of, upload, url

pytestmark = pytest.mark.django_db


BAD_UPLOADS = {
    "a workbook": b"PK\x03\x04 [Content_Types].xml xl/",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "empty": b"",
    "only a header": table([person()]).splitlines()[0],
    "a missing column": table([person()]).replace(b"Achternaam", b"Naam"),
    "two encodings": table([person(Voornaam="Zoë")]) + "Zoë\n".encode("cp1252"),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_a_bad_file_gives_the_form_again_with_one_sentence(name: str, importer: Client) -> None:
    answer = upload(importer, BAD_UPLOADS[name])

    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count('class="errornote"') == 1
    assert "Traceback" not in page
    assert not Job.objects.exists()


def test_a_form_without_a_file_says_so(importer: Client) -> None:
    answer = importer.post(START, {"kind": "persons"})

    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["x", "persons; drop"])
def test_an_unknown_kind_is_refused(kind: str, importer: Client) -> None:
    assert upload(importer, table([person()]), kind=kind).status_code == 422


def test_an_upload_above_the_limit_is_not_stored_and_told(
    importer: Client, settings: Any, tmp_path: Path
) -> None:
    settings.IMPORT_MAX_BYTES = 70_000
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    answer = upload(importer, table([person()]) + b"\n" * 1_000_000)

    assert answer.status_code == 422
    assert "MB" in text_of(answer)
    assert all(file.stat().st_size <= 70_000 for file in tmp_path.iterdir())


def test_a_cell_full_of_markup_is_shown_as_text(importer: Client) -> None:
    school()
    payload = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 }}'
    rows = [pupil(1, Voornaam=payload[:50]), pupil(2, Achternaam=payload), pupil(3, Rol=payload)]
    extra = [row | {f"<b>{payload}": payload} for row in rows]
    clean = upload(importer, table([pupil(n) for n in (4, 5, 6)])) and Job.objects.latest("pk")
    upload(importer, table(extra), name="<script>x.csv")
    job = Job.objects.latest("pk")

    for result in ("all", "refused", "created"):
        page = importer.get(url("job", job) + f"?result={result}").content.decode()
        ordinary = importer.get(url("job", clean) + "?result=all").content.decode()

        found = set(Elements(page).found)
        assert "<script>alert" not in page
        assert "@onerror" not in found
        assert Elements(page).found.count("script") == Elements(ordinary).found.count("script")
        assert "img" not in found
    assert "<script>x" not in importer.get(START).content.decode()


def test_the_example_files_are_one_click_away_on_one_machine(importer: Client) -> None:
    example_schools()

    answer = importer.post(START, {"example": "products.csv"})

    job = Job.objects.get()
    assert answer["Location"] == url("job", job)
    assert job.total == 40
    page = importer.get(START).content.decode()
    assert all(f'value="{file.name}"' in page for file in EXAMPLES.glob("*.csv"))


@pytest.mark.parametrize("name", ["../manage.py", "/etc/passwd", "expected.json", "x.csv"])
def test_no_other_file_can_be_read_as_an_example(name: str, importer: Client) -> None:
    assert importer.post(START, {"example": name}).status_code == 422


def test_there_are_no_examples_where_real_pupils_are(importer: Client, settings: Any) -> None:
    settings.BACKOFFICE_ENV = "production"

    assert importer.post(START, {"example": "products.csv"}).status_code == 422
    assert 'name="example"' not in importer.get(START).content.decode()


@pytest.mark.parametrize("kind", ["persons", "person-credits", "school-credits", "products"])
def test_each_template_can_be_downloaded(kind: str, importer: Client) -> None:
    answer = importer.get(reverse("admin:import_template", args=[kind]))

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}.csv"'


def test_an_unknown_template_is_not_found(importer: Client) -> None:
    assert importer.get(reverse("admin:import_template", args=["x"])).status_code == 404


def test_the_refused_rows_can_be_downloaded(importer: Client) -> None:
    school()
    job = import_of([pupil(1, Achternaam="")])

    answer = importer.get(url("errors", job))

    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert "no-store" in answer["Cache-Control"]
    assert b"5020" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
