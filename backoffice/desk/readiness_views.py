"""The page of what is ready, under the settings; and its button."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk.outside import ask_for_checks, is_refused_login
from backoffice.desk.readiness_page import readiness

View = Callable[..., HttpResponse]
MAY_SEE = "desk.view_outsidecheck"
MAY_ASK = "desk.change_outsidecheck"


def readiness_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `beheer/gereed/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("beheer/gereed/", page(_page), name="readiness"),
        path("beheer/gereed/stand/", page(_live), name="readiness_live"),
        path("beheer/gereed/nagaan/", page(_check), name="readiness_check"),
    ]


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        _need(request, MAY_SEE)
        context = {
            **site.each_context(request),
            "title": _("Is everything ready?"),
            "page": readiness(timezone.now()),
            "may_ask": request.user.has_perm(MAY_ASK),
        }
        return TemplateResponse(request, "desk/readiness.html", context)

    return view


def _live(site: AdminSite) -> View:
    """The rows alone, for the page that looks again by itself."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        _need(request, MAY_SEE)
        context = {"page": readiness(timezone.now())}
        return TemplateResponse(request, "desk/_readiness.html", context)

    return view


def _check(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        _need(request, MAY_ASK)
        ask_for_checks()
        if is_refused_login():
            messages.warning(
                request,
                _(
                    "Only the rest is checked: Edu-iX refused this login before, and more tries "
                    "may lock it."
                ),
            )
        else:
            messages.success(request, _("The worker asks Edu-iX; the answers appear here."))
        return HttpResponseRedirect(reverse("admin:readiness"))

    return view
