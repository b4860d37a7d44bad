"""Is everything ready to work: a row for each part, with its proof and its remedy.

For the functional administrator. What is here is looked at while the page is made, each part with
a time limit; what is outside shows the last answer that the worker got (`outside.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.desk.freshness import Word


class State(TextChoices):
    """How one part stands; the value is also the tone of its pill."""

    READY = "ok", gettext_lazy("in order")
    LOOK = "wait", gettext_lazy("take note")
    ACTION = "bad", gettext_lazy("action needed")
    UNKNOWN = "idle", gettext_lazy("not known")


ORDER: Final = (State.READY, State.UNKNOWN, State.LOOK, State.ACTION)
OF_WORDS: Final = {
    Word.ON_TIME: State.READY,
    Word.BEHIND: State.LOOK,
    Word.ACTION: State.ACTION,
    Word.UNKNOWN: State.UNKNOWN,
}


def worst(states: Iterable[State]) -> State:
    """The state that asks most of somebody."""
    return max(states, key=ORDER.index, default=State.READY)


@dataclass(frozen=True)
class Row:
    """One part: its state, what was seen, since when, and what to do about it by whom.

    `key` names it in the output of `manage.py readiness --json`.
    """

    key: str
    name: str
    state: State
    seen: str
    since: datetime | None = None
    remedy: str = ""
    who: str = ""
    url: str = ""  # where to look further
    url_text: str = ""


@dataclass(frozen=True)
class Group:
    """Rows that belong together."""

    name: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Readiness:
    """The whole page."""

    groups: list[Group]
    asked: bool  # the worker was asked and has not answered yet
    checked_at: datetime | None

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order of the page."""
        return [row for group in self.groups for row in group.rows]

    @property
    def state(self) -> State:
        """The worst of the rows."""
        return worst(row.state for row in self.rows if row.state != State.UNKNOWN)

    @property
    def verdict(self) -> str:
        """One sentence before any detail."""
        wrong = [row.name for row in self.rows if row.state == State.ACTION]
        if wrong:
            words = ngettext(
                "%(number)d part needs action", "%(number)d parts need action", len(wrong)
            )
            return f"{words % {'number': len(wrong)}}: {', '.join(wrong)}."
        noted = [row.name for row in self.rows if row.state == State.LOOK]
        if noted:
            return _("Everything works; take note of: %s.") % ", ".join(noted)
        unknown = [row.name for row in self.rows if row.state == State.UNKNOWN]
        if unknown:
            return _("What is known is in order; not known yet: %s.") % ", ".join(unknown)
        return _("Everything is ready.")
