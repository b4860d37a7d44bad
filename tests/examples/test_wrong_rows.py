"""Every row that is wrong, or nearly, is listed; and the product's own rules say the same of it."""

import json
import re
from datetime import date

import pytest

from backoffice.eduix.rules import Finding, check

from .files import EXAMPLES, good_rows, person_part, read, told

FILES = ("persons.csv", "person-credits.csv", "school-credits.csv")
OBJECTS = {
    "persons.csv": ("person", "schoolperson"),
    "person-credits.csv": ("personCredit",),
    "school-credits.csv": ("schoolCredit",),
}
TODAY = date(2026, 11, 2)


def iso_dates(row: dict[str, str]) -> dict[str, str]:
    """Dates as the service writes them: 14-03-2013 is 2013-03-14."""
    return {
        column: re.sub(r"^(\d{2})-(\d{2})-(\d{4})$", r"\3-\2-\1", value)
        for column, value in row.items()
    }


def findings(file: str, row: dict[str, str]) -> list[Finding]:
    return [
        finding for owner in OBJECTS[file] for finding in check(owner, iso_dates(row), today=TODAY)
    ]


def known_schools() -> set[str]:
    schools = json.loads((EXAMPLES / "schools.json").read_text(encoding="utf-8"))
    return {school["organisationID"] for school in schools}


@pytest.mark.parametrize("file", FILES)
def test_the_counts_of_a_file_add_up(file: str) -> None:
    facts = told(file)

    assert facts.rows == len(read(file))
    assert facts.rows == facts.good + len(facts.skipped) + len(facts.bad)


@pytest.mark.parametrize("file", FILES)
def test_the_rules_refuse_no_row_that_counts_as_good(file: str) -> None:
    errors = {
        line: found
        for line, row in good_rows(file).items()
        if (found := [f for f in findings(file, row) if f.severity == "error"])
    }

    assert errors == {}


@pytest.mark.parametrize("file", FILES)
def test_the_rules_warn_of_the_listed_rows_and_of_no_other(file: str) -> None:
    warned = [
        line
        for line, row in good_rows(file).items()
        if any(f.severity == "warning" for f in findings(file, row))
    ]

    assert warned == told(file).warnings


@pytest.mark.parametrize("file", FILES)
def test_a_refused_row_has_one_fault_and_the_code_of_the_rules(file: str) -> None:
    rows = read(file)
    by_rule = {
        line: [(f.column, f.code) for f in findings(file, rows[line]) if f.severity == "error"]
        for line in told(file).bad
    }

    for line, reason in told(file).bad.items():
        if by_rule[line]:
            assert by_rule[line] == [(reason.column, reason.code)], line
        else:
            assert reason.earlier_line or reason.code in {6727, 5087, 5124}, line


def test_no_rule_of_one_field_knows_the_school_the_school_person_or_the_return() -> None:
    persons, credits_ = read("persons.csv"), read("person-credits.csv")
    school_persons = {
        row["distributor_school_person_id"] for row in good_rows("persons.csv").values()
    }

    unknown_school = [
        line for line, row in persons.items() if row["organisation_id"] not in known_schools()
    ]
    unknown_person = [
        line
        for line, row in credits_.items()
        if row["distributor_school_person_id"] not in school_persons
    ]
    returned = [line for line, row in credits_.items() if row["person_product_state"] == "Returned"]

    assert [told("persons.csv").bad[line].code for line in unknown_school] == [6727]
    assert [told("person-credits.csv").bad[line].code for line in unknown_person] == [5087]
    assert [told("person-credits.csv").bad[line].code for line in returned] == [5124]


@pytest.mark.parametrize("file", FILES)
def test_a_skipped_row_is_equal_to_an_earlier_one(file: str) -> None:
    rows = read(file)

    for line in told(file).skipped:
        assert rows[line] in [row for earlier, row in rows.items() if earlier < line]


@pytest.mark.parametrize("file", FILES)
def test_every_equal_row_is_listed_as_skipped(file: str) -> None:
    seen: list[dict[str, str]] = []
    repeated = []
    for line, row in read(file).items():
        if row in seen:
            repeated.append(line)
        seen.append(row)

    assert repeated == told(file).skipped


def test_a_key_with_other_data_names_the_earlier_line() -> None:
    rows = read("person-credits.csv")
    ((line, reason),) = [
        (line, reason)
        for line, reason in told("person-credits.csv").bad.items()
        if reason.earlier_line
    ]

    earlier = rows[reason.earlier_line or 0]

    assert reason.column == "distributor_person_credit_id"
    assert rows[line][reason.column] == earlier[reason.column] == reason.key
    assert rows[line] != earlier


def test_two_kinds_of_contradiction_stand_in_the_persons() -> None:
    rows = read("persons.csv")
    contradictions = [
        (rows[line], rows[reason.earlier_line], reason.column)
        for line, reason in told("persons.csv").bad.items()
        if reason.earlier_line
    ]

    (row, earlier, column), (second_school, home, person_column) = contradictions

    assert column == "distributor_school_person_id"
    assert row[column] == earlier[column]
    assert person_part(row) == person_part(earlier)
    assert person_column == "distributor_person_id"
    assert second_school[person_column] == home[person_column]
    assert second_school["distributor_school_person_id"] != home["distributor_school_person_id"]
    assert person_part(second_school) != person_part(home)


def test_a_normalised_row_holds_what_was_written_and_becomes_what_the_service_wants() -> None:
    rows = read("persons.csv")
    changes = told("persons.csv").normalised

    assert all(rows[line][change.column] == change.was for line, change in changes.items())
    assert {(change.was, change.becomes) for change in changes.values()} == {
        ("3031kl", "3031 KL"),
        ("Nederland", "NL"),
        ("leerling", "Student"),
        ("docent", "Teacher"),
        ("m", "M"),
        ("v", "F"),
    }


@pytest.mark.parametrize("file", FILES)
def test_the_readme_names_every_listed_line(file: str) -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    table = text.partition("## Rows that are wrong")[2]
    found = re.findall(rf"^\| `{file}` \| (\d+)(?: \(as \d+\))? \|", table, flags=re.MULTILINE)

    facts = told(file)

    assert sorted(map(int, found)) == sorted(
        [*facts.warnings, *facts.skipped, *facts.normalised, *facts.bad]
    )


def test_some_twenty_rows_are_refused_for_different_reasons() -> None:
    reasons = [
        (file, reason.column, reason.code) for file in FILES for reason in told(file).bad.values()
    ]

    assert len(reasons) == 23
    assert len(set(reasons)) == 22  # two dates of birth are wrong, one impossible and one to come
