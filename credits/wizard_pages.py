"""What the wizards of credits share: who may, which rows, and the page around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from credits.models import PersonCredit
from credits.services import AnyCredit
from credits.wizard_forms import MOST_AT_ONCE

LINES_SHOWN: Final = 50

Office = Any  # a CreditAdmin; naming its type here would be a circle
View = Callable[..., HttpResponse]


def check(request: HttpRequest, office: Office) -> None:
    """Whoever sends credits to Edu-iX gives them back and changes their dates."""
    if not (office.has_view_permission(request) and office.has_push_permission(request)):
        raise PermissionDenied


def check_change(request: HttpRequest, office: Office) -> None:
    check(request, office)
    if not office.has_change_permission(request):
        raise PermissionDenied


def rows_of(model: type[AnyCredit], pks: Iterable[int]) -> Any:
    """Deleted ones too: their page says that they are."""
    related = (
        ("school_person__person", "school_person__school")
        if issubclass(model, PersonCredit)
        else ("school",)
    )
    rows: Any = model._default_manager.filter(pk__in=list(pks))
    return rows.with_title().select_related(*related).order_by("pk")


def credit_of(office: Office, pk: int) -> AnyCredit:
    credit: AnyCredit | None = rows_of(office.model, [pk]).first()
    if credit is None:
        raise Http404
    return credit


def list_url(office: Office) -> str:
    return reverse(f"admin:credits_{office.opts.model_name}_changelist")


def page_of(
    request: HttpRequest, office: Office, template: str, context: dict[str, Any]
) -> TemplateResponse:
    shared = {"opts": office.opts, "list_url": list_url(office)}
    return TemplateResponse(
        request, template, {**office.admin_site.each_context(request), **shared, **context}
    )


def chosen(request: HttpRequest, queryset: Any, office: Office) -> list[int] | None:
    """The keys of a selection; None, and told, when it is too large to look at first."""
    pks = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(pks) <= MOST_AT_ONCE:
        return pks
    words = _("At most %(number)d at once: narrow the list with its filters.")
    office.message_user(request, words % {"number": MOST_AT_ONCE}, messages.ERROR)
    return None
