"""Tables that people outside download: as CSV for any spreadsheet, and as a workbook.

A workbook is a zip of a few XML files; every cell is written as text, which no program calculates,
and which keeps the zeros at the front of a number.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from backoffice.jobs.tables import record

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS: Final = (12, 70)  # of a column, in characters
LONGEST_NAME: Final = 31  # of a sheet
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_NAME: Final = re.compile(r"[\[\]:*?/\\]")

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Style 0 is plain, 1 is text whatever it looks like, 2 is a heading.
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" '
    'applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" '
    'applyFont="1"/></cellXfs></styleSheet>'
)


def csv_file(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """As Dutch Excel opens it with a double click; cells that would calculate are made harmless."""
    return b"".join([record(header, bom=True), *(record(row) for row in rows)])


def xlsx_file(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A workbook with one sheet of this name; its header stays in sight while scrolling."""
    lines = [list(row) for row in rows]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for path, text in {
            "[Content_Types].xml": _content_types(),
            "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": _workbook(name),
            "xl/_rels/workbook.xml.rels": _relations(
                "worksheet", "worksheets/sheet1.xml", "styles", "styles.xml"
            ),
            "xl/styles.xml": _STYLES,
            "xl/worksheets/sheet1.xml": _sheet(header, lines),
        }.items():
            book.writestr(path, _HEAD + text)
    return out.getvalue()


def _content_types() -> str:
    parts = {
        "/xl/workbook.xml": "sheet.main+xml",
        "/xl/worksheets/sheet1.xml": "worksheet+xml",
        "/xl/styles.xml": "styles+xml",
    }
    overrides = "".join(
        f'<Override PartName="{path}" ContentType="{_SPREADSHEET}.{kind}"/>'
        for path, kind in parts.items()
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(*pairs: str) -> str:
    lines = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(zip(pairs[::2], pairs[1::2], strict=True), start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _workbook(name: str) -> str:
    safe = _NO_NAME.sub(" ", _writable(name)).strip("' ")[:LONGEST_NAME] or "1"
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name={quoteattr(safe)} sheetId="1" r:id="r1"/></sheets></workbook>'
    )


def _sheet(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{_width(column, rows, at - 1)}" customWidth="1"/>'
        for at, column in enumerate(header, start=1)
    )
    lines = "".join([_row(1, header, 2), *(_row(at, row, 1) for at, row in enumerate(rows, 2))])
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>{lines}</sheetData></worksheet>"
    )


def _width(heading: str, rows: Sequence[Sequence[str]], at: int) -> int:
    longest = max([len(heading), *(len(row[at]) for row in rows[:200])])
    return min(max(longest + 2, WIDTHS[0]), WIDTHS[1])


def _row(number: int, cells: Sequence[str], style: int) -> str:
    written = "".join(
        f'<c r="{_letter(at)}{number}" s="{style}" t="inlineStr">'
        f'<is><t xml:space="preserve">{escape(_writable(cell))}</t></is></c>'
        for at, cell in enumerate(cells)
    )
    return f'<row r="{number}">{written}</row>'


def _letter(at: int) -> str:
    """Columns A to Z; no table of ours has more."""
    return chr(ord("A") + at)


def _writable(text: str) -> str:
    """Without the signs that no XML can hold."""
    return _UNWRITABLE.sub("", text)
