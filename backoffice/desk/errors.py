"""What a colleague sees when a page cannot be shown: calm words, a next step, never a trace."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import requires_csrf_token

from backoffice.desk.environment import current_environment
from notifications.models import Refusal
from notifications.peers import peer_of
from notifications.refusals import counts

logger = logging.getLogger(__name__)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the address or the form cannot be read."""
    return _page(request, 400)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but not for this."""
    return _page(request, 403)


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, or no longer; a sender at a wrong address of ours is counted."""
    if request.path.startswith("/soap/") and request.method == "POST":
        counts.add(
            status=404, code=0, reason=Refusal.Reason.PATH, source=peer_of(request.META).source
        )
    return _page(request, 404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The reference on the page is the one in the log.

    Made without the request's context processors: what failed may be the session or the database.
    """
    reference = secrets.token_hex(4)
    logger.error("page_failed", extra={"reference": reference, "path": request.path})
    context = {
        "environment": current_environment(),
        "now": timezone.now(),
        "reference": reference,
    }
    return HttpResponse(render_to_string("500.html", context), status=500)


class NotAllowedPage:
    """405: an address that only a button reaches was opened by itself; Django sends no page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.streaming or response.content:
            return response
        page = _page(request, 405)
        page["Allow"] = response.get("Allow", "")
        return page


def _page(request: HttpRequest, status: int) -> HttpResponse:
    context = {"environment": current_environment(), "now": timezone.now()}
    return render(request, f"{status}.html", context, status=status)
