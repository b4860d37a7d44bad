"""Envelopes of one shape, written by zeep once and filled in ever after.

zeep works out for each value anew what the WSDL says about it, which costs more than sending it. So
it writes an envelope of each shape with marks in the place of the values, and the text between the
marks serves for all envelopes of that shape. What is filled in is compared with zeep's own once;
values that need escaping, and shapes that zeep writes otherwise, keep going through zeep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from lxml import etree

from backoffice.eduix.masking import MASK, masked, shortened

# Only a text that stands in XML as it is may be filled in.
_NOT_PLAIN: Final = re.compile("[\x00-\x1f\x7f-\x9f&<>\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MARK_DAY: Final = date(7000, 1, 1)
_MARK_NUMBER: Final = 770_700_000_000
MOST_SHAPES: Final = 256  # an operation has a handful: one for each optional element

Values = Mapping[str, Any]
Write = Callable[[Values, Values], etree._Element]
Shape = tuple[Any, ...]


class NoPattern(Exception):
    """These values are written by zeep."""


@dataclass(frozen=True)
class Filled:
    """An envelope of a known shape: as it is sent, and as it may be kept."""

    sent: bytes
    masked: str


@dataclass(frozen=True)
class Pattern:
    """The text around the values; `kept` around those that may be kept, by their number."""

    texts: tuple[str, ...]
    order: tuple[int, ...]
    kept_texts: tuple[str, ...]
    kept: tuple[int, ...]
    shortened: frozenset[int]  # kept by their last characters only

    def fill(self, values: list[str]) -> Filled:
        """The envelope with these values, in the order of `leaves`."""
        sent = _filled(self.texts, self.order, values).encode()
        if self.shortened:
            values = [
                shortened(value) if number in self.shortened else value
                for number, value in enumerate(values)
            ]
        return Filled(sent, _filled(self.kept_texts, self.kept, values))


class Patterns:
    """The shapes of one operation; safe to share between threads."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._known: dict[Shape, Pattern | None] = {}

    def fill(self, headers: Values, values: Values) -> Filled:
        """The envelope for these values; raises `NoPattern` where zeep must write it."""
        found = [*leaves(headers), *leaves(values)]
        shape = tuple((path, value.__class__) for path, value in found)
        texts = [text_of(value) for _path, value in found]
        pattern = self._known.get(shape, _UNKNOWN)
        if pattern is _UNKNOWN:
            pattern = self._learn(shape, headers, values, texts)
        if pattern is None:
            raise NoPattern
        return pattern.fill(texts)

    def _learn(
        self, shape: Shape, headers: Values, values: Values, texts: list[str]
    ) -> Pattern | None:
        pattern = learned(self._write, headers, values)
        if pattern is not None and pattern.fill(texts).sent != sent_of(
            self._write(headers, values)
        ):
            pattern = None
        if len(self._known) < MOST_SHAPES:
            self._known[shape] = pattern
        return pattern


_UNKNOWN: Final = Pattern((), (), (), (), frozenset())


def learned(write: Write, headers: Values, values: Values) -> Pattern | None:
    """What zeep writes around marks; None when a mark does not stand there exactly once."""
    count = iter(range(1_000_000))
    envelope = write(_marked(headers, count), _marked(values, count))
    marks = [
        text_of(_mark(number, value))
        for number, (_path, value) in enumerate([*leaves(headers), *leaves(values)])
    ]
    ends = {shortened(mark): number for number, mark in enumerate(marks)}
    ends.pop(MASK, None)  # of short values nothing is kept
    sent = _split(sent_of(envelope).decode(), marks)
    kept_text = masked(envelope)
    kept = _split(kept_text, [one for one in (*marks, *ends) if one in kept_text])
    if sent is None or kept is None or len(sent[1]) != len(marks):
        return None
    number_of = ends | {mark: number for number, mark in enumerate(marks)}
    return Pattern(
        texts=sent[0],
        order=tuple(number_of[mark] for mark in sent[1]),
        kept_texts=kept[0],
        kept=tuple(number_of[mark] for mark in kept[1]),
        shortened=frozenset(number_of[mark] for mark in kept[1] if mark in ends),
    )


def sent_of(envelope: etree._Element) -> bytes:
    """The bytes of an envelope."""
    return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def leaves(values: Values, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each single value with where it stands; None stands nowhere. Raises `NoPattern`."""
    for name, value in values.items():
        if value.__class__ is dict:
            yield from leaves(value, f"{path}/{name}")
        elif value is not None:
            yield f"{path}/{name}", value


def text_of(value: Any) -> str:
    """A value as XML has it; raises `NoPattern` for what only zeep can write."""
    kind = value.__class__
    if isinstance(value, str):  # a member of `TextChoices` too
        if not value.strip() or _NOT_PLAIN.search(value):
            raise NoPattern
        return str(value)
    if kind is int:
        return str(value)
    if kind is date:
        return str(value.isoformat())
    raise NoPattern


def _marked(values: Values, count: Iterator[int]) -> dict[str, Any]:
    marked: dict[str, Any] = {}
    for name, value in values.items():
        if value.__class__ is dict:
            marked[name] = _marked(value, count)
        else:
            marked[name] = None if value is None else _mark(next(count), value)
    return marked


def _mark(number: int, value: Any) -> Any:
    """A value of the same kind that nothing else in an envelope looks like."""
    if value.__class__ is int:
        return _MARK_NUMBER + number
    if value.__class__ is date:
        return _MARK_DAY + timedelta(days=number)
    return f"a-value-marked-{number:05d}"  # known by its last characters too


def _split(text: str, marks: list[str]) -> tuple[tuple[str, ...], list[str]] | None:
    """The texts between the marks, and the marks as they follow; None when one comes twice."""
    if not marks:
        return (text,), []
    parts = re.split("(" + "|".join(map(re.escape, marks)) + ")", text)
    found = parts[1::2]
    if len(set(found)) != len(found):
        return None
    return tuple(parts[0::2]), found


def _filled(texts: tuple[str, ...], order: tuple[int, ...], values: list[str]) -> str:
    parts = [texts[0]]
    for text, number in zip(texts[1:], order, strict=True):
        parts.append(values[number])
        parts.append(text)
    return "".join(parts)
