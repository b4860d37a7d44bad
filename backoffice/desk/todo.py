"""What the workbench puts first: the biggest items of the work lists, of one's own schools."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.drift import still_there
from backoffice.desk.work import ITSELF, LISTS, MINE, WorkItem, work_items
from backoffice.desk.work_deeds import item_url
from backoffice.desk.work_keys import read_key
from backoffice.desk.work_rows import Scope
from backoffice.desk.work_states import Agreed, agreed
from backoffice.desk.work_views import ALL, OWN, PUT_OFF, RIGHT, in_list
from persons.models import School

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AbstractUser, AnonymousUser

SHOWN: Final = 6  # more lines than fit in one look help nobody: the lists have the rest
# Refused, or held up by what was; the menu counts the same credits (`attention`).
ATTENTION: Final = ("refused", "conflict", "held", "fault")


@dataclass(frozen=True)
class TodoLine:
    """One item; what is posted is pressed on its own page, where one sees what goes."""

    item: WorkItem
    holder: str
    url: str
    deed_url: str
    deed_label: str

    @property
    def number(self) -> str:
        """Credits that stand still by it; rows where no credit does."""
        return number_format(self.item.number)


@dataclass(frozen=True)
class Link:
    """A work list with its number of items, or a choice of schools."""

    label: str
    url: str
    count: int = 0
    is_current: bool = False


@dataclass(frozen=True)
class Todo:
    """The first card of the page."""

    found: list[WorkItem]
    lines: list[TodoLine]
    tabs: list[Link]
    filters: list[Link]
    url: str
    may_see: bool
    is_own: bool
    differences: int
    put_off: frozenset[str] = frozenset()  # keys of those that are put off

    @property
    def open_items(self) -> list[WorkItem]:
        """What the lists hold: without what somebody has put off."""
        return [item for item in self.found if item.key not in self.put_off]


def by_list(scope: Scope, user: AbstractBaseUser) -> tuple[list[WorkItem], dict[str, list[Agreed]]]:
    """All items, and each list as its page shows it to this colleague."""
    items = work_items(now=scope.now, account_manager=scope.account_manager)
    found = agreed(
        items,
        today=scope.today,
        everything=lambda: items if scope.account_manager is None else work_items(now=scope.now),
    )
    names = (*LISTS, PUT_OFF)
    return items, {name: [one for one in found if in_list(one, name, user)] for name in names}


def todo_of(user: AbstractUser | AnonymousUser, now: datetime, schools: str = "") -> Todo:
    """What this colleague does first, of these schools."""
    if not user.has_perm(RIGHT) or user.is_anonymous:
        return Todo([], [], [], [], "", may_see=False, is_own=False, differences=0)
    has_schools = School.objects.filter(account_manager=user.pk).exists()
    if schools not in (OWN, ALL):
        schools = OWN if has_schools else ALL
    scope = Scope(now, user if schools == OWN else None)
    items, lists = by_list(scope, user)
    labels = [(name, str(label)) for name, label in LISTS.items()]
    tabs = [Link(label, _list_url(name, schools), len(lists[name])) for name, label in labels]
    home = reverse("admin:index")
    filters = [
        Link(_("My schools"), f"{home}?scholen={OWN}", is_current=schools == OWN),
        Link(_("All schools"), f"{home}?scholen={ALL}", is_current=schools == ALL),
    ]
    return Todo(
        found=items,
        lines=[_line(one, user, schools) for one in _first(lists)],
        tabs=tabs,
        filters=filters if has_schools else [],
        url=_list_url("", schools),
        may_see=True,
        is_own=schools == OWN,
        differences=still_there().count(),
        put_off=frozenset(one.item.key for one in lists[PUT_OFF]),
    )


def _first(lists: dict[str, list[Agreed]]) -> list[Agreed]:
    """What we can mend ourselves, then what others must do; never what passes by itself."""
    ordered = [*lists[MINE]]
    keys = {one.item.key for one in ordered}
    for name in LISTS:
        if name not in (MINE, ITSELF):
            ordered += [one for one in lists[name] if one.item.key not in keys]
    return ordered[:SHOWN]


def _line(one: Agreed, user: AbstractUser | AnonymousUser, schools: str) -> TodoLine:
    item, deed = one.item, one.item.deed
    url = item_url(item.key, lijst=item.list, scholen=schools)
    is_allowed = not deed.right or user.has_perm(deed.right)
    is_link = bool(deed.url) and not deed.do
    return TodoLine(
        item=item,
        holder=one.holder,
        url=url,
        deed_url=deed.url if is_link and is_allowed else url,
        deed_label=deed.label if is_allowed else _("Look"),
    )


def _list_url(name: str, schools: str) -> str:
    query = {"lijst": name, "scholen": schools} if name else {"scholen": schools}
    return f"{reverse('admin:work')}?{urlencode(query)}"


# --- one line of verdict ------------------------------------------------------------------------


def lead_of(todo: Todo, *, everything_runs: bool) -> str:
    """The verdict before any detail.

    Of all schools, its first number and what is put off are together the number in the menu.
    """
    ours = [item for item in todo.open_items if _family(item) in ATTENTION]
    attention = _credits(ours)
    sentences = []
    if attention:
        words = ngettext("%s credit needs attention.", "%s credits need attention.", attention)
        sentences.append(words % number_format(attention))
    elif ours:
        sentences.append(_("No credit stands still, but some persons were refused."))
    if len(ours) > 3 and attention:
        explained = number_format(_credits(ours[:3]))
        sentences.append(_("Three causes explain %s of them.") % explained)
    if at_school := _credits(item for item in todo.open_items if _family(item) == "prematch"):
        words = ngettext(
            "%s credit waits for a school.", "%s credits wait for a school.", at_school
        )
        sentences.append(words % number_format(at_school))
    if unsent := sum(item.rows for item in todo.open_items if _family(item) == "unsent"):
        words = ngettext("%s row was not sent.", "%s rows were not sent.", unsent)
        sentences.append(words % number_format(unsent))
    if not sentences and todo.may_see:
        sentences.append(_("Nothing needs your attention."))
    later = [item for item in todo.found if item.key in todo.put_off]
    if put_off := _credits(item for item in later if _family(item) in ATTENTION):
        words = ngettext("%s credit is put off.", "%s credits are put off.", put_off)
        sentences.append(words % number_format(put_off))
    sentences.append(
        _("Everything runs on time.") if everything_runs else _("Not everything runs.")
    )
    return " ".join(sentences)


def _family(item: WorkItem) -> str:
    return read_key(item.key).family


def _credits(items: Iterable[WorkItem]) -> int:
    return sum(item.credits for item in items)
