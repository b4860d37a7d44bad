"""Numbers in sentences, written as the language of the screen writes them."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.translation import ngettext


def grouped(number: int) -> str:
    """`1.250`: with the separators that tables show too."""
    return str(number_format(number, force_grouping=True))


def is_typed(typed: str, number: int) -> bool:
    """Somebody wrote this number, with or without its separators."""
    return typed.strip().replace(".", "").replace(",", "") == str(number)


def with_number(words: str, number: int) -> str:
    """`1.001 persons`: the `%d` of these words filled in."""
    return words.replace("%d", grouped(number))


def plural(one: str, more: str) -> Callable[[int], str]:
    """The words for any number, with `%d` for it; `make messages` collects them."""
    return lambda number: with_number(ngettext(one, more, number), number)
