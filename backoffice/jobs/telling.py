"""Telling a colleague, on whatever page they are, that the push they asked for is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from backoffice.jobs.models import Job
from backoffice.jobs.push_pages import not_there, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

SESSION_KEY: Final = "pushes_to_tell"  # only who waits for one is looked up, on each page
MOST: Final = 20


def remember(request: HttpRequest, job: Job) -> None:
    """Tell in this session when the job is over."""
    waiting = request.session.get(SESSION_KEY, [])
    request.session[SESSION_KEY] = [*(pk for pk in waiting if pk != job.pk), job.pk][-MOST:]


class TellWhenReady:
    """Says on the next page that a push is over; the page itself needs no telling."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_page = request.method == "GET" and "HX-Request" not in request.headers
        if is_page and (waiting := request.session.get(SESSION_KEY)):
            self._tell(request, waiting)
        return self.get_response(request)

    def _tell(self, request: HttpRequest, waiting: list[int]) -> None:
        over = (Job.Status.DONE, Job.Status.FAILED, Job.Status.CANCELLED)
        jobs = list(Job.objects.filter(pk__in=waiting, status__in=over).order_by("pk"))
        if not jobs:
            return
        for job in jobs:
            url = reverse("admin:push_job", args=[job.pk])
            if job.status != Job.Status.CANCELLED and request.path != url:
                is_well = job.status == Job.Status.DONE and not not_there(job)
                level = messages.SUCCESS if is_well else messages.WARNING
                words = format_html('<a href="{}">{}</a>: {}', url, job.title, verdict(job))
                messages.add_message(request, level, words)
        request.session[SESSION_KEY] = _without(waiting, jobs)


def _without(waiting: Iterable[int], jobs: Iterable[Job]) -> list[int]:
    told = {job.pk for job in jobs}
    return [pk for pk in waiting if pk not in told]
