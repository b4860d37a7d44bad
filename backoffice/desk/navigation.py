"""The menu: by work, not by table, with the counts that make somebody look."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import CharField, Count, QuerySet, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.desk.attention import needs_attention
from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import PersonCredit, SchoolCredit
from notifications.models import Notification

LATE: Final = timedelta(minutes=10)  # a due message that is still here after this is late

# Nothing will happen to these by itself.
OPEN_VERDICTS: Final = (
    Notification.Verdict.UNMATCHED,
    Notification.Verdict.INVALID,
    Notification.Verdict.FAILED,
    Notification.Verdict.DEAD,
)


@dataclass(frozen=True)
class Place:
    """One kind of work.

    It stands on a list of the admin (`model`, as `app.model`), which also decides who sees it, or
    on a page of its own (`url_name`) with one of `permissions`; no permissions means everybody.
    """

    title: str | Promise
    model: str = ""
    url_name: str = ""
    permissions: tuple[str, ...] = ()
    badge: str = ""
    also: str = ""  # what its other pages begin with, behind the address of the admin
    children: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Badge:
    """The small word behind a line of the menu; `meaning` is what a screen reader adds."""

    text: str
    meaning: str = ""
    is_alarm: bool = False


@dataclass(frozen=True)
class Entry:
    """A line of the menu as the template shows it."""

    title: str
    url: str
    is_current: bool = False
    badge: Badge | None = None
    children: tuple[Entry, ...] = field(default=())


PLACES: Final = (
    Place(
        gettext_lazy("Work lists"),
        url_name="admin:work",
        permissions=("credits.view_personcredit",),
    ),
    Place(
        gettext_lazy("Why no access?"),
        url_name="admin:why",
        permissions=("persons.view_person",),
    ),
    Place(gettext_lazy("Persons"), model="persons.person"),
    Place(gettext_lazy("Schools"), model="persons.school", also="scholen/"),
    Place(
        gettext_lazy("Credits"),
        model="credits.personcredit",
        children=(
            Place(gettext_lazy("Of persons"), model="credits.personcredit"),
            Place(gettext_lazy("Of schools"), model="credits.schoolcredit"),
        ),
    ),
    Place(gettext_lazy("Notifications"), model="notifications.notification", badge="notifications"),
    Place(
        gettext_lazy("Sending"),
        model="outbox.message",
        badge="sending",
        children=(
            Place(gettext_lazy("Messages"), model="outbox.message"),
            Place(gettext_lazy("Requests about persons"), model="persons.personchange"),
            Place(
                gettext_lazy("Differences"),
                url_name="admin:drift",
                permissions=("persons.view_person",),
            ),
        ),
    ),
    Place(gettext_lazy("Ask Edu-iX"), url_name="admin:ask", permissions=("persons.change_person",)),
    Place(gettext_lazy("Import"), url_name="admin:import_start", permissions=("jobs.add_job",)),
    Place(gettext_lazy("Explanation"), url_name="admin:explain"),
)

AppList = list[dict[str, Any]]


def navigation(
    *, path: str, user: AbstractBaseUser | AnonymousUser, app_list: AppList
) -> list[Entry]:
    """The menu for this colleague on the page with this path; one query.

    `app_list` is what `AdminSite.get_app_list` tells this colleague may open.
    """
    lists = {model_key(model): model["admin_url"] for model in models_of(app_list)}
    badges = _badges(timezone.now())
    home = reverse("admin:index")
    entries = [Entry(_("Workbench"), home, path == home, badges.get("home"))]
    entries += [
        entry for place in PLACES if (entry := _entry(place, path, lists, user, badges)) is not None
    ]
    others = other_models(app_list)
    if others:
        url = reverse("admin:models")
        is_here = path.startswith(url) or any(
            path.startswith(model["admin_url"]) for model in others
        )
        entries.append(Entry(_("Settings"), url, is_here))
    return entries


def models_of(app_list: AppList) -> list[dict[str, Any]]:
    """The lists that somebody may open, in the admin's own words."""
    return [model for app in app_list for model in app["models"] if model["admin_url"]]


def model_key(model: dict[str, Any]) -> str:
    """`persons.person`, as `Place.model` names it."""
    return str(model["model"]._meta.label_lower)


def other_models(app_list: AppList) -> list[dict[str, Any]]:
    """The lists that have no place of their own in the menu."""
    placed = {place.model for top in PLACES for place in (top, *top.children)}
    return [model for model in models_of(app_list) if model_key(model) not in placed]


def _entry(
    place: Place,
    path: str,
    lists: dict[str, str],
    user: AbstractBaseUser | AnonymousUser,
    badges: dict[str, Badge],
) -> Entry | None:
    url = lists.get(place.model, "") if place.model else _page(place, user)
    children = [child for part in place.children if (child := _entry(part, path, lists, user, {}))]
    if not url and not children:
        return None
    url = url or children[0].url
    also = reverse("admin:index") + place.also if place.also else url
    is_here = path.startswith((url, also)) or any(child.is_current for child in children)
    return Entry(
        str(place.title),
        url,
        is_here,
        badges.get(place.badge),
        tuple(children) if is_here and len(children) > 1 else (),
    )


def _page(place: Place, user: AbstractBaseUser | AnonymousUser) -> str:
    allowed = not place.permissions or any(
        user.has_perm(permission)  # type: ignore[union-attr]  # PermissionsMixin, both in fact
        for permission in place.permissions
    )
    return reverse(place.url_name) if allowed else ""


def _badges(now: datetime) -> dict[str, Badge]:
    """The badges that say something; where all is well the menu stays quiet."""
    counts = _counts(now)
    badges: dict[str, Badge] = {}
    if counts["attention"]:
        meaning = ngettext("credit needs attention", "credits need attention", counts["attention"])
        badges["home"] = Badge(number_format(counts["attention"]), meaning, is_alarm=True)
    if counts["notifications"]:
        text = _("%s open") % number_format(counts["notifications"])
        badges["notifications"] = Badge(text)
    if counts["stopped"]:
        badges["sending"] = Badge(_("stopped"), is_alarm=True)
    elif counts["late"]:
        badges["sending"] = Badge(_("%s late") % number_format(counts["late"]), is_alarm=True)
    elif counts["queue"]:
        badges["sending"] = Badge(_("%s in the queue") % number_format(counts["queue"]))
    else:
        badges["sending"] = Badge(_("on time"))
    return badges


def _counts(now: datetime) -> dict[str, int]:
    """All counts of the menu in one query: it stands on every page."""
    attention = needs_attention(timezone.localdate(now))
    active = Message.objects.active()
    stopped = ServiceState.objects.filter(service=SERVICE, stopped_at__isnull=False)
    parts: list[QuerySet[Any, Any]] = [
        _part("attention", PersonCredit.objects.filter(attention)),
        _part("attention", SchoolCredit.objects.filter(attention)),
        _part("notifications", Notification.objects.filter(verdict__in=OPEN_VERDICTS)),
        _part("queue", active),
        _part("late", active.filter(due_at__lt=now - LATE)),
        _part("stopped", stopped),
    ]
    counts = dict.fromkeys(("attention", "notifications", "queue", "late", "stopped"), 0)
    for name, rows in parts[0].union(*parts[1:], all=True):
        counts[name] += rows
    return counts


def _part(name: str, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = (
        rows.order_by()
        .annotate(part=Value(name, output_field=CharField()))
        .values("part")
        .annotate(rows=Count("pk"))
        .values_list("part", "rows")
    )
    return counted
