"""The page "why no access?": whom it is about, the answer with its proof, and its buttons.

What people type may hold a name, and an address lands in logs: the form posts, and the answer has
an address with a row number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.desk.why import Look, looks_of, poll_seconds
from backoffice.desk.why_buttons import Button, Desk, buttons_of, buttons_of_step, rights_for
from backoffice.desk.why_doing import NEEDS_ROW, Order, carry_out, row_of
from backoffice.desk.why_letter import letter_of
from backoffice.desk.why_search import Found, find_day, find_ean, find_persons, find_school, kept
from backoffice.desk.why_timeline import timeline_of
from backoffice.outbox.pushable import signed_in
from backoffice.screens.search import spaced_ean
from credits.access_evidence import Step
from credits.access_mends import CannotMend
from credits.access_words import book_words, today_or
from persons.models import Person, School

View = Callable[..., HttpResponse]
PERMISSIONS: Final = ("persons.view_person", "credits.view_personcredit")
ASKED: Final = ("boek", "dag", "school")


def why_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `waarom/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("waarom/", page(_start), name="why"),
        path("waarom/<int:pk>/", page(_page), name="why_person"),
        path("waarom/<int:pk>/stand/", page(_live), name="why_live"),
        path("waarom/<int:pk>/bewijs/", page(_proof), name="why_proof"),
        path("waarom/<int:pk>/doen/", page(_do), name="why_do"),
    ]


def why_url(person_id: int, *, ean: str = "", name: str = "why_person", **asked: str) -> str:
    """The address of the answer about one person, and of one book of it."""
    given = {"boek": ean, **asked}
    query = urlencode({key: value for key, value in given.items() if value})
    url = reverse(f"admin:{name}", args=[person_id])
    return f"{url}?{query}" if query else url


@dataclass(frozen=True)
class Line:
    """One link of the chain with its buttons."""

    step: Step
    buttons: list[Button]
    owner: str


@dataclass(frozen=True)
class Asked:
    """What was asked for, with what is wrong in it; the day is today when it cannot be read."""

    person: Person
    ean: str
    day: date
    school: School | None
    problems: list[str]
    query: dict[str, str]


def _need(request: HttpRequest) -> None:
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied


def _start(site: AdminSite) -> View:
    """The form; with what was typed, whom it may be about."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        _need(request)
        given = request.POST
        typed = {name: given.get(name, "").strip() for name in ("wie", *ASKED)}
        found: Found | None = None
        problems: list[str] = []
        if request.method == "POST":
            school, wrong = find_school(typed["school"])
            problems = [wrong] if wrong else []
            found = find_persons(typed["wie"], school=school)
            query = {name: typed[name] for name in ASKED if typed[name]}
            if found.one is not None:
                url = reverse("admin:why_person", args=[found.one.pk])
                return HttpResponseRedirect(f"{url}?{urlencode(query)}" if query else url)
        context = {
            **site.each_context(request),
            "title": _("Why no access?"),
            "typed": typed,
            "found": found,
            "problems": problems,
            "query": urlencode({name: typed[name] for name in ASKED if typed[name]}),
            "ask_url": _ask_url(request, found),
        }
        return TemplateResponse(request, "desk/why_start.html", context)

    return view


def _ask_url(request: HttpRequest, found: Found | None) -> str:
    """Where Edu-iX is asked for a number that nobody here has."""
    if found is None or not found.ask_key or not request.user.has_perm("persons.change_person"):
        return ""
    asked = {"get": "getPerson", "choice": "distributorPerson"}
    query = urlencode({**asked, "distributor_person_id": found.ask_key})
    return f"{reverse('admin:ask')}?{query}"


def _asked(request: HttpRequest, pk: int) -> Asked:
    _need(request)
    person = kept().filter(pk=pk).first()
    if person is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    query = {name: given.get(name, "").strip()[:300] for name in ASKED}
    ean, wrong_ean = find_ean(query["boek"], person)
    day, wrong_day = find_day(query["dag"], timezone.localdate())
    school, wrong_school = find_school(query["school"])
    problems = [wrong for wrong in (wrong_ean, wrong_day, wrong_school) if wrong]
    return Asked(
        person, ean, day, school, problems, {key: value for key, value in query.items() if value}
    )


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        asked = _asked(request, pk)
        context = {**site.each_context(request), **_context(request, asked)}
        return TemplateResponse(request, "desk/why.html", context)

    return view


