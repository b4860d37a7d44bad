"""The work lists: who must act on what, who has it, and one button for all of an item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backoffice.desk.models import WorkNote
from backoffice.desk.work import LISTS, MINE, WorkItem, work_items
from backoffice.desk.work_deeds import item_url
from backoffice.desk.work_keys import read_key
from backoffice.desk.work_letters import letter_for
from backoffice.desk.work_rows import MODELS, Scope, rows_of
from backoffice.desk.work_states import LONGEST_WAIT, Agreed, agreed, notes_of
from backoffice.outbox.pushable import signed_in
from backoffice.screens.buttons import Button, buttons_for
from persons.models import School

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

View = Callable[..., HttpResponse]
RIGHT: Final = "credits.view_personcredit"
CHANGE: Final = "desk.change_workitemstate"
NOTE: Final = "desk.add_worknote"
PUT_OFF: Final = "later"
SHOWN: Final = 50
OWN, ALL = "mijn", "alle"
EMPTY: Final = {
    "mine": gettext_lazy("Nothing to do: whatever stands still waits for somebody else."),
    "school": gettext_lazy("Nothing waits for a school."),
    "publisher": gettext_lazy("Nothing waits for a publisher that should have answered."),
    "eduix": gettext_lazy("Nothing waits for Edu-iX or our supplier."),
    "itself": gettext_lazy("Nothing is under way."),
    PUT_OFF: gettext_lazy("Nothing is put off."),
}


@dataclass(frozen=True)
class Tab:
    """One list with its number of items."""

    name: str
    label: str
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True)
class Line:
    """One item as the page shows it to this colleague."""

    agreed: Agreed
    url: str
    is_mine: bool
    may_deed: bool
    notes: list[WorkNote]

    @property
    def item(self) -> WorkItem:
        """What it is about."""
        return self.agreed.item

    @property
    def note(self) -> WorkNote | None:
        """The last one."""
        return self.notes[0] if self.notes else None


@dataclass(frozen=True)
class Asked:
    """What an address or a form asks for: whose schools, and which list."""

    schools: str
    list: str
    user: AbstractBaseUser

    @property
    def scope(self) -> Scope:
        """The rows that this is about."""
        return Scope(timezone.now(), self.user if self.schools == OWN else None)

    def url(self, **other: str) -> str:
        """The same page with something else."""
        query = {"lijst": self.list, "scholen": self.schools, **other}
        return f"{reverse('admin:work')}?{urlencode({k: v for k, v in query.items() if v})}"


def work_page_urls(site: AdminSite) -> list[URLPattern]:
    """The pages that only show; `work_posts` has what is pressed."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("werk/", page(_lists), name="work"),
        path("werk/onderdeel/", page(_one), name="work_item"),
    ]


def asked_by(request: HttpRequest, given: Mapping[str, str]) -> Asked:
    """What is asked for; somebody with schools begins with those. Refuses who may not look."""
    if not request.user.has_perm(RIGHT):
        raise PermissionDenied
    user = signed_in(request)
    schools, chosen = given.get("scholen", ""), given.get("lijst", "")
    if schools not in (OWN, ALL):
        schools = OWN if School.objects.filter(account_manager=user.pk).exists() else ALL
    return Asked(schools, chosen if chosen in EMPTY else MINE, user)


def everything_agreed(asked: Asked) -> list[Agreed]:
    """All items of these schools with what was agreed about them."""
    scope = asked.scope
    found = work_items(now=scope.now, account_manager=scope.account_manager)
    return agreed(
        found,
        today=scope.today,
        everything=lambda: found if scope.manager is None else work_items(now=scope.now),
    )


def in_list(one: Agreed, name: str, user: AbstractBaseUser) -> bool:
    """What is put off stands in no other list; "ours" also holds what this colleague took."""
    if one.is_put_off or name == PUT_OFF:
        return one.is_put_off and name == PUT_OFF
    return one.item.list == name or (name == MINE and one.is_of(user))


