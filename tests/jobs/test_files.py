"""Every way in which people write a CSV file, and every way in which it is none."""

from __future__ import annotations

import io
import itertools

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from backoffice.jobs import files
from backoffice.jobs.files import BadFile, harmless, is_formula, open_table, plain

from .given import PERSON, table

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
DELIMITERS = (";", ",", "\t")


def opened(data: bytes) -> files.Table:
    return open_table(io.BytesIO(data))


def lines(data: bytes) -> list[tuple[int, tuple[str, ...]]]:
    return [(line.number, line.cells) for line in opened(data).rows()]


@pytest.mark.parametrize(("encoding", "delimiter"), list(itertools.product(ENCODINGS, DELIMITERS)))
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_encoding_delimiter_and_line_end_gives_the_same_rows(
    encoding: str, delimiter: str, newline: str
) -> None:
    text = newline.join(["naam|plaats", 'Zoë|"Den Haag|Zuid"', "Noëlle|\u2019s-Gravenhage", ""])
    data = text.replace("|", delimiter).encode(encoding)

    found = opened(data)

    assert found.delimiter == delimiter
    assert found.header == ("naam", "plaats")
    assert [line.cells for line in found.rows()] == [
        ("Zoë", f"Den Haag{delimiter}Zuid"),
        ("Noëlle", "\u2019s-Gravenhage"),
    ]


def test_rows_can_be_read_twice() -> None:
    found = opened(b"a;b\n1;2\n")

    assert list(found.rows()) == list(found.rows())


def test_a_reader_that_stops_early_leaves_the_stream_open() -> None:
    stream = io.BytesIO(b"a;b\n1;2\n3;4\n")
    found = open_table(stream)

    next(iter(found.rows()))

    assert not stream.closed
    assert len(list(found.rows())) == 2


def test_spaces_and_invisible_signs_around_a_cell_are_dropped() -> None:
    data = "\ufeff\u00a0naam ;\tplaats\u200b\n  Zoë\u00a0; \u202fHaarlem \n".encode()

    found = opened(data)

    assert found.header == ("naam", "plaats")
    assert [line.cells for line in found.rows()] == [("Zoë", "Haarlem")]


def test_a_quote_may_stand_behind_a_space_and_inside_a_cell() -> None:
    assert lines(b'a;b\n1; "x;y"\n2;5" screen\n') == [(2, ("1", "x;y")), (3, ("2", '5" screen'))]


def test_lines_are_counted_as_a_person_counts_them() -> None:
    data = b'\n\na;b\n"one\ntwo";1\n;\n\n2;3\n'

    found = opened(data)

    assert found.header_line == 3
    assert [line.number for line in found.rows()] == [4, 8]
    assert found.blank == 2


def test_the_first_line_of_excel_names_the_delimiter() -> None:
    found = opened(b"sep=,\r\nnaam;titel,plaats\r\nZoe,Haarlem\r\n")

    assert found.delimiter == ","
    assert found.header == ("naam;titel", "plaats")
    assert [line.number for line in found.rows()] == [3]


def test_known_names_decide_between_delimiters_that_both_occur_in_the_header() -> None:
    data = b"naam, voorletters, titel;ean\nx;1\n"

    assert open_table(io.BytesIO(data), names={"ean"}).delimiter == ";"
    assert open_table(io.BytesIO(data)).delimiter == ","


def test_empty_columns_at_the_right_are_no_columns() -> None:
    found = opened(b"a;b;;\n1;2;;\n")

    assert found.header == ("a", "b")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b'a;b\n1;"never closed\n2;3\n', "2"),
        (b'a;b\n1;2\n3;"opened\n4;"closed by the next"\n', "3"),
        (b'a;b\n"x"y;1\n', "2"),
        (b'a;b\n1;"' + b"line\n" * 80 + b'"\n', "2"),
    ],
    ids=["at the end", "by a later row", "text behind it", "far too long"],
)
def test_a_quote_that_is_never_closed_is_named_with_its_line(data: bytes, line: str) -> None:
    with pytest.raises(BadFile, match=rf"\b{line}\b"):
        list(opened(data).rows())


def test_a_line_longer_than_any_row_is_refused_without_reading_it_whole() -> None:
    with pytest.raises(BadFile, match="1"):
        opened(b"x" * (files.MAX_LINE + 10))


@pytest.mark.parametrize(
    "row", ["x" * (files.MAX_CELL + 1) + ";1", ";".join("1" * (files.MAX_COLUMNS + 1))]
)
def test_a_cell_or_row_beyond_all_measure_is_refused(row: str) -> None:
    with pytest.raises(BadFile, match="2"):
        list(opened(f"a;b\n{row}\n".encode()).rows())


def test_a_file_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_ROWS", 3)

    with pytest.raises(BadFile, match="3"):
        list(opened(b"a;b\n" + b"1;2\n" * 4).rows())


@override_settings(IMPORT_MAX_BYTES=10)
def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadFile, match="MB"):
        opened(b"a;b\n1;2\n3;4\n")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b";;;\n;;\n"])
def test_a_file_without_anything_in_it_is_called_empty(data: bytes) -> None:
    with pytest.raises(BadFile):
        opened(data)


@pytest.mark.parametrize("cell", ["=1+1", "+31 6", "-2", "@SUM(A1)", "'=1", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_calculate_gets_an_apostrophe(cell: str) -> None:
    assert is_formula(cell)
    assert harmless(cell).startswith("'")


@pytest.mark.parametrize(
    "cell", ["", "Sanne", "\u2019s-Gravenhage", "'s-Gravenhage", "3011 AB", "a=b"]
)
def test_ordinary_text_is_left_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell
    assert plain(cell) == cell


@given(st.text(alphabet="'=+-@aë 1", max_size=8))
def test_reading_takes_back_what_writing_added(cell: str) -> None:
    held = plain(cell)

    assert plain(harmless(held)) == held
    assert not is_formula(harmless(held)) or harmless(held).startswith("'")


def test_a_table_as_the_tests_write_it_is_read() -> None:
    assert opened(table([PERSON])).header == tuple(PERSON)
