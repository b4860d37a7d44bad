"""Chips and filters of the lists of credits; each is told what to offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.screens.filters import Group, GroupFilter
from backoffice.screens.search import ean_of
from credits.models import Product
from credits.status import CreditStatus
from persons.filters import MOST_CHOICES, SchoolFilter

if TYPE_CHECKING:
    from datetime import date

    from django.utils.functional import _StrOrPromise

FIRST_MONTH = 8  # a school year begins on 1 August
YEARS_BACK = 3


class CreditGroupFilter(GroupFilter):
    """Parts of the list by what must happen; every status stands in exactly one."""

    column = "shown_status"
    groups = {
        "attention": Group(
            _("Needs attention"),
            (CreditStatus.REFUSED, CreditStatus.WAITING, CreditStatus.PUBLISHER_FAULT),
        ),
        "unsent": Group(_("Not sent"), (CreditStatus.NOT_SENT,)),
        "under_way": Group(_("Under way"), (CreditStatus.SENDING, CreditStatus.UNCERTAIN)),
        "school": Group(_("Waits for school"), (CreditStatus.WAITING_FOR_PREMATCH,)),
        "publisher": Group(_("Waits for publisher"), (CreditStatus.WAITING_FOR_PUBLISHER,)),
        "done": Group(
            _("Done"),
            (
                CreditStatus.USABLE,
                CreditStatus.NOT_YET_USABLE,
                CreditStatus.EXPIRED,
                CreditStatus.RETURNED,
            ),
        ),
    }


class StatusFilter(admin.SimpleListFilter):
    """One status, as it shows today."""

    title = _("status")
    parameter_name = "status"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [(status.value, status.label) for status in CreditStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(shown_status=value)


class PersonCreditSchoolFilter(SchoolFilter):
    """The school that the person of a credit is at."""

    path = "school_person__school"


class SchoolYearFilter(admin.SimpleListFilter):
    """This school year, the next and a few before: told by the calendar, not by the table."""

    title = _("school year")
    parameter_name = "year"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        first = first_year(timezone.localdate())
        return [
            (f"{year % 100:02d}{(year + 1) % 100:02d}", f"{year}-{year + 1}")
            for year in range(first + 1, first - YEARS_BACK - 1, -1)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not value.isdecimal() or len(value) != 4:
            return queryset.none()
        return queryset.filter(school_year=int(value))


def first_year(today: date) -> int:
    """2026 on any day of school year 2026-2027."""
    return today.year if today.month >= FIRST_MONTH else today.year - 1


class EanFilter(admin.SimpleListFilter):
    """One book; offered by title, but an address may name any EAN."""

    title = _("product")
    parameter_name = "ean"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        titles = Product.objects.order_by("title").values_list("ean", "title")[:MOST_CHOICES]
        offered = [(ean, f"{title} · {ean}") for ean, title in titles]
        asked = request.GET.get(str(self.parameter_name), "")
        if asked and asked not in dict(offered):
            offered.insert(0, (asked, asked))
        return offered

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(ean=ean_of(value) or value)


class PublisherFilter(admin.SimpleListFilter):
    """The publisher behind an EAN, as our table of products names it."""

    title = _("publisher")
    parameter_name = "publisher"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        names = Product.objects.exclude(publisher="").order_by("publisher")
        return [(name, name) for name in names.values_list("publisher", flat=True).distinct()[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(ean__in=Product.objects.filter(publisher=value).values("ean"))
