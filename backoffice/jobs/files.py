"""Reading a table file that people made, without trusting it and without holding it in memory.

Excel, a school's administration and a distributor's shop each write "CSV" their own way, so the
delimiter, the encoding and the line ends are found out from the file itself. Whatever is no such
table is refused with one sentence (`BadFile`) before anything is stored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, Final

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from backoffice.jobs.columns import fold
from backoffice.jobs.sniffing import BadFile, encoding_of, refuse_other_types
from backoffice.screens.numbers import grouped

__all__ = ["BadFile", "Line", "Table", "open_table"]

DELIMITERS: Final = (";", ",", "\t")
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 10_000  # characters; the longest field of Edu-iX has 256
MAX_LINE: Final = 200_000  # characters
MAX_LINES_IN_ROW: Final = 50  # more is a quote that was opened and never closed

# Invisible signs that come along when people copy: zero width space, byte order mark, soft hyphen.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file; `number` is its first line as a person counts (the first is 1)."""

    number: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """Nothing in it; spreadsheets leave such rows at the end."""
        return not any(self.cells)


@dataclass(slots=True)
class Table:
    """An opened file: its header, and its rows as often as they are asked for."""

    stream: IO[bytes]
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_line: int
    blank: int = field(default=0)  # empty rows passed over by the last reading

    def rows(self) -> Iterator[Line]:
        """The rows below the header that hold anything. Raises `BadFile`."""
        self.blank = 0
        count = 0
        for line in _lines(self.stream, self.encoding, self.delimiter):
            if line.number <= self.header_line:
                continue
            if line.is_blank:
                self.blank += 1
                continue
            count += 1
            if count > MAX_ROWS:
                raise BadFile(
                    _("The file has more than %(most)s rows; please split it.")
                    % {"most": grouped(MAX_ROWS)}
                )
            yield line


def open_table(
    stream: IO[bytes], *, names: Collection[str] = (), max_bytes: int | None = None
) -> Table:
    """Find out how a file is written. `names` (folded, see `columns.fold`) help to tell which
    delimiter its header uses. `stream` must be seekable. Raises `BadFile`.
    """
    most = settings.IMPORT_MAX_BYTES if max_bytes is None else max_bytes
    size = stream.seek(0, io.SEEK_END)
    if size > most:
        raise BadFile(
            _("The file is %(size)s MB; the largest we take is %(most)s MB. Please split it.")
            % {"size": _megabytes(size), "most": _megabytes(most)}
        )
    stream.seek(0)
    head = stream.read(8192)
    refuse_other_types(head)
    encoding = encoding_of(stream)
    told, skipped = _told_delimiter(stream, encoding)
    delimiter, header = _header(stream, encoding, told, skipped, names)
    return Table(stream, encoding, delimiter, header.cells, header.number)


def _megabytes(size: int) -> str:
    return number_format(size / 1_048_576, 1)


class _Physical:
    """The lines of the stream one by one, counted, and never longer than is sane."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text
        self.count = 0
        self.row_start = 1

    def __iter__(self) -> _Physical:
        return self

    def __next__(self) -> str:
        line = self.text.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) > MAX_LINE:
            raise BadFile(
                _("Line %(line)d is longer than any row of a table; this is no CSV file.")
                % {"line": self.count}
            )
        if self.count - self.row_start >= MAX_LINES_IN_ROW:
            raise _open_quote(self.row_start)
        return line


def _lines(stream: IO[bytes], encoding: str, delimiter: str) -> Iterator[Line]:
    """Every row of the stream, the header and empty ones as well. Raises `BadFile`."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    physical = _Physical(text)
    reader = csv.reader(physical, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        while True:
            physical.row_start = physical.count + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                raise _csv_problem(problem, physical) from problem
            yield Line(physical.row_start, _tidy(cells, physical.row_start))
    finally:
        text.detach()  # or the wrapper closes a stream that is not its own


def _tidy(cells: list[str], line: int) -> tuple[str, ...]:
    if len(cells) > MAX_COLUMNS:
        raise BadFile(
            _("Line %(line)d has %(number)d columns; at most %(most)d are possible.")
            % {"line": line, "number": len(cells), "most": MAX_COLUMNS}
        )
    for number, cell in enumerate(cells, start=1):
        if len(cell) > MAX_CELL:
            raise BadFile(
                _("Line %(line)d, column %(number)d: %(length)d characters; no field is that long.")
                % {"line": line, "number": number, "length": len(cell)}
            )
    return tuple(plain(cell) for cell in cells)


def plain(cell: str) -> str:
    """A cell without the white space around it (NBSP too), and without the sign that our own
    error files put before what a spreadsheet would take for a formula.
    """
    cell = cell.translate(_INVISIBLE).strip()
    if cell.startswith("'") and is_formula(cell[1:]):
        return cell[1:]
    return cell


def is_formula(cell: str) -> bool:
    """A spreadsheet would calculate this cell instead of showing it."""
    return cell.lstrip("'")[:1] in ("=", "+", "-", "@", "\t", "\r", "\0") and cell != ""


def harmless(cell: str) -> str:
    """A cell for a file that people open in a spreadsheet; `plain` turns it back."""
    return f"'{cell}" if is_formula(cell) else cell


def _csv_problem(problem: csv.Error, physical: _Physical) -> BadFile:
    words = str(problem)
    if "unexpected end" in words or "field larger" in words:
        return _open_quote(physical.row_start)
    if physical.count > physical.row_start:  # closed by a quote of a later row
        return _open_quote(physical.row_start)
    return BadFile(
        _("Line %(line)d: text follows a closing quote. A quote inside a cell is written twice.")
        % {"line": physical.row_start}
    )


def _open_quote(line: int) -> BadFile:
    return BadFile(
        _('Line %(line)d: a quote (") is opened and never closed, so the rest cannot be read.')
        % {"line": line}
    )


def _told_delimiter(stream: IO[bytes], encoding: str) -> tuple[str, int]:
    """Excel's own first line `sep=;`: the delimiter it names, and how many lines to pass over."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        first = text.readline(MAX_LINE).strip(' "\r\n')
    finally:
        text.detach()
    if first.lower().startswith("sep=") and len(first) <= 5:
        told = first[4:] or "\t"
        if told in DELIMITERS:
            return told, 1
    return "", 0


def _header(
    stream: IO[bytes], encoding: str, told: str, skipped: int, names: Collection[str]
) -> tuple[str, Line]:
    """The delimiter that makes the best header: most known names, then most columns."""
    best: tuple[tuple[int, int], str, Line] | None = None
    problem: BadFile | None = None
    for delimiter in (told,) if told else DELIMITERS:
        try:
            header = _first_row(stream, encoding, delimiter, skipped)
        except BadFile as found:
            problem = problem or found
            continue
        if header is None:
            raise BadFile(_("The file is empty."))
        known = sum(fold(cell) in names for cell in header.cells)
        score = (known, len(header.cells))
        if best is None or score > best[0]:
            best = (score, delimiter, header)
    if best is None:
        raise problem or BadFile(_("The file is empty."))
    _score, delimiter, header = best
    cells = list(header.cells)
    while not cells[-1]:  # spreadsheets write delimiters for empty columns at the right
        cells.pop()
    return delimiter, Line(header.number, tuple(cells))


def _first_row(stream: IO[bytes], encoding: str, delimiter: str, skipped: int) -> Line | None:
    for line in _lines(stream, encoding, delimiter):
        if line.number > skipped and not line.is_blank:
            return line
    return None