def _lists(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        asked = asked_by(request, request.GET)
        found = everything_agreed(asked)
        start = _start(request.GET.get("vanaf", ""))
        chosen = [one for one in found if in_list(one, asked.list, asked.user)]
        shown = chosen[start : start + SHOWN]
        notes = notes_of(one.item.key for one in shown)
        more = asked.url(vanaf=str(start + SHOWN)) if len(chosen) > start + SHOWN else ""
        context = {
            **site.each_context(request),
            **_rights(request),
            "title": _("Work lists"),
            "asked": asked,
            "tabs": _tabs(found, asked),
            "filters": [
                Tab(OWN, _("My schools"), 0, asked.url(scholen=OWN), asked.schools == OWN),
                Tab(ALL, _("All schools"), 0, asked.url(scholen=ALL), asked.schools == ALL),
            ],
            "lines": [_line(request, one, notes.get(one.item.key, []), asked) for one in shown],
            "empty": EMPTY[asked.list],
            "more_url": more,
        }
        return TemplateResponse(request, "desk/work.html", context)

    return view


def _start(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _tabs(found: list[Agreed], asked: Asked) -> list[Tab]:
    labels = {name: str(label) for name, label in LISTS.items()} | {PUT_OFF: _("Put off")}
    tabs = []
    for name, label in labels.items():
        number = sum(in_list(one, name, asked.user) for one in found)
        tabs.append(Tab(name, label, number, asked.url(lijst=name), name == asked.list))
    return tabs


def _rights(request: HttpRequest) -> dict[str, bool]:
    return {
        "may_change": request.user.has_perm(CHANGE),
        "may_note": request.user.has_perm(NOTE),
    }


def _line(request: HttpRequest, one: Agreed, notes: list[WorkNote], asked: Asked) -> Line:
    right = one.item.deed.right
    return Line(
        agreed=one,
        url=item_url(one.item.key, lijst=asked.list, scholen=asked.schools),
        is_mine=one.is_of(asked.user),
        may_deed=not right or request.user.has_perm(right),
        notes=notes,
    )


# --- one item -----------------------------------------------------------------------------------


def find(found: list[Agreed], key: str) -> Agreed | None:
    """The item with this key, as long as there is one."""
    return next((one for one in found if one.item.key == key), None)


def _wherever(asked: Asked, key: str) -> tuple[Agreed | None, Asked]:
    """The item, also of a school that is not one's own: colleagues pass links on."""
    for there in dict.fromkeys((asked, replace(asked, schools=ALL))):
        one = find(everything_agreed(there), key)
        if one is not None:
            return one, there
    return None, asked


def gone(request: HttpRequest, asked: Asked) -> HttpResponse:
    """It is solved, or never was: said on the list, where there is something to do."""
    messages.warning(request, _("This item is not there any more: it was solved, or passed."))
    return HttpResponseRedirect(asked.url())


def _one(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        asked = asked_by(request, request.GET)
        one, asked = _wherever(asked, request.GET.get("item", ""))
        if one is None:
            return gone(request, asked)
        return item_page(site, request, one, asked)

    return view


def item_page(
    site: AdminSite,
    request: HttpRequest,
    one: Agreed,
    asked: Asked,
    *,
    problem: str = "",
    given: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Everything about one item; with what is wrong in a form that was sent."""
    key, scope = read_key(one.item.key), asked.scope
    notes = notes_of([one.item.key]).get(one.item.key, [])
    letter = letter_for(key, one.item, scope)
    holder = one.state.taken_by_id if one.state is not None else None
    context = {
        **site.each_context(request),
        **_rights(request),
        "title": one.item.title,
        "asked": asked,
        "line": _line(request, one, notes, asked),
        "letter": letter,
        "buttons": [] if letter else _buttons(request, one.item, scope),
        "holder_pk": holder if holder != asked.user.pk else None,
        "problem": problem,
        "given": given or {},
        "first_day": (scope.today + timedelta(days=1)).isoformat(),
        "last_day": (scope.today + LONGEST_WAIT).isoformat(),
    }
    return TemplateResponse(request, "desk/work_item.html", context, status=422 if problem else 200)


def _buttons(request: HttpRequest, item: WorkItem, scope: Scope) -> list[Button]:
    """One row has the buttons that it has everywhere; many rows have the one of the item."""
    if item.rows != 1 or item.explanation is None:
        return []
    for kind, rows in rows_of(read_key(item.key), scope).items():
        row = MODELS[kind]._default_manager.filter(pk__in=rows.values("pk")[:1]).first()
        if row is not None:
            return buttons_for(item.explanation, row, kind=kind, user=request.user)
    return []
