"""How long a session may live, and that pages of a signed-in colleague are never kept."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

STARTED = "_started_at"
SEEN = "_seen_at"
SEEN_RESOLUTION = 60  # seconds: write the session at most once a minute


class SessionLimitMiddleware:
    """Ends a session after half an hour without a click and after twelve hours in any case.

    A page that asks by itself how things stand is no click: a screen somebody left open would
    otherwise stay signed in for twelve hours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            started = request.session.setdefault(STARTED, now)
            seen = request.session.get(SEEN, started)
            if (
                now - seen > settings.SESSION_IDLE_SECONDS
                or now - started > settings.SESSION_ABSOLUTE_SECONDS
            ):
                logout(request)
            elif now - seen >= SEEN_RESOLUTION and request.headers.get("HX-Request") != "true":
                request.session[SEEN] = now
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
