"""The page of differences: what comparing found, comparing more, and a file of it."""

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
from backoffice.jobs import push_pages, push_words
from backoffice.jobs.models import CheckRun, Drift, Job
from backoffice.jobs.push_views import go_to, may_see
from backoffice.jobs.telling import remember_run
from backoffice.outbox.pushable import signed_in
from backoffice.screens.numbers import with_number
from persons.comparing import (
    UnknownSchool,
    cancel_run,
    compare_sample,
    compare_school,
    start_run,
)

View = Callable[..., HttpResponseBase]
LARGEST_SAMPLE: Final = 100_000
JOBS_SHOWN: Final = 5
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


def need(request: HttpRequest, *permissions: str) -> None:
    """Raises `PermissionDenied` for who may not look."""
    if not request.user.has_perms(permissions or PERMISSIONS):
        raise PermissionDenied


def may_start(request: HttpRequest) -> bool:
    """Whether this colleague may start or stop a comparison."""
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
        need(request)
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
        "jobs": _jobs(request),
        "posted": request.POST,
        "largest_sample": LARGEST_SAMPLE,
    }


def _jobs(request: HttpRequest) -> list[dict[str, Any]]:
    """The newest comparisons of what colleagues have chosen."""
    jobs = Job.objects.filter(kind=Job.Kind.FETCH).select_related("created_by").order_by("-pk")
    return [
        {
            "job": job,
            "tone": push_pages.list_tone(job),
            "state": push_words.state_words(job),
            "left": push_words.left_words(job),
        }
        for job in jobs[:JOBS_SHOWN]
        if may_see(job, request.user)
    ]


def _run_context(request: HttpRequest) -> dict[str, Any]:
    card = drift.run_card(timezone.now())
    return {
        "card": card,
        "is_running": card is not None and card.run.status == CheckRun.Status.RUNNING,
        "may_start": may_start(request),
    }


def _live(site: AdminSite) -> View:
    """How far the run is; the whole page is loaded once when it is done."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        need(request)
        context = _run_context(request)
        if not context["is_running"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "desk/_drift_run.html", context)

    return view


def _start(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        need(request)
        if not may_start(request):
            raise PermissionDenied
        organisation_id = request.POST.get("school", "").strip()
        sample = request.POST.get("sample", "").strip()
        try:
            if organisation_id or sample:
                return go_to(request, _chosen_job(request, organisation_id, sample))
            _begin_run(request)
        except CannotStart as problem:
            context = _context(site, request, str(problem))
            return TemplateResponse(request, "desk/drift.html", context, status=422)
        return HttpResponseRedirect(reverse("admin:drift"))

    return view


class CannotStart(Exception):
    """This cannot be compared, or not now; the text is for the colleague."""


def _chosen_job(request: HttpRequest, organisation_id: str, sample: str) -> Job:
    """Compare a school, or persons drawn at random. Raises `CannotStart`."""
    try:
        if not sample:
            title = _("Compare school %s") % organisation_id
            return compare_school(
                organisation_id=organisation_id, title=title, user=signed_in(request)
            )
        is_number = sample.isdecimal() and len(sample) <= 6
        if not (is_number and 1 <= int(sample) <= LARGEST_SAMPLE):
            words = with_number(
                _("The number of persons must be between 1 and %d."), LARGEST_SAMPLE
            )
            raise CannotStart(words)
        return compare_sample(
            sample=int(sample),
            organisation_id=organisation_id,
            title=_("Compare a sample"),
            user=signed_in(request),
        )
    except UnknownSchool:
        raise CannotStart(_("There is no school with the ID %s here.") % organisation_id) from None


def _begin_run(request: HttpRequest) -> None:
    """Compare everything, in the background and for everybody. Raises `CannotStart`."""
    if CheckRun.objects.filter(status=CheckRun.Status.RUNNING).exists():
        words = _("A comparison is under way already: wait for it, or stop it first.")
        raise CannotStart(words)
    remember_run(request, start_run(user=signed_in(request)))
    messages.success(request, _("Comparing has begun; you may leave this page."))


def _cancel(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        need(request)
        if not may_start(request):
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
        need(request)
        rows = drift.as_csv(request.GET.get("what", ""))
        response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
        name = f"afwijkingen-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return view
