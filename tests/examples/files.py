"""The example files as the tests read them: rows by line, with the columns of the models."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DELIMITERS = {
    "persons.csv": ";",
    "person-credits.csv": ",",
    "school-credits.csv": "\t",
    "products.csv": ",",
}
COLUMNS = {
    "Klantnummer": "distributor_person_id",
    "Voornaam": "first_name",
    "Tussenvoegsel": "preposition",
    "Achternaam": "surname",
    "Geboortedatum": "date_of_birth",
    "Geslacht": "gender",
    "Status": "person_state",
    "E-mail": "email",
    "Postcode": "postal_code",
    "Huisnummer": "house_number",
    "Land": "country_code",
    "ECK iD": "eck_id",
    "Schoolpersoonnummer": "distributor_school_person_id",
    "School-ID": "organisation_id",
    "Leerlingnummer": "school_student_number",
    "Rol": "role",
    "distributorPersonCreditID": "distributor_person_credit_id",
    "distributorSchoolPersonID": "distributor_school_person_id",
    "distributorSchoolCreditID": "distributor_school_credit_id",
    "organisationID": "organisation_id",
    "ean": "ean",
    "creditStartDate": "credit_start_date",
    "creditEndDate": "credit_end_date",
    "personProductState": "person_product_state",
    "contactName": "contact_name",
    "contactEmail": "contact_email",
    "schoolYear": "school_year",
    "amount": "amount",
    "title": "title",
    "publisher": "publisher",
}
PERSON_COLUMNS = tuple(COLUMNS.values())[:12]


@dataclass(frozen=True)
class Bad:
    column: str
    code: int | None
    key: str
    earlier_line: int | None


@dataclass(frozen=True)
class Normalised:
    column: str
    was: str
    becomes: str


@dataclass(frozen=True)
class Told:
    """What expected.json says of one file."""

    rows: int
    good: int
    warnings: list[int]
    skipped: list[int]
    normalised: dict[int, Normalised]
    bad: dict[int, Bad]


def read(file: str, folder: Path = EXAMPLES) -> dict[int, dict[str, str]]:
    """The rows of a file by line, by column of the model."""
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter=DELIMITERS[file], strict=True)
        return {
            number: {COLUMNS[label]: value for label, value in row.items()}
            for number, row in enumerate(rows, start=2)
        }


def expected() -> dict[str, dict[str, object]]:
    facts: dict[str, dict[str, object]] = json.loads(
        (EXAMPLES / "expected.json").read_text(encoding="utf-8")
    )
    return facts


def told(file: str) -> Told:
    facts = json.loads((EXAMPLES / "expected.json").read_text(encoding="utf-8"))[file]
    return Told(
        rows=facts["rows"],
        good=facts["good"],
        warnings=facts["warnings"],
        skipped=facts["skipped"],
        normalised={
            int(line): Normalised(change["column"], change["from"], change["to"])
            for line, change in facts["normalised"].items()
        },
        bad={
            int(line): Bad(
                reason["column"], reason["code"], reason["key"], reason.get("earlier_line")
            )
            for line, reason in facts["bad"].items()
        },
    )


def good_rows(file: str) -> dict[int, dict[str, str]]:
    """The rows that an import takes in, normalised."""
    facts = told(file)
    rows = {
        line: row
        for line, row in read(file).items()
        if line not in facts.bad and line not in facts.skipped
    }
    for line, change in facts.normalised.items():
        rows[line] = rows[line] | {change.column: change.becomes}
    return rows


def person_part(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[column] for column in PERSON_COLUMNS)
