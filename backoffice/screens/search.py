"""What people type in a search box."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Q

_EAN = re.compile(r"[0-9]{13}")
_BETWEEN_DIGITS = re.compile(r"[\s\u00a0-]+")


def ean_of(text: str) -> str:
    """`978-90 01 23456 7` is an EAN, however it is written; empty for anything else."""
    digits = _BETWEEN_DIGITS.sub("", text)
    return digits if _EAN.fullmatch(digits) else ""


def spaced_ean(ean: str) -> str:
    """`9789001234567` as people read it: `9789001 23456 7`; anything else as it is."""
    return f"{ean[:7]} {ean[7:12]} {ean[12:]}" if _EAN.fullmatch(ean) else ean


def every_word(text: str, fields: Iterable[str]) -> Q:
    """Each word stands in at least one of the fields: `berg sanne` finds Sanne van den Berg."""
    names = tuple(fields)
    found = Q()
    for word in text.split():
        found &= _any_field(word, names)
    return found


def _any_field(word: str, fields: tuple[str, ...]) -> Q:
    """SQLite compares letters beyond a-z with their case, so those words are tried in three."""
    forms = [word] if word.isascii() else list(dict.fromkeys((word, word.lower(), word.title())))
    found = Q()
    for name in fields:
        for form in forms:
            found |= Q(**{f"{name}__icontains": form})
    return found
