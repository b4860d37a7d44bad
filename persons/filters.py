"""Filters and chips of the lists of persons and schools; each is told what to offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import PushState
from backoffice.screens.filters import Group, GroupFilter
from persons.duplicates import KINDS, suspects
from persons.models import School, SchoolPerson

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MOST_CHOICES = 500  # a longer menu helps nobody: search instead


class PushGroupFilter(GroupFilter):
    """Parts of a list by sync state."""

    column = "push_state"
    groups = {
        "attention": Group(
            _("Needs attention"), (PushState.REFUSED, PushState.CONFLICT, PushState.UNCERTAIN)
        ),
        "unsent": Group(_("Not sent"), (PushState.LOCAL_ONLY, PushState.CHANGED)),
        "under_way": Group(
            _("Under way"), (PushState.QUEUED, PushState.SENDING, PushState.WAITING)
        ),
        "equal": Group(_("Equal to Edu-iX"), (PushState.IN_SYNC,)),
    }


class SchoolFilter(admin.SimpleListFilter):
    """The schools of rows; `path` leads from the row to its school."""

    title = _("school")
    parameter_name = "school"
    path = "school"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        schools = School.objects.order_by("name").values_list("pk", "name")[:MOST_CHOICES]
        return [(str(pk), name) for pk, name in schools]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not value.isdecimal():
            return queryset.none()
        return self.at_school(queryset, int(value))

    def at_school(self, queryset: QuerySet[Any], school: int) -> QuerySet[Any]:
        """The rows of one school."""
        return queryset.filter(**{self.path: school})


class PersonSchoolFilter(SchoolFilter):
    """A person may be at two schools: a subquery, because a join would list such a person twice."""

    def at_school(self, queryset: QuerySet[Any], school: int) -> QuerySet[Any]:
        return queryset.filter(pk__in=SchoolPerson.objects.filter(school=school).values("person"))


class PrematchFilter(admin.SimpleListFilter):
    """Whether a publisher can recognise a person."""

    title = _("prematch")
    parameter_name = "prematch"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [("linked", _("Linked")), ("eck", _("ECK iD")), ("none", _("Not yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "linked":
                return queryset.exclude(user_id="")
            case "eck":
                return queryset.filter(Q(user_id="") & ~Q(eck_id=""))
            case "none":
                return queryset.filter(user_id="", eck_id="")
        return queryset


class DoubleFilter(admin.SimpleListFilter):
    """Persons who look like another one, but for those of whom somebody said they are two."""

    title = _("possibly double")
    parameter_name = "double"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [
            ("name", _("Same name and date of birth")),
            ("email", _("Same e-mail address")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for kind in KINDS:
            if self.value() == kind:
                return queryset.filter(pk__in=suspects(kind))
        return queryset


class RoleFilter(admin.SimpleListFilter):
    """Pupils or teachers; somebody may be both, at two schools."""

    title = _("role")
    parameter_name = "role"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [(role.value, role.label) for role in SchoolPerson.Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(pk__in=SchoolPerson.objects.filter(role=value).values("person"))
