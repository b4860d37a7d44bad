"""The page of history tells what imports did to a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from backoffice.jobs.models import Job
from persons.models import Person, SchoolPerson
from tests.jobs.given import person, school, table

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def imported(tmp_path: Path) -> None:
    """One person by a file, who moved by the next one, and did nothing by the third."""
    school()
    for name, code in (("first.csv", "3011 AB"), ("moved.csv", "3012 CD"), ("same.csv", "3012 CD")):
        path = tmp_path / name
        path.write_bytes(table([person(Postcode=code)]))
        call_command("import", "persons", str(path))


def history(client: Client, row: Any) -> str:
    client.cookies["django_language"] = "en"
    name = row._meta.model_name
    return client.get(f"/admin/persons/{name}/{row.pk}/history/").content.decode()


def test_what_an_import_made_and_changed_stands_in_the_history(
    imported: None, manager: Client
) -> None:
    page = history(manager, Person.objects.get())

    assert "first.csv" in page
    assert "moved.csv" in page
    assert "same.csv" not in page
    assert "<strong>postal code:</strong> 3011 AB &rarr; 3012 CD" in page
    job = Job.objects.get(title="moved.csv")
    assert f'<a href="{reverse("admin:import_job", args=[job.pk])}">moved.csv</a>' in page


def test_the_place_at_the_school_was_made_and_never_changed(
    imported: None, manager: Client
) -> None:
    page = history(manager, SchoolPerson.objects.get())

    assert "first.csv" in page
    assert "moved.csv" not in page


def test_who_may_not_import_reads_it_without_the_link(
    imported: None, signed_in: Callable[..., Client]
) -> None:
    page = history(signed_in("persons.view_person"), Person.objects.get())

    assert "moved.csv" in page
    assert ">moved.csv</a>" not in page


def test_a_preview_did_nothing_yet(tmp_path: Path, manager: Client) -> None:
    school()
    path = tmp_path / "only-a-look.csv"
    path.write_bytes(table([person()]))
    call_command("import", "persons", str(path))
    Job.objects.update(status=Job.Status.PREVIEW)

    assert "only-a-look.csv" not in history(manager, Person.objects.get())
