import ast
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import backoffice.desk.shift
from backoffice.desk.shift import (
    FIRST_DAY,
    Shift,
    moved,
    shift_date,
    shift_examples,
    shift_school_year,
    shift_table,
    shift_to,
)

from .files import EXAMPLES, good_rows, read, told

days = st.dates(min_value=date(2010, 8, 1), max_value=date(2099, 7, 31))
first_terms = days.filter(lambda day: day.month >= 8)
other_days = days.filter(lambda day: day.month < 8)
shifts = st.builds(Shift, months=st.integers(-200, 900), years=st.integers(-16, 72))
SOME_DAYS = [
    date(2024, 2, 29),
    date(2025, 12, 31),
    date(2026, 8, 1),
    date(2027, 1, 1),
    date(2027, 7, 31),
    date(2032, 2, 29),
]


def first_day_for(today: date) -> date:
    first_day = moved(FIRST_DAY, shift_to(today).months)
    assert first_day is not None
    return first_day


@given(first_terms)
def test_from_august_the_school_year_is_that_of_today(today: date) -> None:
    assert first_day_for(today) == date(today.year, 8, 1)
    assert shift_to(today).months == 12 * shift_to(today).years


@given(other_days)
def test_from_january_the_first_term_began_8_to_14_weeks_ago(today: date) -> None:
    began = first_day_for(today)

    assert began.day == 1
    assert timedelta(weeks=8) <= today - began <= timedelta(weeks=14)


@given(days)
def test_the_code_of_the_school_year_is_that_of_today(today: date) -> None:
    first = today.year if today.month >= 8 else today.year - 1

    code = shift_school_year("2627", shift_to(today).years)

    assert code == f"{first % 100:02d}{first % 100 + 1:02d}"


@given(days)
def test_a_wrong_school_year_stays_wrong(today: date) -> None:
    code = shift_school_year("2628", shift_to(today).years)

    assert (int(code[2:]) - int(code[:2])) % 100 == 2


@given(days, st.dates(date(1960, 1, 1), date(2016, 12, 31)))
def test_ages_in_the_school_year_stay_the_same(today: date, born: date) -> None:
    years = shift_to(today).years

    new = date.fromisoformat(shift_date(born.isoformat(), 12 * years))

    assert new.year == born.year + years
    assert (new.month, new.day) == (born.month, born.day) or (
        (born.month, born.day, new.day) == (2, 29, 28)
    )


@given(days)
def test_a_birth_in_the_future_stays_in_the_future(today: date) -> None:
    born = shift_date("14-05-2112", 12 * shift_to(today).years)

    assert date(int(born[6:]), 5, 14) > today
    assert born[:6] == "14-05-"


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.integers(-1000, 1000))
def test_a_moved_day_is_the_same_day_of_the_month_or_its_last(day: date, months: int) -> None:
    new = moved(day, months)

    assert new is not None
    assert 12 * (new.year - day.year) + new.month - day.month == months
    assert new.day == day.day or (new.day < day.day and (new + timedelta(days=1)).day == 1)


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.integers(-1000, 1000),
)
def test_moving_keeps_the_order_of_days(one: date, other: date, months: int) -> None:
    new_one, new_other = moved(one, months), moved(other, months)

    assert new_one is not None
    assert new_other is not None
    assert (new_one <= new_other) >= (one <= other)


@given(
    st.integers(-1000, 1000), st.sampled_from(["31-02-2012", "2026-09-31", "2026-13-01", "", "?"])
)
def test_what_is_no_date_stays_as_it_is(months: int, text: str) -> None:
    assert shift_date(text, months) == text


@pytest.mark.parametrize(
    ("text", "months", "moved_text"),
    [
        ("2026-08-01", 5, "2027-01-01"),
        ("01-08-2026", 5, "01-01-2027"),
        ("1-8-2026", -12, "1-8-2025"),
        ("29-02-2012", 12, "28-02-2013"),
        ("29-02-2012", 48, "29-02-2016"),
        ("2027-07-31", -1, "2027-06-30"),
        ("9999-12-31", 12, "9999-12-31"),
    ],
)
def test_a_date_keeps_its_form(text: str, months: int, moved_text: str) -> None:
    assert shift_date(text, months) == moved_text


def test_a_day_without_a_school_year_code_is_refused() -> None:
    assert shift_to(date(2099, 7, 31)).years == 72
    with pytest.raises(ValueError, match="2099-08-01"):
        shift_to(date(2099, 8, 1))
    with pytest.raises(ValueError, match="2010-07-31"):
        shift_to(date(2010, 7, 31))


