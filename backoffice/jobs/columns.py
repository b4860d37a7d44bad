"""Which column of a file is which: by the service's name or the Dutch label, in any case."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.jobs.sniffing import BadFile


@dataclass(frozen=True, slots=True)
class Column:
    """One column that an import knows.

    `name` is ours, `partner` the service's name, `label` what stands above it in Dutch files and
    templates, `title` what a screen calls it. `goes_with` names columns that make it required.
    """

    name: str
    partner: str
    label: str
    title: str | Promise
    is_required: bool = False
    goes_with: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def folded(self) -> set[str]:
        """Every way to write it in a header."""
        return {fold(text) for text in (self.name, self.partner, self.label, *self.aliases)}


@dataclass(frozen=True, slots=True)
class Matched:
    """A header understood: our name per column ("" is ignored), and what was ignored."""

    names: tuple[str, ...]
    ignored: tuple[str, ...]
    absent: tuple[str, ...]  # our names of optional columns that the file does not have


def title_of(model: type[models.Model], name: str) -> str | Promise:
    """What screens call a column of a model."""
    field = model._meta.get_field(name)
    return field.verbose_name if isinstance(field, models.Field) else name


def fold(text: str) -> str:
    """A column name reduced to what counts: `E-mail`, `email` and `E MAIL` are one."""
    letters = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in letters if sign.isalnum())


def names_of(columns: Iterable[Column]) -> set[str]:
    """Every folded name of these columns."""
    return {name for column in columns for name in column.folded}


def missing(header: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """The required columns that this header lacks."""
    present = {fold(cell) for cell in header}
    here = {column.name for column in columns if column.folded & present}
    return [
        column
        for column in columns
        if column.name not in here
        and (column.is_required or any(other in here for other in column.goes_with))
    ]


def match_header(header: Sequence[str], columns: Sequence[Column]) -> Matched:
    """Our column behind each cell of the header.

    Raises `BadFile` when a required column is missing (named, with what resembles it) or when two
    columns mean the same.
    """
    by_name = {name: column for column in columns for name in column.folded}
    names: list[str] = []
    for cell in header:
        column = by_name.get(fold(cell))
        if column is not None and column.name in names:
            first = header[names.index(column.name)]
            raise BadFile(_two_columns(first, cell))
        names.append(column.name if column else "")
    ignored = [cell for cell, name in zip(header, names, strict=True) if not name and cell]
    if absent := missing(header, columns):
        raise BadFile(_missing(absent, ignored))
    known = set(names)
    return Matched(
        tuple(names),
        tuple(ignored),
        tuple(column.name for column in columns if column.name not in known),
    )


def _two_columns(first: str, second: str) -> str:
    if first == second:
        return _("The column %(name)s stands in the file twice.") % {"name": first}
    return _("The columns %(first)s and %(second)s mean the same; keep one of them.") % {
        "first": first,
        "second": second,
    }


def _missing(absent: Sequence[Column], ignored: Sequence[str]) -> str:
    names = get_text_list([column.label for column in absent], _("and"))
    words = ngettext("Missing column: %(names)s.", "Missing columns: %(names)s.", len(absent)) % {
        "names": names
    }
    similar = [cell for cell in ignored if any(_resembles(cell, column) for column in absent)]
    if similar:
        seen = get_text_list(similar, _("and"))
        words += " " + _("Did you mean %(names)s?") % {"names": seen}
    elif ignored:
        seen = ", ".join(ignored[:8])
        words += " " + _("Not recognised: %(names)s.") % {"names": seen}
    return words


def _resembles(cell: str, column: Column) -> bool:
    return bool(difflib.get_close_matches(fold(cell), column.folded, n=1, cutoff=0.75))