def _live(site: AdminSite) -> View:
    """The same without its frame, asked for by a script while something is under way."""

    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        return TemplateResponse(request, "desk/_why.html", _context(request, _asked(request, pk)))

    return view


def _proof(site: AdminSite) -> View:
    """One sheet to print or to send along: verdict, proof and times, without buttons."""

    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = {**site.each_context(request), **_context(request, _asked(request, pk))}
        return TemplateResponse(request, "desk/why_proof.html", context)

    return view


def _do(site: AdminSite) -> View:
    """Press a button, and look again."""

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        asked = _asked(request, pk)
        do, subject = request.POST.get("doen", ""), request.POST.get("onderwerp", "")
        try:
            rights = rights_for(do, subject)
        except KeyError:
            raise Http404 from None
        if not request.user.has_perms(rights):
            raise PermissionDenied
        row = row_of(subject, asked.person)
        back = HttpResponseRedirect(_back(asked))
        if row is None and do in NEEDS_ROW:
            messages.warning(request, _("That is not there any more; look at the page as it is."))
            return back
        user = signed_in(request)
        order = Order(do, asked.person, row, asked.ean, asked.day, asked.school, user)
        try:
            messages.success(request, carry_out(order))
        except CannotMend as problem:
            messages.warning(request, str(problem))
        return back

    return view


def _back(asked: Asked) -> str:
    url = reverse("admin:why_person", args=[asked.person.pk])
    return f"{url}?{urlencode(asked.query)}" if asked.query else url


def _context(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    now = timezone.now()
    organisation_id = asked.school.organisation_id if asked.school is not None else ""
    looks = looks_of(
        asked.person, day=asked.day, now=now, ean=asked.ean, organisation_id=organisation_id
    )
    look = looks[0]
    desk = Desk(request.user, asked.day, organisation_id)
    query = urlencode(asked.query)
    suffix = f"?{query}" if query else ""
    args = [asked.person.pk]
    return {
        "title": title_of(look, asked),
        "lead": lead_of(look, asked),
        "look": look,
        "others": _others(looks[1:], asked),
        "lines": [_line(look, step, desk) for step in look.steps],
        "buttons": buttons_of(look, desk),
        "letter": letter_of(look, day=asked.day),
        "timeline": timeline_of(look, user=request.user, now=now),
        "asked": asked,
        "typed": {"wie": asked.person.distributor_person_id, **asked.query},
        "problems": asked.problems,
        "now": now,
        "poll_seconds": poll_seconds(looks, now=now),
        "live_url": reverse("admin:why_live", args=args) + suffix,
        "do_url": reverse("admin:why_do", args=args),
        "proof_url": reverse("admin:why_proof", args=args) + suffix,
        "page_url": reverse("admin:why_person", args=args) + suffix,
        "person_url": reverse("admin:persons_person_change", args=args),
        "report_url": _report_url(request, look),
    }


def _report_url(request: HttpRequest, look: Look) -> str:
    """How the other pupils of this school stand; empty without a school or the right."""
    place = look.book.place
    if place is None or not request.user.has_perm("persons.view_school"):
        return ""
    return reverse("admin:school_report", args=[place.school_id])


def _line(look: Look, step: Step, desk: Desk) -> Line:
    owner = ""
    if step.tone == "bad":
        owner = look.answer.owner_label if step == look.broken else ""
    return Line(step, buttons_of_step(look, step, desk), owner)


def _others(looks: list[Look], asked: Asked) -> list[tuple[Look, str]]:
    """The other books, each with the address of its own chain."""
    more = {key: value for key, value in asked.query.items() if key != "boek"}
    return [(look, why_url(asked.person.pk, ean=look.book.ean, **more)) for look in looks]


def title_of(look: Look, asked: Asked) -> str:
    """The question as somebody on the phone asks it."""
    named = {"who": asked.person.full_name, "book": book_words(look.book)}
    if look.verdict.is_fine:
        return _("Can %(who)s open %(book)s?") % named
    return _("Why can %(who)s not open %(book)s?") % named


def lead_of(look: Look, asked: Asked) -> str:
    """Which book, which school, which day."""
    place = look.book.place
    parts = [
        spaced_ean(look.book.ean) if look.book.title else "",
        place.school.name if place is not None else "",
        place.school_student_number if place is not None else "",
        today_or(asked.day),
    ]
    return " · ".join(part for part in parts if part)
