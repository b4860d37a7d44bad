"""What a colleague reads about a code or a message: the one shape of it, for every place."""

from __future__ import annotations

import dataclasses
from typing import Final, Literal

from backoffice.explanations import texts

Source = Literal["eduix", "coachview", "anewspring", "publisher", "own"]
SOURCES: Final[tuple[Source, ...]] = ("eduix", "coachview", "anewspring", "publisher", "own")

OWNERS: Final = ("wij", "school", "uitgever", "Edu-iX", "leverancier", "niemand")
"""Who must act; shown in the reader's language, stored and printed as these words."""


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """One code or message in words.

    `code` is a number where there is one, with the sign it came with, else a key such as
    "not_sent". `cause` is all there is to say about why, as one paragraph: what it means
    (`means`) and the probable causes (`causes`), the likeliest first. `remedy` holds one step a
    line. `known` is False when nobody has written it yet: the texts then say so. `action` is a key
    of `catalogue/actions.toml`, or empty. `when` says when it passes; `is_own` tells that a
    colleague has replaced the text that came with the program.
    """

    source: Source
    code: int | str
    field: str
    kind: str
    title: str
    cause: str
    remedy: str
    owner: str
    clears_itself: bool
    lang: str
    known: bool = True
    action: str = ""
    means: str = ""
    causes: tuple[str, ...] = ()
    when: str = ""
    is_own: bool = False

    @property
    def meaning(self) -> str:
        """What it means, without the probable causes where those stand in a list of their own."""
        return self.means if self.causes else self.cause

    @property
    def passes(self) -> str:
        """Whether it passes by itself, and when that is known: `Clears by itself, usually …`."""
        if self.when:
            return self.when
        word = "yes" if self.clears_itself else "settled" if self.owner == "niemand" else "no"
        return texts.label("passes", word, self.lang)

    @property
    def steps(self) -> tuple[str, ...]:
        """What to do, one sentence or two a step."""
        return tuple(line for line in self.remedy.splitlines() if line.strip())

    @property
    def number(self) -> int | None:
        """The code to show small and last; states and rules of our own have none."""
        return self.code if isinstance(self.code, int) else None

    @property
    def owner_label(self) -> str:
        """Who must act, in the language of this explanation."""
        return texts.label("owners", self.owner, self.lang)

    @property
    def source_label(self) -> str:
        """Where the code or message comes from."""
        return texts.label("sources", self.source, self.lang)

    @property
    def action_label(self) -> str:
        """The words on the button; empty without an action."""
        action = texts.actions().get(self.action)
        return action.labels[self.lang] if action else ""

    @property
    def reference(self) -> str:
        """What `explain()` takes to find this explanation again."""
        return str(self.code) if self.source == "eduix" else f"{self.source}:{self.code}"

    def as_row(self) -> dict[str, object]:
        """The row of `manage.py explain --json`; its keys are fixed."""
        return {
            "source": self.source,
            "code": self.code,
            "field": self.field,
            "kind": self.kind,
            "title": self.title,
            "cause": self.cause,
            "remedy": self.remedy,
            "owner": self.owner,
            "clears_itself": self.clears_itself,
            "lang": self.lang,
        }


def meaning_and_causes(written: str) -> tuple[str, tuple[str, ...]]:
    """The first line says what it means, each further line is a probable cause."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    return (lines[0], tuple(lines[1:])) if lines else ("", ())
