"""The school's own list: only the pupils for whom the school itself must do something, in Dutch.

Nothing of ours stands in it: no customer number, no code, nobody whose book hangs elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from backoffice.desk.report import Line, Report, concerns
from backoffice.desk.why_letter import ask_of_school
from backoffice.jobs.sheets import csv_file, xlsx_file
from backoffice.screens.search import spaced_ean

SCHOOL: Final = "school"
CSV: Final = "csv"
XLSX: Final = "xlsx"


@dataclass(frozen=True)
class Row:
    """One pupil as the school knows it, and what the school is asked to do."""

    number: str
    name: str
    book: str
    todo: str

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """In the order of `header`."""
        return self.number, self.name, self.book, self.todo


def lines_for(report: Report) -> list[Line]:
    """The lines that the school must mend, of books that hang on this school."""
    mine = report.shown(owner=SCHOOL)
    return [line for line in mine if concerns(line.book, report.school)]


def rows_for(report: Report) -> list[Row]:
    """Those lines as the school reads them, in Dutch whatever the language of the screen."""
    with override("nl"):
        return [_row(line, report.day) for line in lines_for(report)]


def _row(line: Line, day: date) -> Row:
    return Row(
        number=line.number,
        name=line.book.person.full_name,
        book=books_of(line),
        todo=ask_of_school(line.verdict.key, line.answer(day)),
    )


def books_of(line: Line) -> str:
    """`Getalwijs 2 vwo and 7 other books`."""
    title = line.book.title or spaced_ean(line.book.ean)
    if not line.others:
        return title
    words = ngettext(
        "%(title)s and %(n)d other book", "%(title)s and %(n)d other books", line.others
    )
    return words % {"title": title, "n": line.others}


def file_of(report: Report, kind: str) -> tuple[str, bytes]:
    """The name and the bytes of the list, as `csv` or `xlsx`."""
    rows = [row.cells for row in rows_for(report)]
    with override("nl"):
        header = [_("Student number"), _("Name"), _("Book"), _("What to do")]
        title = _("To do")
    name = f"{slugify(report.school.name)[:60] or 'school'}-{report.day:%Y-%m-%d}.{kind}"
    return name, csv_file(header, rows) if kind == CSV else xlsx_file(title, header, rows)
