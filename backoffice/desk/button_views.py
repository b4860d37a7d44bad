"""What happens when somebody presses a button beside an explanation: one call of a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.desk.buttons import MODELS
from backoffice.outbox.cells import told_after_queue
from backoffice.outbox.models import PushState
from backoffice.outbox.pushable import signed_in
from backoffice.screens.links import url_of
from credits.columns import status_url
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_fetch, queue_credit_push
from notifications.history import Who
from notifications.models import Notification, Try
from notifications.services import replay
from persons.comparing import queue_check
from persons.fetching import person_check
from persons.models import Person
from persons.services import queue_person_push, queue_school_person_push

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Deed = Callable[[Any, "AbstractBaseUser"], str]


def button_urls(site: AdminSite) -> list[URLPattern]:
    """The one address that the posts of all these buttons go to."""
    view = site.admin_view(_view)
    return [path("doen/<slug:what>/<slug:kind>/<int:pk>/", view, name="do")]


@require_POST
def _view(request: HttpRequest, what: str, kind: str, pk: int) -> HttpResponse:
    right, deed = DEEDS.get(what, ("", None))
    model = KINDS[what].get(kind) if what in KINDS else None
    if deed is None or model is None:
        raise Http404
    for do in ("view", right):
        if not request.user.has_perm(f"{model._meta.app_label}.{do}_{model._meta.model_name}"):
            raise PermissionDenied
    rows = model._default_manager.filter(pk=pk)
    row = (rows if model is Notification else rows.exclude(push_state=PushState.DELETED)).first()
    if row is None:
        raise Http404
    messages.success(request, deed(row, signed_in(request)))
    return HttpResponseRedirect(_page_of(kind, row))


def _page_of(kind: str, row: Any) -> str:
    """Where the outcome shows."""
    if isinstance(row, PersonCredit | SchoolCredit):
        return status_url(row)
    if isinstance(row, Notification):
        return reverse("admin:notifications_notification_change", args=[row.pk])
    return url_of(f"{kind}:{row.pk}")


def _push(row: Any, user: AbstractBaseUser) -> str:
    if isinstance(row, Person):
        message = queue_person_push(person=row, user=user)
    elif isinstance(row, PersonCredit | SchoolCredit):
        message = queue_credit_push(credit=row, user=user)
    else:
        message = queue_school_person_push(school_person=row, user=user)
    return told_after_queue(message.subject)


def _fetch(row: Any, user: AbstractBaseUser) -> str:
    if isinstance(row, PersonCredit | SchoolCredit):
        queue_credit_fetch(credit=row, user=user)
    else:
        person = row if isinstance(row, Person) else row.person
        wanted = person_check(person.pk, person.distributor_person_id)
        queue_check(wanted=wanted, user=user)
    return _("Edu-iX is being asked; the answer appears here.")


def _replay(row: Notification, user: AbstractBaseUser) -> str:
    chosen = Notification.objects.filter(pk=row.pk)
    replayed = replay(notifications=chosen, who=Who(Try.By.COLLEAGUE, user))
    if replayed.skipped:
        return _("Its content is not valid, so there is nothing to apply.")
    row.refresh_from_db()
    return _("Applied again: %(verdict)s.") % {"verdict": row.get_verdict_display().lower()}


DEEDS: Final[dict[str, tuple[str, Deed | None]]] = {
    "push": ("push", _push),
    "fetch": ("change", _fetch),
    "replay": ("replay", _replay),
}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "push": MODELS,
    "fetch": MODELS,
    "replay": {"notification": Notification},
}