TABLE = (
    '\ufeff School Year ;Naam;"creditStartDate";Geboortedatum\r\n'
    '2627;"Jansen; de ""oude""\r\n2026-08-01";"2026-08-01"; 29-02-2012 \r\n'
    "2628;2026-08-01;31-02-2012;\r\n"
    "\r\n"
    "2627;te kort"
)
MOVED_TABLE = (
    '\ufeff School Year ;Naam;"creditStartDate";Geboortedatum\r\n'
    '2728;"Jansen; de ""oude""\r\n2026-08-01";"2027-12-01"; 28-02-2013 \r\n'
    "2729;2026-08-01;31-02-2012;\r\n"
    "\r\n"
    "2728;te kort"
)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_only_dates_change_whatever_the_delimiter_and_encoding(
    delimiter: str, encoding: str
) -> None:
    content = TABLE.replace(";", delimiter).encode(encoding)

    new_content, changed = shift_table(content, Shift(months=16, years=1))

    assert new_content == MOVED_TABLE.replace(";", delimiter).encode(encoding)
    assert changed == 5


def test_windows_1252_comes_back_byte_for_byte() -> None:
    content = "Achternaam;Geboortedatum\nCoëlho “€”;14-03-2013\n".encode("cp1252")

    new_content, _ = shift_table(content, Shift(months=12, years=1))

    assert new_content.decode("cp1252") == "Achternaam;Geboortedatum\nCoëlho “€”;14-03-2014\n"


@given(st.text(alphabet='ab;,\t"\r\n2026-083 é'), shifts)
def test_a_table_without_columns_of_dates_is_never_changed(text: str, shift: Shift) -> None:
    content = text.encode()

    assert shift_table(content, shift) == (content, 0)


@given(st.text(alphabet='a;"\r\n-0126 ', max_size=60), shifts)
def test_a_moved_table_keeps_its_lines_and_its_quotes(text: str, shift: Shift) -> None:
    content = f"creditStartDate;schoolYear\n{text}".encode()

    there, _ = shift_table(content, shift)

    assert shift_table(there, Shift(0, 0)) == (there, 0)
    assert len(there.splitlines()) == len(content.splitlines())
    assert Counter(there)[ord('"')] == Counter(content)[ord('"')]


@pytest.mark.parametrize("today", SOME_DAYS, ids=str)
def test_a_copy_has_the_same_rows_wrong(tmp_path: Path, today: date) -> None:
    result = shift_examples(EXAMPLES, tmp_path, today)

    assert {path.name for path in result.files} == {
        path.name for path in EXAMPLES.iterdir() if path.is_file() and path.suffix != ".md"
    }
    for file in ("persons.csv", "person-credits.csv", "school-credits.csv"):
        before, after = read(file), read(file, tmp_path)
        assert after.keys() == before.keys()
        for line in told(file).skipped:
            assert after[line] in [row for earlier, row in after.items() if earlier < line]
    assert (tmp_path / "schools.json").read_bytes() == (EXAMPLES / "schools.json").read_bytes()
    assert (tmp_path / "expected.json").read_bytes() == (EXAMPLES / "expected.json").read_bytes()


@pytest.mark.parametrize("today", SOME_DAYS, ids=str)
def test_most_credits_of_a_copy_are_valid_today(tmp_path: Path, today: date) -> None:
    result = shift_examples(EXAMPLES, tmp_path, today)

    copy = read("person-credits.csv", tmp_path)
    rows = [copy[line] for line in good_rows("person-credits.csv")]
    valid = [
        row
        for row in rows
        if row["credit_start_date"] <= today.isoformat() <= row["credit_end_date"]
    ]
    assert result.first_day <= today
    assert len(valid) > 800
    assert {row["school_year"] for row in rows} == {result.school_year}


def test_in_the_school_year_of_the_files_nothing_changes(tmp_path: Path) -> None:
    result = shift_examples(EXAMPLES, tmp_path, date(2026, 10, 5))

    assert result.changed_values == 0
    assert (result.school_year, result.first_day) == ("2627", FIRST_DAY)
    for path in result.files:
        assert path.read_bytes() == (EXAMPLES / path.name).read_bytes()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(today=days)
def test_only_dates_and_school_years_differ_in_a_copy(tmp_path: Path, today: date) -> None:
    shift_examples(EXAMPLES, tmp_path, today)

    may_differ = {"date_of_birth", "credit_start_date", "credit_end_date", "school_year"}
    for file in ("persons.csv", "person-credits.csv", "school-credits.csv", "products.csv"):
        for before, after in zip(read(file).values(), read(file, tmp_path).values(), strict=True):
            differ = {column for column in before if before[column] != after[column]}
            assert differ <= may_differ


def test_the_examples_are_never_shifted_in_place() -> None:
    with pytest.raises(ValueError, match="in place"):
        shift_examples(EXAMPLES, EXAMPLES / ".." / EXAMPLES.name, date(2026, 10, 5))


def test_a_folder_without_examples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no example files"):
        shift_examples(tmp_path, tmp_path / "copy", date(2026, 10, 5))

    assert not (tmp_path / "copy").exists()


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(backoffice.desk.shift.__file__).read_text(encoding="utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert modules == {"re", "calendar", "collections.abc", "dataclasses", "datetime", "pathlib"}
