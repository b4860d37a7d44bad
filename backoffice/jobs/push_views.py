"""The page of work on many rows, and the question that comes before a large push."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.jobs import push_pages
from backoffice.jobs.deeds import deeds_of
from backoffice.jobs.models import Job
from backoffice.jobs.push_jobs import (
    Part,
    create_push_job,
    may_resume,
    resume_push,
    stop_push,
)
from backoffice.jobs.push_words import not_there, words_of
from backoffice.jobs.tables import in_language_of_now
from backoffice.jobs.telling import remember

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

TYPED_FROM: Final = 500  # more than this asks for the number, typed
View = Callable[..., HttpResponseBase]


def push_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `versturen/`."""

    def page(view: View) -> View:
        return site.admin_view(never_cache(view))

    job = "versturen/<int:pk>/"
    return [
        path(job, page(_job(site)), name="push_job"),
        path(f"{job}stand/", page(_progress), name="push_progress"),
        path(f"{job}stoppen/", page(_stop), name="push_stop"),
        path(f"{job}verder/", page(_resume), name="push_resume"),
        path(f"{job}niet-verstuurd.csv", page(_failed), name="push_failed"),
    ]


def begin_push(
    request: HttpRequest, *, parts: Sequence[Part], title: str, confirmed: bool = False
) -> HttpResponseRedirect:
    """Make the job and go to its page."""
    user = cast("AbstractBaseUser", request.user)
    return go_to(request, create_push_job(parts=parts, title=title, user=user, confirmed=confirmed))


def go_to(request: HttpRequest, job: Job) -> HttpResponseRedirect:
    """To the page of a new job; the colleague is told when it is ready, wherever."""
    remember(request, job)
    return HttpResponseRedirect(reverse("admin:push_job", args=[job.pk]))


def ask_number(
    request: HttpRequest,
    site: AdminSite,
    *,
    number: int,
    url: str,
    back_url: str,
    hidden: Sequence[tuple[str, str]],
) -> TemplateResponse:
    """So many at once asks for a second look: the number, typed; `hidden` goes along again."""
    typed = request.POST.get("aantal", "").strip()
    problem = _("Type the number %(number)s to send them.") % {"number": number_format(number)}
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": _("Send many rows"),
        "number": number,
        "url": url,
        "back_url": back_url,
        "hidden": hidden,
        "problem": problem if typed else "",
    }
    return TemplateResponse(
        request, "jobs/push_confirm.html", context, status=422 if typed else None
    )


def may_see(job: Job, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Who has the rights that all its rows ask for."""
    deeds = deeds_of(job)
    return bool(deeds) and cast("Any", user).has_perms(
        {one for each in deeds for one in each.rights}
    )


def may_steer(job: Job, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Who may stop it and go on with it: who began it, and who might have."""
    if not may_see(job, user):
        return False
    wanted = {one for each in deeds_of(job) for one in each.steering_rights}
    return job.created_by_id == user.pk or cast("Any", user).has_perms(wanted)


def _found(request: HttpRequest, pk: int, *, to_steer: bool = False) -> Job:
    job = get_object_or_404(Job, pk=pk, kind__in=Job.BULK)
    allowed = may_steer if to_steer else may_see
    if not allowed(job, request.user):
        raise PermissionDenied
    return job


def _job(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = _found(request, pk)
        after = request.GET.get("after", "")
        result = push_pages.shown_result(job, request.GET.get("result", ""))
        rows, more = push_pages.rows_shown(
            job, result=result, after=int(after) if after.isdecimal() and len(after) < 10 else 0
        )
        context = {
            **site.each_context(request),
            "title": job.title,
            **_state(request, job),
            "still_going": push_pages.still_going(job),
            "download": words_of(job).download(not_there(job)) if not_there(job) else "",
            "is_over": job.status == Job.Status.DONE,
            "may_resume": may_resume(job) and may_steer(job, request.user),
            "above": push_pages.above(job, may_import=request.user.has_perm("jobs.add_job")),
            "chips": push_pages.chips(job, result),
            "rows": rows,
            "more": f"?result={result}&after={more}" if more else "",
        }
        return TemplateResponse(request, "jobs/push.html", context)

    return view


def _state(request: HttpRequest, job: Job) -> dict[str, Any]:
    return {**push_pages.state(job), "may_steer": may_steer(job, request.user)}


@require_safe
def _progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The moving part of the page, asked for every second while something happens."""
    job = _found(request, pk)
    if job.is_at_work:
        return TemplateResponse(request, "jobs/_push.html", _state(request, job))
    return HttpResponse(headers={"HX-Refresh": "true"})


@require_POST
def _stop(request: HttpRequest, pk: int) -> HttpResponse:
    job = _found(request, pk, to_steer=True)
    if not stop_push(job=job):
        messages.info(request, _("This was finished already."))
    return HttpResponseRedirect(reverse("admin:push_job", args=[job.pk]))


@require_POST
def _resume(request: HttpRequest, pk: int) -> HttpResponse:
    job = _found(request, pk, to_steer=True)
    if resume_push(job=job):
        remember(request, job)
    else:
        messages.info(request, _("There is nothing to go on with."))
    return HttpResponseRedirect(reverse("admin:push_job", args=[job.pk]))


@require_safe
def _failed(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    job = _found(request, pk)
    name = push_pages.failed_file_name(job)
    return StreamingHttpResponse(
        in_language_of_now(push_pages.failed_file(job)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
