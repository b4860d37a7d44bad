"""Chips above a list: its parts by status, with their counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Chip:
    """One chip: a part of the list, how many rows it holds, and whether it is shown now."""

    label: _StrOrPromise
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True)
class Group:
    """A part of a list by status; the groups of one list never overlap."""

    label: _StrOrPromise
    statuses: Collection[str]


_added: dict[str, list[type[admin.SimpleListFilter]]] = {}


def register_filter(model: str, added: type[admin.SimpleListFilter]) -> None:
    """Add a filter to the list of a model, `app.model` in lower case, as `actions.py` does."""
    filters = _added.setdefault(model, [])
    if added not in filters:
        filters.append(added)


def filters_for(model: str) -> list[type[admin.SimpleListFilter]]:
    """The filters that another package added to this list."""
    return _added.get(model, [])


class GroupFilter(admin.SimpleListFilter):
    """Parts of a list as chips with their counts.

    The list itself applies it, after all other filters, so that one query counts every chip.
    """

    title = _("group")
    parameter_name = "group"
    template = "screens/filter_none.html"  # its chips stand above the list
    column: ClassVar[str] = "status"
    groups: ClassVar[dict[str, Group]] = {}

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [(key, group.label) for key, group in self.groups.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen group; nothing for a group that does not exist."""
        key = self.value()
        if key is None:
            return queryset
        group = self.groups.get(key)
        if group is None:
            return queryset.none()
        return queryset.filter(**{f"{self.column}__in": group.statuses})

    def chips(self, changelist: ChangeList, queryset: QuerySet[Any]) -> list[Chip]:
        """All, and each group, counted within the other filters and the search."""
        counts = _counts(queryset, self.column)
        chosen = self.value()
        everything = Chip(
            _("Everything"),
            sum(counts.values()),
            changelist.get_query_string({"group": None}),
            chosen is None,
        )
        return [
            everything,
            *(
                Chip(
                    group.label,
                    sum(counts.get(status, 0) for status in group.statuses),
                    changelist.get_query_string({"group": key}),
                    chosen == key,
                )
                for key, group in self.groups.items()
            ),
        ]


def _counts(queryset: QuerySet[Model], column: str) -> dict[str, int]:
    rows = queryset.order_by().values_list(column).annotate(rows=Count("pk"))
    return {str(status): int(count) for status, count in rows}
