"""The catalogue as something to walk through: by what it is about, by field, or by words."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from functools import lru_cache
from typing import Final, NamedTuple

from backoffice.explanations import decode, texts
from backoffice.explanations.decode import BLOCK
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.own_texts import with_own_text
from backoffice.explanations.services import all_explanations

MOST: Final = 20
"""How many explanations a search for words shows."""


class Heading(NamedTuple):
    """What a section is called."""

    key: str
    label: str
    path: str


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """What explanations can be about, with how many there are."""

    key: str
    label: str
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """The explanations of one field, or of one kind of state.

    `key` is the field's first number or the kind; `path` is how the documentation names the field.
    """

    key: str
    label: str
    path: str
    explanations: tuple[Explanation, ...]


def families(lang: str) -> list[Family]:
    """Everything one can walk through, in the order of the catalogue; empty ones left out."""
    counts: dict[str, int] = defaultdict(int)
    for explanation in _everything(lang):
        counts[_family_of(explanation)] += 1
    return [
        Family(key, label, counts[key])
        for key, label in texts.labels("objects", lang).items()
        if counts[key]
    ]


def sections(family: str, lang: str) -> list[Section]:
    """The explanations of one family, by field; empty for a family that does not exist.

    The fields of the record itself come first, then those of questions and answers about it.
    """
    grouped: dict[Heading, list[Explanation]] = defaultdict(list)
    for explanation in _everything(lang):
        if _family_of(explanation) == family:
            grouped[_heading_of(explanation)].append(explanation)
    found = [Section(*heading, tuple(under)) for heading, under in grouped.items()]
    return sorted(found, key=lambda section: not section.path.startswith(f"{family} "))


def containing(words: str, lang: str) -> list[Explanation]:
    """Explanations that hold all these words, those with a fitting title first."""
    wanted = words.casefold().split()
    if not wanted:
        return []
    found: list[tuple[int, int, Explanation]] = []
    for explanation in _everything(lang):
        title = explanation.title.casefold()
        text = f"{title} {explanation.field} {explanation.cause} {explanation.remedy}".casefold()
        if all(word in text for word in wanted):
            missing_in_title = sum(word not in title for word in wanted)
            found.append((missing_in_title, len(found), explanation))
    return [explanation for *_, explanation in sorted(found, key=lambda item: item[:2])[:MOST]]


def _everything(lang: str) -> list[Explanation]:
    """The catalogue from memory, and what colleagues wrote from the table."""
    written = all_explanations(lang=lang, sources=("publisher",))
    return [*map(with_own_text, _catalogue(lang)), *written]


@lru_cache(maxsize=len(texts.LANGUAGES))
def _catalogue(lang: str) -> tuple[Explanation, ...]:
    """As it came with the program, so that a text of our own never sticks in the memory."""
    sources = ("eduix", "coachview", "anewspring", "own")
    return tuple(decode.everything(lang, sources, with_elsewhere=True))


def _family_of(explanation: Explanation) -> str:
    if explanation.source != "eduix":
        return explanation.source
    field = texts.fields().get(_base_of(explanation))
    if field is not None:
        return field.about
    return "service" if explanation.kind == "service" else "elsewhere"


def _heading_of(explanation: Explanation) -> Heading:
    field = texts.fields().get(_base_of(explanation))
    lang = explanation.lang
    if explanation.source == "eduix" and field is not None:
        name = field.words[lang]["name"]
        return Heading(str(field.base), name[:1].upper() + name[1:], field.path)
    if explanation.source == "own":
        return Heading(explanation.kind, texts.label("own_kinds", explanation.kind, lang), "")
    family = _family_of(explanation)
    return Heading(family, texts.label("objects", family, lang), "")


def _base_of(explanation: Explanation) -> int:
    number = explanation.number or 0
    return number - number % BLOCK
