"""The page of our answers to senders: what they got, who may come in, and a test of the way in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from notifications.answers import answers, refused_addresses, refused_now
from notifications.logins import login_lines
from notifications.refused_words import alarm_of
from notifications.self_test import own_address, send_test
from notifications.self_test_words import as_plain

logger = logging.getLogger(__name__)

MAY_SEE: Final = ("notifications.view_notification", "notifications.view_refusal")
MAY_TEST: Final = "notifications.replay_notification"
RESULT: Final = "notification_test"  # in the session, from the button to the page

View = Callable[..., HttpResponse]


def answers_page(site: AdminSite) -> View:
    """What senders got, in the last 24 hours."""

    @never_cache
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perms(MAY_SEE):
            raise PermissionDenied
        now = timezone.now()
        refused = refused_now(now)
        context: dict[str, Any] = {
            **site.each_context(request),
            "title": _("Answers to Edu-iX"),
            "alarm": alarm_of(refused, now) if refused else None,
            "lines": answers(now),
            "address": own_address(),
            "logins": login_lines(now),
            "allowed": settings.NOTIFICATION_ALLOWED_IPS,
            "proxies": settings.BACKOFFICE_TRUSTED_PROXIES,
            "kept_out": refused_addresses(now),
            "may_test": request.user.has_perm(MAY_TEST),
            "result": request.session.pop(RESULT, None),
        }
        return TemplateResponse(request, "notifications/answers.html", context)

    return view


def send_test_page(site: AdminSite) -> View:
    """The button: sends the test, waits for it, and shows on the page how far it came."""

    @never_cache
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        if not (request.user.has_perms(MAY_SEE) and request.user.has_perm(MAY_TEST)):
            raise PermissionDenied
        pairs = settings.NOTIFICATION_CREDENTIALS
        number = request.POST.get("login", "1")
        back = HttpResponseRedirect(reverse("admin:notification_answers") + "#test")
        if not pairs:
            messages.error(
                request,
                _(
                    "There is no login to test with. Ask your administrator to fill in "
                    "NOTIFICATION_CREDENTIALS."
                ),
            )
            return back
        if number not in {str(place) for place in range(1, len(pairs) + 1)}:
            messages.error(request, _("That login is not there any more; choose again."))
            return back
        username, password = pairs[int(number) - 1]
        walk = send_test(username=username, password=password)
        logger.info(
            "notification_test",
            extra={"user_id": request.user.pk, "problem": walk.problem, "status": walk.status},
        )
        request.session[RESULT] = as_plain(walk)
        return back

    return view
