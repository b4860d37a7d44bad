"""Telling a colleague, on whatever page they are, that the work they asked for is ready.

The session knows what is waited for, so a page of somebody who waits for nothing asks nothing. What
ended while nobody was signed in is looked up once, on the first page of a session.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from backoffice.jobs import pages, push_words
from backoffice.jobs.models import CheckRun, Drift, Job

if TYPE_CHECKING:
    from collections.abc import Iterable

WAITING: Final = "jobs_to_tell"
RUNS: Final = "comparisons_to_tell"
LOOKED: Final = "jobs_looked_up"
MOST: Final = 20
SINCE: Final = timedelta(days=7)  # what ended longer ago is no news
# Nothing happens to a job in these until somebody does something.
AT_REST: Final = (Job.Status.PREVIEW, Job.Status.DONE, Job.Status.FAILED, Job.Status.CANCELLED)


def remember(request: HttpRequest, job: Job) -> None:
    """Tell when the job comes to rest; once, in whatever session that is."""
    Job.objects.filter(pk=job.pk).update(told="")
    waiting = request.session.get(WAITING, [])
    request.session[WAITING] = [*(pk for pk in waiting if pk != job.pk), job.pk][-MOST:]


def remember_run(request: HttpRequest, run: CheckRun) -> None:
    """Tell in this session when a comparison is over."""
    waiting = request.session.get(RUNS, [])
    request.session[RUNS] = [*waiting, run.pk][-MOST:]


def ended_unseen(user_id: int) -> QuerySet[Job]:
    """What this colleague asked for and was never told of."""
    lately = Q(finished_at__gt=timezone.now() - SINCE) | Q(
        finished_at=None, created_at__gt=timezone.now() - SINCE
    )
    mine = Q(created_by=user_id) | Q(queued_by=user_id)
    return Job.objects.filter(mine, lately).exclude(told=F("status"))


class TellWhenReady:
    """Says on the next page that a job is over; the page of the job itself needs no telling."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and "HX-Request" not in request.headers:
            self._look(request)
            if waiting := request.session.get(WAITING):
                self._tell(request, waiting)
            if waiting := request.session.get(RUNS):
                self._tell_runs(request, waiting)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        if LOOKED in request.session or request.session.is_empty():
            return
        if request.user.is_authenticated:
            unseen = ended_unseen(request.user.pk).order_by("-pk").values_list("pk", flat=True)
            known = request.session.get(WAITING, [])
            request.session[WAITING] = list(dict.fromkeys([*known, *unseen[:MOST]]))[-MOST:]
            request.session[LOOKED] = True

    def _tell(self, request: HttpRequest, waiting: list[int]) -> None:
        jobs = list(Job.objects.filter(pk__in=waiting, status__in=AT_REST).order_by("pk"))
        if not jobs:
            return
        for job in jobs:
            # Of two sessions one changes the row, and tells.
            is_news = Job.objects.filter(pk=job.pk).exclude(told=job.status).update(told=job.status)
            url = url_of(job)
            if is_news and job.status != Job.Status.CANCELLED and request.path != url:
                level = messages.SUCCESS if is_well(job) else messages.WARNING
                words = format_html('<a href="{}">{}</a>: {}', url, job.title, verdict(job))
                messages.add_message(request, level, words)
        request.session[WAITING] = _without(waiting, jobs)

    def _tell_runs(self, request: HttpRequest, waiting: list[int]) -> None:
        runs = CheckRun.objects.filter(pk__in=waiting).exclude(status=CheckRun.Status.RUNNING)
        over = list(runs.order_by("pk"))
        for run in over:
            url = reverse("admin:drift")
            if run.status == CheckRun.Status.DONE and request.path != url:
                differ = run.found.filter(what__in=Drift.OPEN).exists() or run.failed
                words = _("Compared with Edu-iX: not everything is equal.")
                if not differ:
                    words = _("Compared with Edu-iX: everything is equal.")
                level = messages.WARNING if differ else messages.SUCCESS
                messages.add_message(request, level, format_html('<a href="{}">{}</a>', url, words))
        if over:
            told = {run.pk for run in over}
            request.session[RUNS] = [pk for pk in waiting if pk not in told]


def url_of(job: Job) -> str:
    """The page of a job."""
    name = "push_job" if job.is_bulk else "import_job"
    return reverse(f"admin:{name}", args=[job.pk])


def verdict(job: Job) -> str:
    """How it stands, in one sentence."""
    return push_words.verdict(job) if job.is_bulk else pages.verdict(job)


def is_well(job: Job) -> bool:
    """Nothing of it stayed behind."""
    if job.is_bulk:
        return job.status == Job.Status.DONE and not push_words.not_there(job)
    return pages.verdict_tone(job) == "ok"


def _without(waiting: Iterable[int], jobs: Iterable[Job]) -> list[int]:
    told = {job.pk for job in jobs}
    return [pk for pk in waiting if pk not in told]
