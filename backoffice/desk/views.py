"""Pages that belong to no single app: the search box, the language, the list of lists."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.desk.digest_sending import remember_language
from backoffice.desk.home import home_page
from backoffice.desk.navigation import other_models
from backoffice.desk.readiness_views import MAY_SEE as MAY_SEE_READINESS
from backoffice.desk.search import answers_to, is_meant, name_search
from backoffice.explanations.views import LONGEST_QUERY, lookup
from backoffice.outbox.services import ring
from backoffice.outbox.stops import resume
from backoffice.screens.rules_page import rules_page

YEAR_IN_SECONDS = 365 * 24 * 3600
# What Django calls authentication and authorization.
APP_NAMES = {"auth": gettext_lazy("Accounts and rights")}


def home(site: AdminSite) -> Callable[..., HttpResponse]:
    """The workbench: what needs attention, and whether everything runs."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        context = {
            **site.each_context(request),
            "title": _("Workbench"),
            "page": home_page(request.user, schools=request.GET.get("scholen", "")),
            "may_import": request.user.has_perm("jobs.add_job"),
            "may_see_refusals": request.user.has_perm("notifications.view_refusal"),
            "may_see_readiness": request.user.has_perm(MAY_SEE_READINESS),
        }
        return TemplateResponse(request, "desk/home.html", context)

    return view


def try_sending_again(site: AdminSite) -> Callable[..., HttpResponse]:
    """The button of the alarm: a colleague has looked at the login and says go on."""

    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("outbox.change_message"):
            raise PermissionDenied
        resume()
        ring()
        messages.success(request, _("We try again; within a minute you see here how it went."))
        back = "outbox_message_changelist" if request.POST.get("back") == "sending" else "index"
        return HttpResponseRedirect(reverse(f"admin:{back}"))

    return view


def search(site: AdminSite) -> Callable[..., HttpResponse]:
    """The search box: straight to the one page that is meant, else a choice or a list of names.

    The box posts: what people paste may hold names, and an address lands in logs.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        asked = request.POST if request.method == "POST" else request.GET
        text = asked.get("q", "").strip()
        if not text:
            return HttpResponseRedirect(reverse("admin:index"))
        if len(text) > LONGEST_QUERY:
            return _explain_pasted(request, text, site)
        answers = answers_to(text, request.user)
        names = name_search(text, request.user)
        if is_meant(answers, text, request.user):
            return HttpResponseRedirect(answers[0].url)
        if not answers and names:
            return HttpResponseRedirect(names)
        context = {
            **site.each_context(request),
            "title": _("Search"),
            "search_query": text,
            "answers": answers,
            "names_url": names,
            "may_ask": request.user.has_perm("persons.change_person"),
        }
        return TemplateResponse(request, "desk/search.html", context)

    return view


def _explain_pasted(request: HttpRequest, text: str, site: AdminSite) -> HttpResponse:
    """A whole message: the page of explanations reads it, under the name of its own box."""
    posted = QueryDict(mutable=True)
    posted["pasted"] = text
    request.method = "POST"
    request.POST = posted  # type: ignore[assignment]  # the page only reads it
    return lookup(request, site.each_context(request))


def explanations(site: AdminSite) -> Callable[..., HttpResponse]:
    """The page where codes and messages are looked up."""

    def view(request: HttpRequest) -> HttpResponse:
        return lookup(request, site.each_context(request))

    return view


def rules(site: AdminSite) -> Callable[..., HttpResponse]:
    """The page of everything that is checked before sending."""

    def view(request: HttpRequest) -> HttpResponse:
        return rules_page(request, site.each_context(request))

    return view


def models_index(site: AdminSite) -> Callable[..., HttpResponse]:
    """The lists that have no place of their own in the menu, by app."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        app_list = site.get_app_list(request)
        others = other_models(app_list)
        groups = [
            {"name": APP_NAMES.get(app["app_label"], app["name"]), "models": shown}
            for app in app_list
            if (shown := [model for model in app["models"] if model in others])
        ]
        if not groups:
            raise PermissionDenied
        context = {
            **site.each_context(request),
            "title": _("Settings"),
            "groups": groups,
            "may_see_readiness": request.user.has_perm(MAY_SEE_READINESS),
        }
        return TemplateResponse(request, "desk/models.html", context)

    return view


@never_cache
@login_not_required
@csrf_protect
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember Dutch or English for this browser and our mail; back to where it was chosen."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = reverse("admin:index")
    response = HttpResponseRedirect(target)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR_IN_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if request.user.is_authenticated:
            remember_language(request.user, language)
    return response
