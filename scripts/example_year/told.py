"""What is said about the example files: for people (README.md) and for tests (expected.json)."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from string import Template

from example_year.rows import Row
from example_year.source import DATA

KEYS = {
    "persons.csv": "Schoolpersoonnummer",
    "person-credits.csv": "distributorPersonCreditID",
    "school-credits.csv": "distributorSchoolCreditID",
}
Facts = dict[str, object]


def expected(files: dict[str, list[Row]]) -> dict[str, Facts]:
    """What an import of each file finds, by line; see examples/README.md for the meaning."""
    told = {file: import_facts(file, rows) for file, rows in files.items()}
    told["persons.csv"] |= person_facts(files["persons.csv"])
    told["person-credits.csv"] |= credit_facts(files["person-credits.csv"])
    return told


def import_facts(file: str, rows: list[Row]) -> Facts:
    bad: Facts = {}
    normalised: Facts = {}
    for row in rows:
        if row.fault is None:
            continue
        if row.fault.outcome == "refused":
            reason: Facts = {"column": row.fault.column, "code": row.fault.code}
            if row.original:
                reason["earlier_line"] = row.original.line
            bad[str(row.line)] = reason | {"key": row.values[KEYS[file]]}
        if row.fault.outcome == "normalised":
            (was,) = row.fault.change.values()
            normalised[str(row.line)] = {"column": row.fault.column, "from": was} | {
                "to": row.fault.becomes
            }
    return {
        "rows": len(rows),
        "good": len(good(rows)),
        "warnings": lines(rows, "warning"),
        "skipped": lines(rows, "skipped"),
        "normalised": normalised,
        "bad": bad,
    }


def good(rows: Iterable[Row]) -> list[Row]:
    """The rows that an import takes in."""
    return [row for row in rows if not row.fault or row.fault.outcome in ("warning", "normalised")]


def lines(rows: Iterable[Row], outcome: str) -> list[int]:
    return [row.line for row in rows if row.fault and row.fault.outcome == outcome]


def person_facts(rows: list[Row]) -> Facts:
    """Counts of people, and the lines that the stories of a demonstration hang on."""
    taken_in = good(rows)
    by_person: dict[str, list[Row]] = defaultdict(list)
    by_email: dict[str, list[Row]] = defaultdict(list)
    for row in taken_in:
        by_person[row.values["Klantnummer"]].append(row)
    for same_person in by_person.values():
        by_email[same_person[0].values["E-mail"]].append(same_person[0])
    by_email.pop("")
    teachers = [found for found in by_person.values() if is_teacher(found[0])]
    return {
        "persons": len(by_person),
        "pupils": len(by_person) - len(teachers),
        "teachers": len(teachers),
        "refused_by_edu_ix": {
            str(row.line): {"column": "postal_code", "code": 4967, "key": row.values["Klantnummer"]}
            for row in unknown_postcodes(rows)
        },
        "never_linked": [row.line for row in never_linked(rows)],
        "two_schools": several(by_person),
        "same_email": several(by_email),
    }


def unknown_postcodes(rows: Iterable[Row]) -> list[Row]:
    return [row for row in good(rows) if row.values["Postcode"] == DATA["postcode_unknown"]]


def never_linked(rows: Iterable[Row]) -> list[Row]:
    return [row for row in good(rows) if row.values["Leerlingnummer"].endswith("9999")]


def is_teacher(row: Row) -> bool:
    return row.values["Rol"] in ("Teacher", "docent")


def several(groups: dict[str, list[Row]]) -> list[list[int]]:
    return [[row.line for row in rows] for rows in groups.values() if len(rows) > 1]


def credit_facts(rows: list[Row]) -> Facts:
    """The lines of each publisher that does not simply accept."""
    troubled = [trouble["title"].partition("|")[0] for trouble in DATA["troubled"]]
    return {
        "publishers": {
            prefix: [row.line for row in good(rows) if row.values["ean"].startswith(prefix)]
            for prefix in troubled
        }
    }


def readme(files: dict[str, list[Row]], facts: dict[str, Facts]) -> str:
    template = Path(__file__).with_name("readme.md").read_text(encoding="utf-8")
    counts = {
        f"{file.partition('.')[0].replace('-', '_')}_{name}": str(found[name])
        for file, found in facts.items()
        for name in ("rows", "good")
    }
    return Template(template).substitute(
        counts,
        wrong_rows=fault_table(files),
        publishers=publisher_table(),
        unknown=line_list(unknown_postcodes(files["persons.csv"])),
        never_linked=line_list(never_linked(files["persons.csv"])),
    )


def line_list(rows: Iterable[Row]) -> str:
    return ", ".join(str(row.line) for row in rows)


def fault_table(files: dict[str, list[Row]]) -> str:
    table = []
    for file, rows in files.items():
        for row in rows:
            if row.fault:
                line = f"{row.line}" + (f" (as {row.original.line})" if row.original else "")
                cells = (f"`{file}`", line, row.fault.what, row.fault.outcome, row.fault.says)
                table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def publisher_table() -> str:
    return "\n".join(
        f"| `{prefix}` | {publisher['name']} | {publisher['answer']} |"
        for prefix, publisher in DATA["publishers"].items()
    )
