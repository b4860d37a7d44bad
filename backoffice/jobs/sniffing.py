"""What a file really is, told from its bytes: a name or a content type proves nothing."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_BLOCK: Final = 1 << 20

# What a file begins with, and what people call it.
_SIGNATURES: Final[tuple[tuple[bytes, str | Promise], ...]] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", gettext_lazy("an old Excel or Word file")),
    (b"%PDF", gettext_lazy("a PDF")),
    (b"{\\rtf", gettext_lazy("a Word file")),
    (b"\x89PNG", gettext_lazy("a picture")),
    (b"\xff\xd8\xff", gettext_lazy("a picture")),
    (b"GIF8", gettext_lazy("a picture")),
    (b"BM", gettext_lazy("a picture")),
    (b"RIFF", gettext_lazy("a sound or a picture")),
    (b"II*\x00", gettext_lazy("a picture")),
    (b"MM\x00*", gettext_lazy("a picture")),
    (b"\x1f\x8b", gettext_lazy("a packed file")),
    (b"7z\xbc\xaf", gettext_lazy("a packed file")),
    (b"Rar!", gettext_lazy("a packed file")),
    (b"BZh", gettext_lazy("a packed file")),
    (b"\xfd7zXZ", gettext_lazy("a packed file")),
    (b"SQLite format 3", gettext_lazy("a database")),
    (b"\x7fELF", gettext_lazy("a program")),
    (b"MZ", gettext_lazy("a program")),
)
# Text that is no table: a web page saved with the name of a table, XML, JSON.
_MARKUP: Final = re.compile(
    rb"\s*(<\?xml|<!doctype|<html|<table|<!--|\{|\[\s*[\[{\"])", re.IGNORECASE
)

# A letter of UTF-8 read as Windows-1252: what a file with both encodings in it looks like.
_UTF8_LETTER: Final = re.compile(rb"[\xc3-\xc5][\x80-\xbf]")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BadFile(Exception):
    """The file is no table that can be taken in; the text says why, in one sentence."""


def refuse_other_types(head: bytes) -> None:
    """Raise `BadFile` for what is recognisably something else. `head` is the first 8 kB."""
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise BadFile(_("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        raise BadFile(_packed(head))
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise BadFile(_("The file is written in UTF-32; save it as CSV UTF-8."))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    for signature, name in _SIGNATURES:
        if head.startswith(signature) and not _is_header_text(head):
            raise BadFile(_("This is %(what)s, not a table; save it as CSV.") % {"what": name})
    if _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)):
        raise BadFile(_("This is a web page, XML or JSON, not a table; save it as CSV."))
    if b"\0" in head and head.count(b"\0") * 3 > len(head):
        raise BadFile(_("The file is written in UTF-16 without saying so; save it as CSV UTF-8."))
    if b"\0" in head or len(_CONTROL.findall(head)) * 20 > len(head):
        raise BadFile(_("The file holds binary data and is no table; save it as CSV."))


def _is_header_text(head: bytes) -> bool:
    """The first line looks like column names: `BM` and `MZ` are letters too."""
    first = head.splitlines()[0]
    return first.isascii() and any(sign in first for sign in b";,\t") and not _CONTROL.search(first)


def _packed(head: bytes) -> str:
    if b"[Content_Types].xml" in head or b"xl/" in head:
        if b"word/" in head:
            return _("This is a Word file (DOCX), not a table; save the table as CSV.")
        return _(
            "This is an Excel workbook (XLSX). Open it in Excel, choose Save as, "
            "and save it as CSV UTF-8."
        )
    if b"opendocument.spreadsheet" in head:
        return _("This is a LibreOffice workbook (ODS). Open it and save it as CSV.")
    return _("This is a ZIP file, not a table; unpack it and choose the CSV file inside.")


def encoding_of(stream: IO[bytes]) -> str:
    """The encoding that reads the whole stream without a fault. Raises `BadFile`.

    UTF-8 proves itself: other text is practically never valid UTF-8 by chance. What is not, is
    Windows-1252, as Excel writes here; a file that is partly both is refused rather than garbled.
    """
    stream.seek(0)
    head = stream.read(4)
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            if _reads(stream, name) is not None:
                raise BadFile(
                    _("The file says that it is %(name)s and is not; save it as CSV UTF-8.")
                    % {"name": "UTF-16" if name == "utf-16" else "UTF-8"}
                )
            return name
    fault = _reads(stream, "utf-8")
    if fault is None:
        return "utf-8"
    if _reads(stream, "cp1252") is not None or _is_mixed(stream):
        raise BadFile(
            _("Line %(line)d holds signs in an unknown encoding; save the file as CSV UTF-8.")
            % {"line": fault}
        )
    return "cp1252"


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while block := stream.read(_BLOCK):
        yield block


def _reads(stream: IO[bytes], encoding: str) -> int | None:
    """None when the stream can be read so, else the line of the first fault. NUL is `BadFile`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for block in _blocks(stream):
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as fault:
            return line + bytes(fault.object[: fault.start]).count(b"\n")
        if "\0" in text:
            raise BadFile(_("The file holds binary data and is no table; save it as CSV."))
        line += text.count("\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _is_mixed(stream: IO[bytes]) -> bool:
    """Some letters are UTF-8 although the whole is not."""
    tail = b""
    for block in _blocks(stream):
        if _UTF8_LETTER.search(tail + block):
            return True
        tail = block[-1:]
    return False
