"""Write the example school year: `make examples`, or with a folder as argument to look at it first.

The same bytes each time: what the year is made from stands in `example_year/`.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from example_year.people import make_people
from example_year.rows import (
    PERSON_COLUMNS,
    PERSON_CREDIT_COLUMNS,
    SCHOOL_CREDIT_COLUMNS,
    Row,
    Titles,
    person_credit_rows,
    person_rows,
    school_credit_rows,
)
from example_year.source import DATA, SCHOOLS
from example_year.stories import scenarios, story_rows
from example_year.told import expected, readme

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
OURS_ALONE = ("postcodes", "classes", "teachers", "student_numbers")


def make_files() -> dict[str, str]:
    """Every example file by name."""
    people, titles = make_people(), Titles()
    files: dict[str, list[Row]] = {
        "persons.csv": person_rows(people),
        "person-credits.csv": person_credit_rows(people, titles),
        "school-credits.csv": school_credit_rows(titles),
    }
    facts = expected(files)
    stories = story_rows(titles)
    return {
        "scenarios.json": as_json(list(scenarios(titles))),
        "scenarios/persons.csv": as_csv(PERSON_COLUMNS, stories.persons, ";"),
        "scenarios/person-credits.csv": as_csv(PERSON_CREDIT_COLUMNS, stories.credits, ","),
        "scenarios/school-credits.csv": as_csv(SCHOOL_CREDIT_COLUMNS, stories.school_credits, "\t"),
        "schools.json": as_json([school_record(school) for school in SCHOOLS]),
        "persons.csv": as_csv(PERSON_COLUMNS, values(files["persons.csv"]), ";"),
        "person-credits.csv": as_csv(
            PERSON_CREDIT_COLUMNS, values(files["person-credits.csv"]), ","
        ),
        "school-credits.csv": as_csv(
            SCHOOL_CREDIT_COLUMNS, values(files["school-credits.csv"]), "\t"
        ),
        "products.csv": as_csv(("ean", "title", "publisher"), products(titles), ","),
        "expected.json": as_json(facts),
        "README.md": readme(files, facts),
    }


def values(rows: Iterable[Row]) -> list[dict[str, str]]:
    return [row.values for row in rows]


def school_record(school: Mapping[str, object]) -> dict[str, object]:
    """A school as the sandbox reads it: without what only this generator needs."""
    return {name: value for name, value in school.items() if name not in OURS_ALONE}


def products(titles: Titles) -> list[dict[str, str]]:
    """By EAN; every title was asked for by now."""
    return [
        {"ean": ean, "title": title, "publisher": DATA["publishers"][prefix]["name"]}
        for ean, (prefix, _, title) in sorted(
            (ean, named.partition("|")) for named, ean in titles.eans.items()
        )
    ]


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in make_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{folder}: the example school year is written")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES)
