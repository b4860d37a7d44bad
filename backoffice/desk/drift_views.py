"""The page of differences: what comparing found, a run to start or stop, and a file of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk import drift
from backoffice.jobs.models import CheckRun, Drift
from backoffice.outbox.pushable import signed_in
from persons.comparing import UnknownSchool, cancel_run, start_run

View = Callable[..., HttpResponseBase]
LARGEST_SAMPLE: Final = 100_000
PERMISSIONS: Final = ("persons.view_person", "credits.view_personcredit")


def drift_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `afwijkingen/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("afwijkingen/", page(_page), name="drift"),
        path("afwijkingen/stand/", page(_live), name="drift_live"),
        path("afwijkingen/vergelijken/", page(_start), name="drift_start"),
        path("afwijkingen/<int:pk>/stoppen/", page(_cancel), name="drift_cancel"),
        path("afwijkingen/afwijkingen.csv", page(_csv), name="drift_csv"),
    ]


@dataclass(frozen=True)
class Part:
    """A chip: one part of the differences with its number."""

    what: str
    label: str
    count: int
    url: str
    is_current: bool
    kinds: str


def _need(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions or PERMISSIONS):
        raise PermissionDenied


def _may_start(request: HttpRequest) -> bool:
    return request.user.has_perms(["persons.change_person", "persons.change_school"])


def _parts(current: str) -> list[Part]:
    numbers = drift.counts()
    found = []
    for what in Drift.What:
        by_kind = numbers.get(what.value, {})
        if by_kind:
            kinds = ", ".join(
                f"{number} {str(drift.KINDS[kind]).lower()}" for kind, number in by_kind.items()
            )
            url = f"?what={what.value}"
            found.append(
                Part(
                    what.value, str(what.label), sum(by_kind.values()), url, what == current, kinds
                )
            )
    return found


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        _need(request)
        return TemplateResponse(request, "desk/drift.html", _context(site, request))

    return view


def _context(site: AdminSite, request: HttpRequest, problem: str = "") -> dict[str, Any]:
    what = request.GET.get("what", "")
    after = request.GET.get("after", "")
    rows = drift.shown_part(what).order_by("pk")
    if after.isdecimal() and len(after) < 19:
        rows = rows.filter(pk__gt=int(after))
    found = list(rows[: drift.SHOWN + 1])
    parts = _parts(what)
    is_open = any(part.what in Drift.OPEN for part in parts)
    return {
        **site.each_context(request),
        **_run_context(request),
        "title": _("Differences with Edu-iX"),
        "problem": problem,
        "parts": parts,
        "what": what,
        "lines": drift.lines_of(found[: drift.SHOWN]),
        "next": found[drift.SHOWN - 1].pk if len(found) > drift.SHOWN else None,
        "equal": "" if is_open else drift.equal_words(),
        "posted": request.POST,
        "largest_sample": LARGEST_SAMPLE,
    }


def _run_context(request: HttpRequest) -> dict[str, Any]:
    card = drift.run_card(timezone.now())
    return {
        "card": card,
        "is_running": card is not None and card.run.status == CheckRun.Status.RUNNING,
        "may_start": _may_start(request),
    }


def _live(site: AdminSite) -> View:
    """How far the run is; the whole page is loaded once when it is done."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        _need(request)
        context = _run_context(request)
        if not context["is_running"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "desk/_drift_run.html", context)

    return view


def _start(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        _need(request)
        if not _may_start(request):
            raise PermissionDenied
        problem = ""
        organisation_id = request.POST.get("school", "").strip()
        sample = request.POST.get("sample", "").strip()
        if sample and not (
            sample.isdecimal() and len(sample) <= 6 and 1 <= int(sample) <= LARGEST_SAMPLE
        ):
            problem = _("The number of persons must be between 1 and %d.") % LARGEST_SAMPLE
        elif CheckRun.objects.filter(status=CheckRun.Status.RUNNING).exists():
            problem = _("A comparison is under way already: wait for it, or stop it first.")
        else:
            try:
                start_run(
                    organisation_id=organisation_id,
                    sample=int(sample) if sample else None,
                    user=signed_in(request),
                )
            except UnknownSchool:
                problem = _("There is no school with the ID %s here.") % organisation_id
        if problem:
            context = _context(site, request, problem)
            return TemplateResponse(request, "desk/drift.html", context, status=422)
        messages.success(request, _("Comparing has begun; you may leave this page."))
        return HttpResponseRedirect(reverse("admin:drift"))

    return view


def _cancel(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        _need(request)
        if not _may_start(request):
            raise PermissionDenied
        run = CheckRun.objects.filter(pk=pk).first()
        if run is None:
            raise Http404
        if cancel_run(run=run):
            messages.success(request, _("Stopped. What was compared stays."))
        else:
            messages.info(request, _("This was finished already."))
        return HttpResponseRedirect(reverse("admin:drift"))

    return view


def _csv(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponseBase:
        _need(request)
        rows = drift.as_csv(request.GET.get("what", ""))
        response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
        name = f"afwijkingen-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return view
