"""How people write things, turned into how the service wants them.

Every function takes a cell and gives the cell as it should be, or the same text when it means
nothing to it: what is really wrong is for the rules to say. What was changed is always told.
Forms and imports read with the same functions, so that a paste and a file end up alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

Normaliser = Callable[[str], str]

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DUTCH: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_MIDNIGHT: Final = re.compile(r"[T ]0?0:00(:00(\.0+)?)?Z?$")
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*", re.ASCII)
_SCHOOL_YEAR: Final = re.compile(r"(?:20)?(\d{2})\s*[-/\u2013]\s*(?:20)?(\d{2})")
_DUTCH_POSTAL_CODE: Final = re.compile(r"([1-9]\d{3})\s*([A-Za-z]{2})")
_SHORTENED: Final = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
# Zero-width spaces and joiners, byte order mark, soft hyphen: copied along, and never seen.
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_ADDRESS: Final = re.compile(
    r"(?:mailto:)?\s*(?:[^<>@]*<\s*)?([^\s<>;,@]+@[^\s<>;,@]+?)\s*>?[;,.]?"
)
_BROKEN: Final = re.compile("\ufffd|[\u00c3-\u00c5][\u0080-\u00bf\u0152-\u0178\u2013-\u203a\u20ac]")


def tidy(text: str) -> str:
    """One space between words, whatever spaces and line ends stood there; letters composed, and
    without the signs that nobody sees.
    """
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def as_date(text: str) -> str:
    """`01-05-2010` (also 1-5-2010, 1/5/2010, 1.5.2010) as 2010-05-01. A time of midnight, as
    databases and spreadsheets add, is dropped. Day before month, always: this is Dutch work.
    """
    bare = _MIDNIGHT.sub("", text)
    if found := _ISO.fullmatch(bare):
        year, month, day = map(int, found.groups())
    elif found := _DUTCH.fullmatch(bare):
        day, month, year = map(int, found.groups())
    else:
        return text
    try:
        return date(year, month, day).isoformat()
    except ValueError:  # 31-02-2012: the rules say what is wrong with it
        return text


def is_date_form(text: str) -> bool:
    """Written in one of the two forms that a file may use, so reading it is no correction."""
    return bool(_ISO.fullmatch(text) or _DUTCH.fullmatch(text))


def word_of(table: Mapping[str, str]) -> Normaliser:
    """Looks a cell up whatever its case; `table` has lower-case keys."""

    def normalise(text: str) -> str:
        return table.get(tidy(text).casefold(), text)

    return normalise


def as_number(text: str) -> str:
    """Digits without leading zeros: `012` is 12."""
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else text


def as_amount(text: str) -> str:
    """An amount that was typed as the screens write it: `1.250` or `1,250` is 1250.

    Not for files: there `12.000` may be what a program made of twelve.
    """
    found = _GROUPED.fullmatch(text)
    return as_number(text.replace(found[1], "") if found else text)


def as_ean(text: str) -> str:
    """An EAN without the dashes and spaces that books show: `978-90-01-23456-2`."""
    bare = re.sub(r"[\s\-\u2010-\u2015]", "", text)
    return bare if bare.isascii() and bare.isdigit() else text


def as_school_year(text: str) -> str:
    """`2026-2027`, `2026/27` or `26/27` as 2627."""
    found = _SCHOOL_YEAR.fullmatch(text)
    return "".join(found.groups()) if found else as_number(text)


def as_dutch_postal_code(text: str) -> str:
    """`1234ab` as 1234 AB."""
    found = _DUTCH_POSTAL_CODE.fullmatch(text)
    return f"{found[1]} {found[2].upper()}" if found else text


def as_email(text: str) -> str:
    """The address out of what a mail program copies: `Noor Berg <noor@example.nl>;`."""
    found = _ADDRESS.fullmatch(text)
    return found[1] if found else text


def without_spaces(text: str) -> str:
    """A key that broke over lines in a mail, such as an ECK iD."""
    return re.sub(r"\s", "", text)


def is_shortened(text: str) -> bool:
    """A spreadsheet made 9,78901E+12 of a number: the digits are gone."""
    return bool(_SHORTENED.fullmatch(text))


def is_broken(text: str) -> bool:
    """Holds letters that were read in the wrong encoding before they came here: `ZoÃ«`."""
    return bool(_BROKEN.search(text))


def is_email(text: str) -> bool:
    """Could be an address. The service checks no form, so this is for a warning only."""
    name, at, domain = text.partition("@")
    return bool(name and at and "." in domain.strip(".") and not re.search(r"[\s@]", name + domain))
