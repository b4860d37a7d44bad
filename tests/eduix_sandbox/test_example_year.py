"""The example year meets the sandbox exactly as its own list of faults says."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.eduix_sandbox.server import SandboxServer
from tests.facts import members

from .callers import Caller, code_of, send
from .samples import DISTRIBUTOR

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
EXPECTED = json.loads((EXAMPLES / "expected.json").read_text(encoding="utf-8"))

LABELS = {
    "Voornaam": "firstName",
    "Tussenvoegsel": "preposition",
    "Achternaam": "surname",
    "Geboortedatum": "dateOfBirth",
    "Geslacht": "gender",
    "Status": "personState",
    "E-mail": "email",
    "Postcode": "postalCode",
    "Huisnummer": "houseNumber",
    "Land": "countryCode",
    "ECK iD": "eckID",
}
COLUMNS = {"postal_code": "postalCode", "country_code": "countryCode"}


def rows(name: str, delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row, without those that an import skips or refuses by itself."""
    expected = EXPECTED[name]
    left_out = {*expected["skipped"]}
    left_out |= {int(line) for line, bad in expected["bad"].items() if bad["code"] is None}
    with (EXAMPLES / name).open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file, delimiter=delimiter), start=2):
            if line not in left_out:
                yield line, row


def in_order(service: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    order = [row["element"] for row in members(service, name)]
    return {key: values[key] for key in order if values.get(key)}


def iso(day: str) -> str:
    return "-".join(reversed(day.split("-")))


class Year:
    """The whole year sent once, line by line: file -> line -> the code it was refused with."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.control = caller.sandbox.control
        self.codes: dict[str, dict[int, int]] = {}
        self.at_school: set[str] = set()
        self._known: set[str] = set()
        self.codes["persons.csv"] = {
            line: self._person(line, row) for line, row in rows("persons.csv", ";")
        }
        for name, delimiter, kind in (
            ("person-credits.csv", ",", "personCredit"),
            ("school-credits.csv", "\t", "schoolCredit"),
        ):
            operation = f"create{kind[0].upper()}{kind[1:]}"
            self.codes[name] = {
                line: self._send(operation, {kind: in_order("credit", kind, row)})
                for line, row in rows(name, delimiter)
            }

    def _send(self, operation: str, content: dict[str, Any]) -> int:
        answer = send(self.caller, operation, content)
        return 0 if answer.status == 200 else code_of(answer)

    def _person(self, line: int, row: dict[str, str]) -> int:
        change = EXPECTED["persons.csv"]["normalised"].get(str(line), {})
        values: dict[str, Any] = {wire: row[label] for label, wire in LABELS.items()}
        values["dateOfBirth"] = iso(values["dateOfBirth"])
        role = row["Rol"]
        if change.get("column") == "role":
            role = change["to"]
        elif change:
            values[COLUMNS.get(change["column"], change["column"])] = change["to"]
        key = row["Klantnummer"]
        values["distributorPerson"] = {
            "distributorID": DISTRIBUTOR,
            "distributorPersonID": key,
        }
        if key not in self._known:
            person = {"person": in_order("profile", "person", values)}
            if code := self._send("createPerson", person):
                return code
            self._known.add(key)
        schoolperson = {
            "distributorSchoolPersonID": row["Schoolpersoonnummer"],
            "organisationID": row["School-ID"],
            "distributorPersonID": key,
            "schoolStudentNumber": row["Leerlingnummer"],
            "role": role,
        }
        if code := self._send(
            "createSchoolperson",
            {"schoolperson": in_order("profile", "schoolperson", schoolperson)},
        ):
            return code
        self.at_school.add(row["Schoolpersoonnummer"])
        return 0


@pytest.fixture(scope="module")
def year() -> Iterator[Year]:
    with SandboxServer(distributor_id=DISTRIBUTOR, pace=0) as sandbox:
        sent = Year(Caller(sandbox))
        assert sandbox.control.wait_until_quiet(30)
        yield sent


def test_persons_are_refused_with_the_expected_codes_and_no_others(year: Year) -> None:
    told = EXPECTED["persons.csv"]
    expected = {
        int(line): row["code"]
        for line, row in {**told["bad"], **told["refused_by_edu_ix"]}.items()
        if row["code"] is not None
    }

    assert {line: code for line, code in year.codes["persons.csv"].items() if code} == expected


def test_credits_are_refused_with_the_expected_codes_or_for_want_of_their_pupil(
    year: Year,
) -> None:
    for name, delimiter in (("person-credits.csv", ","), ("school-credits.csv", "\t")):
        bad = {int(line): row["code"] for line, row in EXPECTED[name]["bad"].items()}
        for line, row in rows(name, delimiter):
            pupil = row.get("distributorSchoolPersonID")
            waits = pupil is not None and pupil not in year.at_school

            assert year.codes[name][line] == bad.get(line, 5087 if waits else 0), (name, line)


def test_pupils_that_nobody_links_stay_unlinked(year: Year) -> None:
    persons = {row.key: row for row in year.control.rows("person")}
    never = set(EXPECTED["persons.csv"]["never_linked"])
    marked = {row["Klantnummer"] for line, row in rows("persons.csv", ";") if line in never}

    assert len(marked) == 6
    assert not any(persons[key].user_id for key in marked)
    assert sum(bool(row.user_id) for row in persons.values()) > 50


def test_each_publisher_answers_as_the_list_of_examples_says(year: Year) -> None:
    outcomes: dict[str, set[tuple[str, int | None]]] = {}
    for row in year.control.rows("personCredit"):
        code = row.specification[-1].error_code if row.specification else None
        outcome = (row.specification_state, code)
        outcomes.setdefault(row.fields["ean"][:7], set()).add(outcome)

    assert ("Specified", None) in outcomes["9789001"]
    assert outcomes["9789034"] - {("", None)} == {("Fault", 117)}
    assert outcomes["9789028"] - {("", None)} == {("Fault", 2041)}
    assert outcomes["9789086"] == {("", None)}
