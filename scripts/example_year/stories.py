"""Pupils whose access is broken: their rows, and what must come out (`stories.toml`)."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from example_year.rows import (
    FIRST_DAY,
    LAST_DAY,
    PERSON_COLUMNS,
    PERSON_CREDIT_COLUMNS,
    SCHOOL_CREDIT_COLUMNS,
    Titles,
)
from example_year.source import DATA, SCHOOLS, plain_ascii

TOLD = tomllib.loads(Path(__file__).with_name("stories.toml").read_text(encoding="utf-8"))
ORGANISATIONS = {school["name"]: school["organisationID"] for school in SCHOOLS}
USUAL_SCHOOL = "Het Baken College"
FIRST_NUMBER = 1001

Values = dict[str, str]
Story = Mapping[str, Any]


@dataclass
class Rows:
    """The rows of the three files."""

    persons: list[Values] = field(default_factory=list)
    credits: list[Values] = field(default_factory=list)
    school_credits: list[Values] = field(default_factory=list)


def story_rows(titles: Titles) -> Rows:
    rows = Rows()
    for number, story in enumerate(TOLD["stories"], start=FIRST_NUMBER):
        key = f"D{number}"
        tell(rows, titles, story, key)
        if "twin" in story:
            tell(rows, titles, {**story, "books": story["twin"]}, f"{key}B")
        if "licences" in story:
            rows.school_credits.append(licences(titles, story, key))
    return rows


def tell(rows: Rows, titles: Titles, story: Story, key: str) -> None:
    """One person, at one school or two, with the credits on each."""
    schools = [story.get("school", USUAL_SCHOOL)]
    books = [story.get("books", [])]
    if "second_school" in story:
        schools.append(story["second_school"])
        books.append(story["second_books"])
    for place, school in enumerate(schools, start=1):
        rows.persons.append(person(story, key, place, school))
        for line, book in enumerate(books[place - 1], start=1):
            rows.credits.append(credit(titles, book, f"{key}-{place}", line))


def person(story: Story, key: str, place: int, school: str) -> Values:
    first_name, preposition, surname, gender, born = story["who"]
    number = story.get("student_number", f"8{key.strip('DB')[1:]}{place}{len(key)}")
    address = f"{plain_ascii(first_name)}.{plain_ascii(preposition + surname)}"
    values = (
        *(key, first_name, preposition, surname, born.strftime("%d-%m-%Y"), gender, "A"),
        # An address of its own: the same name and birth date is what makes two look alike.
        *(f"{address}.{key.lower()}@example.nl", story.get("postcode", "3063 BK"), "12", "NL", ""),
        *((f"{key}-{place}", ORGANISATIONS[school], number) if school else ("", "", "")),
        "Student" if school else "",
    )
    return dict(zip(PERSON_COLUMNS, values, strict=True))


def credit(titles: Titles, book: Mapping[str, Any], place: str, line: int) -> Values:
    start, end = book.get("start"), book.get("end")
    values = (
        *(f"{place}-T{line}", place, titles.ean(book["title"])),
        start.isoformat() if start else FIRST_DAY,
        end.isoformat() if end else LAST_DAY,
        *("Active", str(book.get("year", DATA["school_year"]))),
    )
    return dict(zip(PERSON_CREDIT_COLUMNS, values, strict=True))


def licences(titles: Titles, story: Story, key: str) -> Values:
    values = (
        *(f"{key}-S", ORGANISATIONS[story["school"]], titles.ean(story["asked"])),
        *(FIRST_DAY, LAST_DAY, "Jan-Willem van 't Zand", "leermiddelen@example.org"),
        *(str(DATA["school_year"]), str(story["licences"])),
    )
    return dict(zip(SCHOOL_CREDIT_COLUMNS, values, strict=True))


def scenarios(titles: Titles) -> Iterator[dict[str, str]]:
    """What must come out: `manage.py why PERSON --ean EAN --date DATE --json` names the verdict."""
    for number, story in enumerate(TOLD["stories"], start=FIRST_NUMBER):
        asked = story.get("asked") or story["books"][0]["title"]
        yield {
            "name": story["name"],
            "person": f"D{number}",
            "ean": titles.ean(asked),
            "date": TOLD["day"].isoformat(),
            "verdict": story["verdict"],
            "action": story["action"],
            "story": story["story"],
        }
