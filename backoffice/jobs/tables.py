"""The files that we give: refused rows with their reason, and empty ones to fill in.

Written as Dutch Excel opens them with a double click: `;`, UTF-8 with a byte order mark. A cell
that a spreadsheet would calculate gets an apostrophe before it; reading it back takes it away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from backoffice.jobs.files import harmless
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Importer
from backoffice.jobs.remarks import Remark, words_of


def error_file(job: Job) -> Iterator[bytes]:
    """The refused rows as they stood in the file, with line and reason behind them.

    Mend the cells and take in the same file: the two columns at the end are ignored then.
    """
    width = len(job.header)
    yield record([*job.header, _("Line"), _("Reason")], bom=True)
    for row in job.rows.filter(result=JobRow.Result.REFUSED).iterator(chunk_size=500):
        cells = [str(cell) for cell in row.original]
        cells += [""] * (width - len(cells))
        yield record([*cells[:width], str(row.number), reason_of(job, row), *cells[width:]])


def reason_of(job: Job, row: JobRow) -> str:
    """Why a row stays out, in one line: each wrong column with the code that Edu-iX would give."""
    reasons = []
    for remark in map(Remark.from_json, row.findings):
        if remark.is_error:
            column = f"{job.heading(remark.column)}: " if remark.column else ""
            number = f" ({remark.number})" if remark.number else ""
            reasons.append(f"{column}{words_of(remark, job.heading).text}{number}")
    return " ".join(reasons)


def error_file_name(job: Job) -> str:
    """For the browser: ASCII, whatever the file was called."""
    refused = _("refused")
    return f"{slugify(PurePath(job.title).stem) or 'import'}-{refused}.csv"


def template_file(importer: Importer) -> bytes:
    """Column names to fill in below."""
    return record([column.label for column in importer.columns], bom=True)


def in_language_of_now(lines: Iterator[bytes]) -> Iterator[bytes]:
    """A file is written when the page is long over, and with it the language of its reader."""
    language = get_language() or settings.LANGUAGE_CODE

    def spoken() -> Iterator[bytes]:
        while True:
            with override(language):
                line = next(lines, None)
            if line is None:
                return
            yield line

    return spoken()


def record(cells: Iterable[str], *, bom: bool = False) -> bytes:
    """One line of a CSV file; cells that a spreadsheet would calculate are made harmless."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(map(harmless, cells))
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")
