"""Chips and filters of the lists of notifications and of refused deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.screens.filters import Group, GroupFilter
from notifications.models import Notification, Refusal

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Verdict = Notification.Verdict
Choices = Iterable[tuple[str, "_StrOrPromise"]]


class NotificationGroupFilter(GroupFilter):
    """Parts of the list by verdict."""

    column = "verdict"
    groups: ClassVar[dict[str, Group]] = {
        "attention": Group(_("Needs attention"), (Verdict.INVALID, Verdict.FAILED, Verdict.DEAD)),
        "unmatched": Group(_("Unmatched"), (Verdict.UNMATCHED,)),
        "waiting": Group(_("Not applied yet"), (Verdict.WAITING,)),
        "applied": Group(_("Applied"), (Verdict.APPLIED,)),
        "other": Group(_("Nothing new"), (Verdict.DUPLICATE, Verdict.SUPERSEDED, Verdict.TEST)),
    }


class ColumnFilter(admin.SimpleListFilter):
    """One value of one column, from a list that is told here and never read from the table."""

    column: ClassVar[str]
    offered: ClassVar[list[tuple[str, _StrOrPromise]]]

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> Choices:
        return self.offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.column: value})


class KindFilter(ColumnFilter):
    """Prematch or specification."""

    title = _("kind")
    parameter_name = "kind"
    column = "kind"
    offered: ClassVar = [
        choice for choice in Notification.Kind.choices if choice[0] != Notification.Kind.UNKNOWN
    ]


class VerdictFilter(ColumnFilter):
    """One verdict; the chips take them together."""

    title = _("verdict")
    parameter_name = "verdict"
    column = "verdict"
    offered: ClassVar = list(Verdict.choices)


class ReasonFilter(ColumnFilter):
    """Why a delivery was refused."""

    title = _("reason")
    parameter_name = "reason"
    column = "reason"
    offered: ClassVar = list(Refusal.Reason.choices)


DAYS: Final = {"today": 0, "week": 6, "month": 29}


class SinceFilter(admin.SimpleListFilter):
    """The last so many days, today included, in our own time."""

    title = _("received")
    parameter_name = "since"
    column: ClassVar[str] = "received_at"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> Choices:
        return [("today", _("Today")), ("week", _("7 days")), ("month", _("30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in DAYS:
            return queryset.none()
        day = timezone.localdate() - timedelta(days=DAYS[value])
        start = timezone.make_aware(datetime.combine(day, time.min))
        return queryset.filter(**{f"{self.column}__gte": start})


class RefusedSinceFilter(SinceFilter):
    """The same for refused deliveries."""

    column = "minute"
