"""Files and schools as the tests of imports need them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from backoffice.jobs.models import Job
from backoffice.jobs.services import create_import_job
from persons.models import School
from tests.factories import SchoolFactory

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BAKEN = "5d0a3c1e-7b42-4f6a-9c58-2f1b0e64a701"
BRUG = "b81f6e20-3d95-4a17-8e0c-64c7d9a2f302"

PERSON = {
    "Klantnummer": "K1",
    "Voornaam": "Sanne",
    "Tussenvoegsel": "van den",
    "Achternaam": "Berg",
    "Geboortedatum": "04-03-2012",
    "Geslacht": "F",
    "Status": "A",
    "E-mail": "sanne@example.nl",
    "Postcode": "3011 AB",
    "Huisnummer": "12",
    "Land": "NL",
    "ECK iD": "",
    "Schoolpersoonnummer": "K1-1",
    "School-ID": BAKEN,
    "Leerlingnummer": "20419",
    "Rol": "Student",
}
PERSON_CREDIT = {
    "distributorPersonCreditID": "C1",
    "distributorSchoolPersonID": "K1-1",
    "ean": "9789001205416",
    "creditStartDate": "2026-08-01",
    "creditEndDate": "2027-07-31",
    "personProductState": "Active",
    "schoolYear": "2627",
}
SCHOOL_CREDIT = {
    "distributorSchoolCreditID": "S1",
    "organisationID": BAKEN,
    "ean": "9789001205416",
    "creditStartDate": "2026-08-01",
    "creditEndDate": "2027-07-31",
    "contactName": "Mw. De Wit",
    "contactEmail": "boeken@example.nl",
    "schoolYear": "2627",
    "amount": "30",
}


def person(**changes: str) -> dict[str, str]:
    """A row of persons.csv; names with a sign in them are passed as `**{"ECK iD": …}`."""
    return {**PERSON, **changes}


def pupil(number: int, **changes: str) -> dict[str, str]:
    """One of many pupils, each with keys and an address of their own."""
    return person(
        **{
            "Klantnummer": f"K{number}",
            "Schoolpersoonnummer": f"K{number}-1",
            "Achternaam": f"Berg{number}",
            "E-mail": f"p{number}@example.nl",
            **changes,
        }
    )


def table(rows: list[dict[str, str]], *, delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    """The rows as a file, with the first row's names as header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def import_of(data: bytes | list[dict[str, str]], kind: str = "", **options: Any) -> Job:
    """A checked import of these bytes or rows."""
    content = data if isinstance(data, bytes) else table(data)
    stream = io.BytesIO(content)
    return create_import_job(name="file.csv", stream=stream, kind=kind, **options)


def school(organisation_id: str = BAKEN) -> School:
    """A school that is known here."""
    found: School = SchoolFactory(organisation_id=organisation_id)
    return found


def example_schools() -> None:
    """The schools of the examples, as if Edu-iX had told of them."""
    for each in json.loads((EXAMPLES / "schools.json").read_text(encoding="utf-8")):
        SchoolFactory(organisation_id=each["organisationID"], name=each["name"])


def results(job: Job) -> dict[int, str]:
    """What became of each line."""
    return dict(job.rows.values_list("number", "result"))


def said(job: Job, number: int) -> list[tuple[str, str, str, int | None]]:
    """The remarks on a line: severity, key, column, code."""
    row = job.rows.get(number=number)
    return [(r["severity"], r["key"], r["column"], r["code"]) for r in row.findings]
