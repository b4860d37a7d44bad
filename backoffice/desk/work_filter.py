"""The filter that shows in a list exactly the rows of one work item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.desk.work_keys import UnknownKey, read_key
from backoffice.desk.work_rows import MODELS, Scope, rows_of
from backoffice.screens.filters import register_filter

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

KINDS: Final = ("person", "schoolperson", "person_change", "person_credit", "school_credit")


class WorkFilter(admin.SimpleListFilter):
    """Offered only to who comes from a work list: there are too many items to choose from."""

    title = _("work item")
    parameter_name = "werk"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        asked = request.GET.get(str(self.parameter_name), "")
        return [(asked, _("The rows of this item"))] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        text, _at, manager = value.partition("@")
        try:
            key, user = read_key(text), _manager(manager)
        except UnknownKey:
            return queryset.none()
        found = rows_of(key, Scope(timezone.now(), user))
        mine = [rows for kind, rows in found.items() if MODELS[kind] is queryset.model]
        return queryset.filter(pk__in=mine[0].values("pk")) if mine else queryset.none()


def _manager(text: str) -> Any:
    """The account manager whose schools the item was restricted to. Raises `UnknownKey`."""
    if not text:
        return None
    users = get_user_model()._default_manager
    found = users.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 10 else None
    if found is None:
        raise UnknownKey(text)
    return found


def register_filters() -> None:
    """Called once, when the roof is set up."""
    for kind in KINDS:
        register_filter(MODELS[kind]._meta.label_lower, WorkFilter)
