"""Comparing a school with Edu-iX, and the page of a row that only Edu-iX has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk.compare_lines import BELOW_SHOWN, below_lines, state_pill
from backoffice.desk.comparison import label_of, shown
from backoffice.desk.mirrors import MIRRORS, Mirror
from backoffice.jobs.models import Drift
from backoffice.outbox.models import Held, Message
from backoffice.outbox.pushable import signed_in
from credits.adopting import take_over_row
from persons.comparing import queue_check
from persons.fetching import school_check
from persons.models import School

View = Callable[..., HttpResponse]
LONGEST_REASON: Final = 100  # what the history keeps


def other_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: they stand before those of a row."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    extra, school = "vergelijken/alleen-daar/<int:pk>/", "vergelijken/school/<int:pk>/"
    return [
        path(extra, page(_extra), name="compare_extra"),
        path(f"{extra}overnemen/", page(_adopt), name="compare_adopt"),
        path(school, page(_school), name="compare_school"),
        path(f"{school}stand/", page(_school_live), name="compare_school_live"),
        path(f"{school}ophalen/", page(_school_fetch), name="compare_school_fetch"),
    ]


# --- a school -----------------------------------------------------------------------------------


def _find_school(request: HttpRequest, pk: int, action: str = "view") -> School:
    if not request.user.has_perm(f"persons.{action}_school"):
        raise PermissionDenied
    school = School.objects.filter(pk=pk).first()
    if school is None:
        raise Http404
    return school


def _school_context(request: HttpRequest, school: School) -> dict[str, Any]:
    subject = f"school:{school.organisation_id}"
    held = Held.objects.filter(subject=subject).first()
    credits = list(MIRRORS["school_credit"].rows().filter(school=school).order_by("pk"))
    rows = [(MIRRORS["school_credit"], credit) for credit in credits[:BELOW_SHOWN]]
    active = Message.objects.active().filter(subject=subject, operation="school.check")
    parts = {
        "live": reverse("admin:compare_school_live", args=[school.pk]),
        "fetch": reverse("admin:compare_school_fetch", args=[school.pk]),
    }
    state = "unknown" if held is None else ("equal" if held.is_there else "gone")
    may_see = request.user.has_perm("credits.view_schoolcredit")
    return {
        "title": _("Compare with Edu-iX"),
        "school": school,
        "held": held,
        "state": state,
        "pill": state_pill(state),
        "under": below_lines(rows, subject) if may_see else [],
        "under_way": active.exists(),
        "may_fetch": request.user.has_perm("persons.change_school"),
        "urls": parts,
    }


def _school(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = _school_context(request, _find_school(request, pk))
        return TemplateResponse(
            request, "desk/compare_school.html", {**site.each_context(request), **context}
        )

    return view


def _school_live(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = _school_context(request, _find_school(request, pk))
        return TemplateResponse(request, "desk/_compare_school.html", context)

    return view


def _school_fetch(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        school = _find_school(request, pk, "change")
        queue_check(wanted=school_check(school.organisation_id), user=signed_in(request))
        messages.success(request, _("Edu-iX is being asked; the answer appears here."))
        return HttpResponseRedirect(reverse("admin:compare_school", args=[pk]))

    return view


# --- only at Edu-iX -----------------------------------------------------------------------------


def _find_extra(request: HttpRequest, pk: int, action: str) -> tuple[Mirror, Drift, Held]:
    drift = Drift.objects.filter(pk=pk, what=Drift.What.EXTRA).first()
    held = Held.objects.filter(subject=drift.subject).first() if drift is not None else None
    if drift is None or held is None:
        raise Http404
    mirror = MIRRORS[drift.kind]
    for one in {"view", action}:
        if not request.user.has_perm(mirror.permission(one)):
            raise PermissionDenied
    return mirror, drift, held


def _extra(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        mirror, drift, held = _find_extra(request, pk, "view")
        return _extra_page(site, request, mirror, drift, held)

    return view


def _extra_page(
    site: AdminSite,
    request: HttpRequest,
    mirror: Mirror,
    drift: Drift,
    held: Held,
    problem: str = "",
) -> HttpResponse:
    names = {one.name for one in mirror.model._meta.fields} | set(mirror.links) | mirror.fixed
    blank = mirror.model()
    context = {
        **site.each_context(request),
        "title": _("Only at Edu-iX"),
        "kind": mirror.model._meta.verbose_name,
        "drift": drift,
        "held": held,
        "lines": [
            (label_of(mirror, name), shown(blank, name, value))
            for name, value in held.values.items()
            if name in names
        ],
        "problem": problem,
        "may_adopt": request.user.has_perm(mirror.permission("add")),
        "adopt_url": reverse("admin:compare_adopt", args=[drift.pk]),
        "longest_reason": LONGEST_REASON,
    }
    return TemplateResponse(
        request, "desk/compare_extra.html", context, status=422 if problem else None
    )


def _adopt(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        mirror, drift, held = _find_extra(request, pk, "add")
        reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
        if not reason:
            problem = _("Give the reason; it stands in the history.")
            return _extra_page(site, request, mirror, drift, held, problem)
        question = take_over_row(
            kind=drift.kind, key=drift.label, reason=reason, user=signed_in(request)
        )
        return HttpResponseRedirect(reverse("admin:question", args=[question.pk]))

    return view
