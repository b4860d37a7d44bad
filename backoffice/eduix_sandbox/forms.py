"""Forms that a value can have; each tells which kind of violation a text is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from .faults import NOT_ALLOWED, TOO_LONG, TOO_SMALL, WRONG_FORMAT, WRONG_TYPE

_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_XML_SPACE: Final = " \t\r\n"


class Form(Protocol):
    """What a text must look like."""

    @property
    def blank_is_absent(self) -> bool: ...

    def violation(self, text: str) -> int | None:
        """The kind that is violated; None when the text fits."""

    def clean(self, text: str) -> str:
        """A fitting text as it is kept."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string of `shortest` to `longest` characters, kept exactly as sent."""

    longest: int
    shortest: int = 0

    @property
    def blank_is_absent(self) -> bool:
        return self.shortest <= 1

    def violation(self, text: str) -> int | None:
        if len(text) < self.shortest:
            return TOO_SMALL
        return TOO_LONG if len(text) > self.longest else None

    def clean(self, text: str) -> str:
        return text


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of at most `digits` digits; more is no longer of this type."""

    digits: int
    least: int | None = None
    blank_is_absent = False

    def violation(self, text: str) -> int | None:
        text = text.strip(_XML_SPACE)
        if not _INTEGER.fullmatch(text) or len(text.lstrip("+-0")) > self.digits:
            return WRONG_TYPE
        return TOO_SMALL if self.least is not None and _whole(text) < self.least else None

    def clean(self, text: str) -> str:
        return str(_whole(text.strip(_XML_SPACE)))


def _whole(text: str) -> int:
    # Without the leading zeros: int() refuses a text of thousands of digits, also of zeros.
    number = int(text.lstrip("+-0") or "0")
    return -number if text.startswith("-") else number


@dataclass(frozen=True, slots=True)
class Day:
    """A date as yyyy-mm-dd; of a date with a zone the date as written counts."""

    blank_is_absent = False

    def violation(self, text: str) -> int | None:
        match = _DATE.fullmatch(text.strip(_XML_SPACE))
        if match is None:
            return WRONG_FORMAT
        try:
            date.fromisoformat(match[1])
        except ValueError:
            return WRONG_FORMAT
        return None

    def clean(self, text: str) -> str:
        return text.strip(_XML_SPACE)[:10]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a list of values, letter by letter."""

    values: tuple[str, ...]
    blank_is_absent = False

    def violation(self, text: str) -> int | None:
        return None if text in self.values else NOT_ALLOWED

    def clean(self, text: str) -> str:
        return text
