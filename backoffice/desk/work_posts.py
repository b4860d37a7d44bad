"""What is pressed on the work lists: take, release, put off, write a note, send all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backoffice.desk.work import work_items
from backoffice.desk.work_deeds import item_url
from backoffice.desk.work_keys import UnknownKey, read_key
from backoffice.desk.work_pushing import Order, may_push, order_for, push_all
from backoffice.desk.work_states import (
    Agreed,
    NotPossible,
    TakenByOther,
    bring_back,
    put_off,
    release,
    take,
    write_note,
)
from backoffice.desk.work_views import (
    CHANGE,
    NOTE,
    Asked,
    asked_by,
    everything_agreed,
    find,
    gone,
    item_page,
)
from backoffice.jobs.push_views import begin_push
from backoffice.screens.numbers import is_typed

Deed = Callable[[HttpRequest, Agreed, Asked], str]


def work_post_urls(site: AdminSite) -> list[URLPattern]:
    """The one address that every button and form of these pages goes to."""
    return [path("werk/doen/", site.admin_view(never_cache(_do(site))), name="work_do")]


def _do(site: AdminSite) -> Callable[..., HttpResponse]:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        given = request.POST
        asked = asked_by(request, given)
        if request.method != "POST":  # a session that ended in between leads here
            return HttpResponseRedirect(asked.url())
        right, deed = DEEDS.get(given.get("doen", ""), ("", None))
        if not right:
            messages.warning(request, _("That button is not known. Choose one on this page."))
            return HttpResponseRedirect(asked.url())
        if not request.user.has_perm(right):
            raise PermissionDenied
        one = find(everything_agreed(asked), given.get("item", ""))
        if one is None:
            return gone(request, asked)
        if deed is None:
            return _push(site, request, one, asked)
        try:
            messages.success(request, deed(request, one, asked))
        except TakenByOther as other:
            messages.warning(request, str(other))
            return HttpResponseRedirect(_item_url(one, asked))
        except NotPossible as problem:
            return item_page(site, request, one, asked, problem=str(problem), given=given)
        is_on_item = given.get("terug") == "item"
        return HttpResponseRedirect(_item_url(one, asked) if is_on_item else asked.url())

    return view


def _item_url(one: Agreed, asked: Asked) -> str:
    return item_url(one.item.key, lijst=asked.list, scholen=asked.schools)


def _take(request: HttpRequest, one: Agreed, asked: Asked) -> str:
    over = request.POST.get("van", "")
    take(
        key=one.item.key,
        user=asked.user,
        now=timezone.now(),
        over=int(over) if over.isdecimal() and len(over) < 10 else None,
    )
    return _("You have it now: it stands in your list as well.")


def _release(request: HttpRequest, one: Agreed, asked: Asked) -> str:
    release(key=one.item.key, user=asked.user)
    return _("Given back: anybody can take it.")


def _put_off(request: HttpRequest, one: Agreed, asked: Asked) -> str:
    """The facts of all schools are kept, because colleagues with other schools see it too."""
    now = timezone.now()
    whole = next((each for each in work_items(now=now) if each.key == one.item.key), one.item)
    until = request.POST.get("tot", "")
    day = put_off(item=whole, until=until, user=asked.user, now=now, today=timezone.localdate(now))
    return _("Put off until %(day)s, or until something is added to it.") % {
        "day": date_format(day, "j F")
    }


def _bring_back(request: HttpRequest, one: Agreed, asked: Asked) -> str:
    bring_back(key=one.item.key)
    return _("It is back in its list.")


def _note(request: HttpRequest, one: Agreed, asked: Asked) -> str:
    text = request.POST.get("tekst", "")
    write_note(key=one.item.key, text=text, user=asked.user, now=timezone.now())
    return _("Noted.")


# What may be pressed, with the right it takes; sending asks for the right of each kind as well.
DEEDS: Final[dict[str, tuple[str, Deed | None]]] = {
    "nemen": (CHANGE, _take),
    "teruggeven": (CHANGE, _release),
    "uitstellen": (CHANGE, _put_off),
    "terughalen": (CHANGE, _bring_back),
    "noteren": (NOTE, _note),
    "sturen": ("credits.view_personcredit", None),
}


# --- sending all --------------------------------------------------------------------------------


def _push(site: AdminSite, request: HttpRequest, one: Agreed, asked: Asked) -> HttpResponse:
    """The rows are found anew: nothing that the page sends along says which they are."""
    try:
        order = order_for(read_key(one.item.key), asked.scope)
        if not may_push(order, request.user):
            raise PermissionDenied
        typed = request.POST.get("aantal", "").strip()
        if order.needs_typing and not is_typed(typed, order.number):
            return _ask(site, request, one, asked, order, is_wrong=bool(typed))
        if order.is_large:
            return begin_push(request, parts=order.parts, title=str(one.item.title))
        told = push_all(order, site=site, user=asked.user, seen=_seen(request, order))
    except NotPossible as problem:
        return item_page(site, request, one, asked, problem=str(problem))
    except UnknownKey:
        return gone(request, asked)
    messages.success(request, told)
    return HttpResponseRedirect(asked.url())


def _seen(request: HttpRequest, order: Order) -> int:
    text = request.POST.get("gezien", "")
    return int(text) if text.isdecimal() and len(text) < 10 else order.number


def _ask(
    site: AdminSite,
    request: HttpRequest,
    one: Agreed,
    asked: Asked,
    order: Order,
    *,
    is_wrong: bool,
) -> HttpResponse:
    """So many at once asks for a second look: the number, typed."""
    number = number_format(order.number)
    problem = _("Type the number %(number)s to send them.") % {"number": number}
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": one.item.title,
        "one": one,
        "asked": asked,
        "order": order,
        "problem": problem if is_wrong else "",
        "back_url": _item_url(one, asked),
    }
    status = 422 if is_wrong else 200
    return TemplateResponse(request, "desk/work_confirm.html", context, status=status)
