"""The import pages: choose a file, look what will become of it, take it in, send it.

Reading a page never changes anything; every step is a button that posts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.jobs import pages, push_pages, push_words
from backoffice.jobs.files import BadFile
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_views import may_see
from backoffice.jobs.push_words import REFUSED
from backoffice.jobs.registry import Importer, importer_of, importers
from backoffice.jobs.services import (
    cancel_import,
    create_import_job,
    go_on,
    go_on_without_answers,
    run_import,
    send_import,
)
from backoffice.jobs.tables import (
    error_file,
    error_file_name,
    in_language_of_now,
    template_file,
)
from backoffice.jobs.telling import remember
from backoffice.jobs.uploads import CappedUploadHandler
from backoffice.screens.numbers import grouped

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

JOBS_SHOWN: Final = 10
View = Callable[..., HttpResponseBase]


def get_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `importeren/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(make(site))

    job = "importeren/<int:pk>/"
    return [
        path("importeren/", _capped(page(_start)), name="import_start"),
        path("importeren/sjabloon/<slug:kind>.csv", page(_template), name="import_template"),
        path(job, page(_job), name="import_job"),
        path(f"{job}stand/", page(_progress), name="import_progress"),
        path(f"{job}inlezen/", page(_run), name="import_run"),
        path(f"{job}sturen/", page(_send), name="import_send"),
        path(f"{job}stoppen/", page(_cancel), name="import_cancel"),
        path(f"{job}verder/", page(_continue), name="import_continue"),
        path(f"{job}geweigerd.csv", page(_errors), name="import_errors"),
    ]


def _capped(view: View) -> View:
    """Cap the upload before anything reads the request; the view itself checks the token."""

    @csrf_exempt
    def capped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.upload_handlers = [CappedUploadHandler(request)]
        return view(request, *args, **kwargs)

    return capped


def _start(site: AdminSite) -> View:
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        _need(request, "jobs.add_job")
        problem = ""
        if request.method == "POST":
            try:
                job = _new_job(request)
                remember(request, job)
                return HttpResponseRedirect(_job_url(job))
            except BadFile as found:
                problem = str(found)
        context = {
            **site.each_context(request),
            "title": _("Import"),
            "problem": problem,
            "kinds": [(each.kind, each.title) for each in importers()],
            "chosen": request.POST.get("kind", ""),
            "examples": [example.name for example in _examples()],
            "jobs": _recent(request),
            "megabytes": settings.IMPORT_MAX_BYTES // 1_048_576,
        }
        return TemplateResponse(
            request, "jobs/start.html", context, status=422 if problem else None
        )

    return view


def _new_job(request: HttpRequest) -> Job:
    """Read what was uploaded, or the example that was asked for. Raises `BadFile`."""
    kind = request.POST.get("kind", "")
    if kind and kind not in [each.kind for each in importers()]:
        raise BadFile(_("Choose what the file holds from the list."))
    if wanted := request.POST.get("example"):
        example = next((each for each in _examples() if each.name == wanted), None)
        if example is None:
            raise BadFile(_("There is no such example."))
        with example.open("rb") as stream:
            return _create(request, example.name, stream, kind)
    upload = request.FILES.get("file")
    if upload is None:
        if any(getattr(each, "is_too_large", False) for each in request.upload_handlers):
            most = settings.IMPORT_MAX_BYTES // 1_048_576
            raise BadFile(_("The file is larger than %d MB; please split it.") % most)
        raise BadFile(_("Choose a file first."))
    return _create(request, upload.name or "", cast("IO[bytes]", upload.file), kind)


def _create(request: HttpRequest, name: str, stream: IO[bytes], kind: str) -> Job:
    return create_import_job(name=name, stream=stream, kind=kind, user=_user(request))


def _examples() -> list[Path]:
    """The example files, on one machine only: never in an environment with real pupils."""
    if settings.BACKOFFICE_ENV != "embedded":
        return []
    shifted = Path(settings.BACKOFFICE_VAR) / "examples"
    folder = shifted if shifted.is_dir() else Path(settings.BASE_DIR) / "examples"
    files = [folder / f"{each.kind}.csv" for each in importers()]
    return [file for file in files if file.is_file()]


def _recent(request: HttpRequest) -> list[dict[str, object]]:
    """The newest imports, and the other jobs that this colleague may see."""
    jobs = Job.objects.select_related("created_by").order_by("-pk")[: 5 * JOBS_SHOWN]
    seen = [job for job in jobs if not job.is_bulk or may_see(job, request.user)]
    return [_line(job) for job in seen[:JOBS_SHOWN]]


def _line(job: Job) -> dict[str, object]:
    """A job in the list of jobs."""
    if job.is_bulk:
        return {
            "job": job,
            "tone": push_pages.list_tone(job),
            "state": push_words.state_words(job),
            "left": push_words.left_words(job),
            "url": reverse("admin:push_job", args=[job.pk]),
        }
    refused = pages.result_counts(job).get(JobRow.Result.REFUSED, 0)
    return {
        "job": job,
        "tone": pages.status_tone(job),
        "state": job.get_status_display(),
        "left": REFUSED(refused) if refused else "",
        "url": _job_url(job),
    }


def _job(site: AdminSite) -> View:
    @never_cache
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if Job.objects.filter(pk=pk, kind__in=Job.BULK).exists():
            return HttpResponseRedirect(reverse("admin:push_job", args=[pk]))
        job = _found(request, pk)
        importer = importer_of(job.kind)
        context = {
            **site.each_context(request),
            "title": job.title,
            "job": job,
            "importer": importer,
            **_state(job),
            **(_rows(request, job, importer) if _has_rows(job) else {}),
            **_buttons(request, job, importer),
        }
        return TemplateResponse(request, "jobs/job.html", context)

    return view


def _has_rows(job: Job) -> bool:
    return job.status in (Job.Status.PREVIEW, Job.Status.DONE)


def _state(job: Job) -> dict[str, object]:
    """What also the polled part of the page shows."""
    left = pages.time_left(job, timezone.now())
    return {
        "job": job,
        "verdict": pages.verdict(job),
        "tone": pages.verdict_tone(job),
        "trouble": pages.trouble(job),
        "time_left": pages.duration_words(left.total_seconds()) if left is not None else "",
        "urls": pages.urls(job),
    }


def _rows(request: HttpRequest, job: Job, importer: Importer) -> dict[str, object]:
    after = request.GET.get("after", "")
    result = pages.shown_result(job, request.GET.get("result", ""))
    rows, more = pages.rows_shown(
        job, importer, result=result, after=int(after) if after.isdecimal() else 0
    )
    return {
        "chips": pages.chips(job, result),
        "rows": rows,
        "more": f"?result={result}&after={more}" if more else "",
        "facts": pages.facts(job, importer),
        "reasons": pages.reasons(job),
    }


def _buttons(request: HttpRequest, job: Job, importer: Importer) -> dict[str, object]:
    """What may be done now."""
    counts = pages.result_counts(job)
    is_done = job.status == Job.Status.DONE
    outlook = importer.outlook(job) if is_done else None
    return {
        "good": sum(counts.get(result, 0) for result in JobRow.GOOD),
        "changing": counts.get(JobRow.Result.CREATED, 0) + counts.get(JobRow.Result.CHANGED, 0),
        "refused": counts.get(JobRow.Result.REFUSED, 0),
        "outlook": outlook,
        "may_send": outlook is not None and outlook.total and _may_send(request, importer),
    }


def _progress(site: AdminSite) -> View:
    """The moving part of the page, asked for every second while something happens."""
    del site

    @never_cache
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = _found(request, pk)
        if job.is_at_work:
            return TemplateResponse(request, "jobs/_progress.html", _state(job))
        return HttpResponse(headers={"HX-Refresh": "true"})

    return view


def _run(site: AdminSite) -> View:
    del site

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = run_import(job=_found(request, pk))
        remember(request, job)
        return HttpResponseRedirect(_job_url(job))

    return view


def _send(site: AdminSite) -> View:
    del site

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = _found(request, pk)
        if not _may_send(request, importer_of(job.kind)):
            raise PermissionDenied
        job = send_import(job=job, user=_user(request))
        remember(request, job)
        if job.status == Job.Status.DONE:
            words = ngettext(
                "%s message is on its way to Edu-iX.", "%s messages are on their way to Edu-iX.",
                job.queued,
            )  # fmt: skip
            messages.success(request, words % grouped(job.queued))
        return HttpResponseRedirect(_job_url(job))

    return view


def _cancel(site: AdminSite) -> View:
    del site

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = _found(request, pk)
        if not cancel_import(job=job):
            messages.info(request, _("This was finished already."))
        return HttpResponseRedirect(_job_url(job))

    return view


def _continue(site: AdminSite) -> View:
    """Go on: without the answers that are missing, or behind where it broke off."""
    del site

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        job = _found(request, pk)
        if job.status == Job.Status.ASKING:
            go_on_without_answers(job=job)
        else:
            go_on(job=job)
        remember(request, job)
        return HttpResponseRedirect(_job_url(job))

    return view


def _errors(site: AdminSite) -> View:
    del site

    @never_cache
    @require_safe
    def view(request: HttpRequest, pk: int) -> StreamingHttpResponse:
        job = _found(request, pk)
        response = StreamingHttpResponse(
            in_language_of_now(error_file(job)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{error_file_name(job)}"'
        return response

    return view


def _template(site: AdminSite) -> View:
    del site

    @require_safe
    def view(request: HttpRequest, kind: str) -> HttpResponse:
        _need(request, "jobs.add_job")
        try:
            importer = importer_of(kind)
        except KeyError:
            raise Http404 from None
        return HttpResponse(
            template_file(importer),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{importer.kind}.csv"'},
        )

    return view


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _may_send(request: HttpRequest, importer: Importer) -> bool:
    needed = importer.push_permissions
    return bool(needed) and request.user.has_perms(needed)


def _found(request: HttpRequest, pk: int) -> Job:
    """The job, for somebody who may import."""
    _need(request, "jobs.add_job")
    return get_object_or_404(Job.objects.exclude(kind__in=Job.BULK), pk=pk)


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


def _job_url(job: Job) -> str:
    return reverse("admin:import_job", args=[job.pk])
