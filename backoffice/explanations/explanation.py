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
    "not_sent". `remedy` holds one step a line. `known` is False when nobody has written it yet:
    the texts then say so. `action` is a key of `catalogue/actions.toml`, or empty.
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
