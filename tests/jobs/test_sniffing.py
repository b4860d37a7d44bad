"""A file is what its bytes say, whatever it is called."""

from __future__ import annotations

import io
import zipfile

import pytest

from backoffice.jobs.sniffing import BadFile, encoding_of, refuse_other_types


def packed(*names: str) -> bytes:
    """A ZIP file with members of these names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


OTHER_TYPES = {
    "xlsx": packed("[Content_Types].xml", "xl/workbook.xml"),
    "docx": packed("[Content_Types].xml", "word/document.xml"),
    "zip": packed("persons.csv"),
    "ods": packed("mimetype") + b"application/vnd.oasis.opendocument.spreadsheet",
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(32),
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "bitmap": b"BM\x36\x00\x0c\x00" + bytes(40),
    "gzip": b"\x1f\x8b\x08\x00abcdefgh",
    "sqlite": b"SQLite format 3\x00" + bytes(20),
    "program": b"\x7fELF\x02\x01\x01" + bytes(9),
    "web page": b"  <!DOCTYPE html><html><table></table>",
    "xml": b"\xef\xbb\xbf<?xml version='1.0'?><rows/>",
    "json": b'[{"a": 1}]',
    "nul bytes": b"Klantnummer;Voornaam\nK1;\x00\n",
    "control characters": bytes(range(1, 9)) * 20,
    "utf-16 without a mark": "Klantnummer;Voornaam".encode("utf-16-le"),
    "utf-32": "Klantnummer".encode("utf-32"),
    "empty": b"",
    "only white space": b"\xef\xbb\xbf \r\n\t\r\n",
}


@pytest.mark.parametrize("name", OTHER_TYPES)
def test_what_is_no_table_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(BadFile) as refused:
        refuse_other_types(OTHER_TYPES[name])

    assert str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_excel_workbook_is_named_with_what_to_do() -> None:
    with pytest.raises(BadFile, match="CSV"):
        refuse_other_types(OTHER_TYPES["xlsx"])


@pytest.mark.parametrize("header", [b"BM;Klantnummer;Voornaam\n", b"MZ,ean,title\n", b"%PDF;ean\n"])
def test_a_header_that_begins_like_another_type_is_a_table(header: bytes) -> None:
    refuse_other_types(header)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_told_from_the_letters(encoding: str, found: str) -> None:
    stream = io.BytesIO("naam;plaats\nZoë;\u2019s-Gravenhage\n".encode(encoding))

    assert encoding_of(stream) == found


def test_utf_16_in_the_other_byte_order_is_read_as_well() -> None:
    data = b"\xfe\xff" + "naam\nZoë\n".encode("utf-16-be")

    assert encoding_of(io.BytesIO(data)) == "utf-16"


def test_a_letter_that_lies_across_two_blocks_is_one_letter() -> None:
    data = b"x" * ((1 << 20) - 1) + "ë".encode()

    assert encoding_of(io.BytesIO(data)) == "utf-8"


@pytest.mark.parametrize(
    "data",
    [
        "naam\nZoë\n".encode() + "Noëlle\n".encode("cp1252"),
        b"naam\n\x81\x8d\x8f\n",
        "naam\nZoë\nNoë".encode()[:-1],
    ],
    ids=["two encodings", "no letters of Windows", "cut off"],
)
def test_a_file_that_no_encoding_reads_whole_is_refused_with_the_line(data: bytes) -> None:
    with pytest.raises(BadFile, match=r"2|3"):
        encoding_of(io.BytesIO(data))


def test_a_last_letter_of_windows_without_a_line_end_is_no_fault() -> None:
    assert encoding_of(io.BytesIO("naam\nZoë".encode("cp1252"))) == "cp1252"


def test_utf_16_with_half_a_letter_at_its_end_is_refused() -> None:
    data = "naam\nZoë\n".encode("utf-16") + b"\x00"

    with pytest.raises(BadFile, match="UTF-16"):
        encoding_of(io.BytesIO(data))


def test_nul_bytes_far_into_a_file_are_found() -> None:
    with pytest.raises(BadFile):
        encoding_of(io.BytesIO(b"naam\n" + b"a\n" * 20_000 + b"\0\n"))
