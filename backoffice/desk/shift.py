"""Move the example school year so that today lies in its first term.

The files under `examples/` speak of school year 2026-2027. A demonstration shows today, so it reads
a copy whose dates are moved. No Django here: `make demo` runs this before there is a database.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FIRST_DAY = date(2026, 8, 1)  # of the school year that the files speak of
FIRST_MONTH_OF_A_SCHOOL_YEAR = 8
MONTHS_UNDER_WAY = 2

BIRTH_COLUMNS = frozenset({"geboortedatum", "dateofbirth"})
DAY_COLUMNS = frozenset({"creditstartdate", "creditenddate"})
YEAR_COLUMNS = frozenset({"schoolyear"})

ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII)
DUTCH_DATE = re.compile(r"(?P<day>\d{1,2})-(?P<month>\d{1,2})-(?P<year>\d{4})", re.ASCII)
SCHOOL_YEAR = re.compile(r"(?P<first>\d{2})(?P<second>\d{2})", re.ASCII)


@dataclass(frozen=True)
class Shift:
    """How far a copy moves.

    `months` moves the days of the school year; `years` moves dates of birth and the code of the
    school year, so that everyone stays as old as the class asks for.
    """

    months: int
    years: int


@dataclass(frozen=True)
class ShiftResult:
    """What a copy has become: its school year as `2627`, the day on which its first term begins,
    the files written, and how many values of them differ from the source."""

    school_year: str
    first_day: date
    shift: Shift
    files: tuple[Path, ...]
    changed_values: int


def shift_examples(source: Path, target: Path, today: date) -> ShiftResult:
    """Copy the CSV and JSON files of `source` to `target`, with every date moved.

    From August to December the copy is the school year of today, to the day. From January to July
    no school year has its first term, so the term begins two months before this one (8 to 14 weeks
    ago), and only the code of the school year is that of today. What is no date stays as it is:
    the wrong rows stay wrong. Delimiter, quotes, line ends and encoding stay as well.

    Raises ValueError when there is nothing to copy, when source and target are one folder, and for
    a day whose school year has no code (2010-2011 up to 2098-2099 have one).
    """
    if source.resolve() == target.resolve():
        raise ValueError("The examples are never shifted in place: name another folder.")
    names = sorted(path.name for path in source.iterdir() if path.suffix in (".csv", ".json"))
    if not names:
        raise ValueError(f"There are no example files in {source}.")
    shift = shift_to(today)
    target.mkdir(parents=True, exist_ok=True)
    changed = 0
    for name in names:
        content = (source / name).read_bytes()
        if name.endswith(".csv"):
            content, changed_here = shift_table(content, shift)
            changed += changed_here
        (target / name).write_bytes(content)
    return ShiftResult(
        school_year=school_year_code(FIRST_DAY.year + shift.years),
        first_day=moved(FIRST_DAY, shift.months) or FIRST_DAY,
        shift=shift,
        files=tuple(target / name for name in names),
        changed_values=changed,
    )


def shift_to(today: date) -> Shift:
    """The move after which today lies in the first term."""
    in_first_term = today.month >= FIRST_MONTH_OF_A_SCHOOL_YEAR
    school_year = today.year if in_first_term else today.year - 1
    if not 2010 <= school_year <= 2098:
        raise ValueError(f"The school year of {today} has no code of four digits.")
    years = school_year - FIRST_DAY.year
    if in_first_term:
        return Shift(months=12 * years, years=years)
    months = 12 * (today.year - FIRST_DAY.year) + today.month - FIRST_DAY.month
    return Shift(months=months - MONTHS_UNDER_WAY, years=years)


def school_year_code(first: int) -> str:
    """2026 is 2627."""
    return f"{first % 100:02d}{(first + 1) % 100:02d}"


def shift_table(content: bytes, shift: Shift) -> tuple[bytes, int]:
    """The same table with its dates moved, and how many values changed."""
    text, encoding = decoded(content)
    columns: list[str] = []
    parts: list[str] = []
    changed = 0
    for line, place, value, end in fields(text):
        if line == 0:
            columns.append(column_name(value))
        elif place < len(columns):
            new_value = shift_value(columns[place], value, shift)
            changed += new_value != value
            value = new_value
        parts.append(value + end)
    return "".join(parts).encode(encoding), changed


def decoded(content: bytes) -> tuple[str, str]:
    """The text and the encoding that gives the same bytes back; a byte order mark stays in it."""
    if content.startswith(b"\xff\xfe"):
        return content.decode("utf-16-le"), "utf-16-le"
    if content.startswith(b"\xfe\xff"):
        return content.decode("utf-16-be"), "utf-16-be"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Windows-1252 in fact, but some bytes mean nothing there; dates read the same in both.
        return content.decode("latin-1"), "latin-1"


def fields(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Line, place, value and what ends it (a delimiter, a line end or nothing) of each field.

    Not the csv module: it forgets which values stood in quotes, and the copy is to differ from the
    source in its dates only.
    """
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(";,\t", key=header.count)
    field = re.compile(
        rf'(?P<value>"(?:[^"]|"")*"(?=[{delimiter}\r\n]|\Z)|[^{delimiter}\r\n]*)'
        rf"(?P<end>{delimiter}|\r\n|\r|\n|\Z)"
    )
    line = place = 0
    for found in field.finditer(text):
        yield line, place, found["value"], found["end"]
        line, place = (line, place + 1) if found["end"] == delimiter else (line + 1, 0)


def column_name(value: str) -> str:
    """A heading as the sets above have it: `Credit_Start_Date` is creditstartdate."""
    return re.sub(r"[\W_]", "", value).lower()


def shift_value(column: str, value: str, shift: Shift) -> str:
    core = value.strip(' \t\xa0"')
    if column in BIRTH_COLUMNS:
        new_core = shift_date(core, 12 * shift.years)
    elif column in DAY_COLUMNS:
        new_core = shift_date(core, shift.months)
    elif column in YEAR_COLUMNS:
        new_core = shift_school_year(core, shift.years)
    else:
        return value
    return value.replace(core, new_core, 1)


def shift_date(text: str, months: int) -> str:
    """The date in the form it had, moved; anything that is no date as it was."""
    found = ISO_DATE.fullmatch(text) or DUTCH_DATE.fullmatch(text)
    if not found:
        return text
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:  # 31 February is one of the wrong rows
        return text
    new_day = moved(day, months)
    if new_day is None:
        return text
    if found.re is ISO_DATE:
        return new_day.isoformat()
    day_width, month_width = len(found["day"]), len(found["month"])
    return f"{new_day.day:0{day_width}d}-{new_day.month:0{month_width}d}-{new_day.year:04d}"


def moved(day: date, months: int) -> date | None:
    """The same day of another month, or its last day; None beyond the calendar (9999-12-31)."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shift_school_year(text: str, years: int) -> str:
    """2627 moves both halves, so a school year whose halves do not fit stays one."""
    found = SCHOOL_YEAR.fullmatch(text)
    if not found:
        return text
    halves = (int(found[half]) + years for half in ("first", "second"))
    return "".join(f"{half % 100:02d}" for half in halves)
