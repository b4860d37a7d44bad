"""Everything that is not in order, as items of one cause: who must act, and the next step.

`work_items` is the only way in for other pages. An item has a key that stays (`work_keys`), rows
behind it (`work_rows`), numbers (`work_count`) and words (`work_words`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.explanations.explanation import Explanation
from backoffice.screens.cells import Tone

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

MINE: Final = "mine"
SCHOOL: Final = "school"
PUBLISHER: Final = "publisher"
EDUIX: Final = "eduix"
ITSELF: Final = "itself"

LISTS: Final[dict[str, str | Promise]] = {
    MINE: _("Ours"),
    SCHOOL: _("Waits for school"),
    PUBLISHER: _("Waits for publisher"),
    EDUIX: _("Waits for Edu-iX"),
    ITSELF: _("Clears itself"),
}
# Who must act (`explanations.OWNERS`) -> the list that the item stands in; never in two.
LIST_OF: Final = {
    "wij": MINE,
    "school": SCHOOL,
    "uitgever": PUBLISHER,
    "Edu-iX": EDUIX,
    "leverancier": EDUIX,
    "niemand": ITSELF,
}


@dataclass(frozen=True)
class Deed:
    """The one button of an item.

    `do` is "push" or "resume" for what is posted, empty for a link to `url`. `right` is the
    permission it takes, empty for everybody who sees the item.
    """

    label: str
    url: str = ""
    do: str = ""
    right: str = ""


@dataclass(frozen=True)
class WorkItem:
    """One cause with everything that stands still by it.

    `rows` counts all rows, `parts` by kind; `credits` those that are credits (also the ones that
    wait behind a refused person) and `pupils` the persons concerned. `newest` and `max_pk` tell,
    with `rows`, whether something was added since somebody looked. `url` leads to exactly its rows.
    """

    key: str
    list: str
    owner: str
    owner_label: str
    title: str
    sub: str
    tone: Tone
    state: str
    rows: int
    parts: dict[str, int]
    credits: int
    pupils: int
    since: datetime | None
    newest: datetime | None
    max_pk: int
    next_step: str
    url: str
    deed: Deed
    explanation: Explanation | None = None

    @property
    def number(self) -> int:
        """What every page and mail shows of it: its credits; its rows where no credit waits."""
        return self.credits or self.rows

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Biggest first, and always the same order."""
        return (-self.credits, -self.rows, self.title, self.key)


def work_items(*, now: datetime, account_manager: AbstractBaseUser | None = None) -> list[WorkItem]:
    """All items, biggest first; of the schools of one account manager when one is given.

    A number of queries that does not depend on the rows. What belongs to no school, such as a
    notification about an unknown number, is everybody's.
    """
    from backoffice.desk.work_count import count
    from backoffice.desk.work_rows import Scope
    from backoffice.desk.work_words import told

    return sorted(told(count(Scope(now, account_manager))), key=lambda item: item.order)
