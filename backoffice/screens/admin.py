"""The base of every list and form in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from backoffice.plain_numbers import PlainNumbers
from backoffice.screens.actions import actions_for
from backoffice.screens.filters import Chip, GroupFilter, filters_for

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

M = TypeVar("M", bound=Model)


class OfficeChangeList(ChangeList):
    """A list that counts its chips once and explains its rows once per page."""

    chips: list[Chip]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.chips = []
        group = next((spec for spec in self.filter_specs if isinstance(spec, GroupFilter)), None)
        if group is None:
            return queryset
        self.chips = group.chips(self, queryset)
        return group.narrow(queryset)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if isinstance(self.model_admin, OfficeAdmin):
            self.model_admin.prepare_rows(request, list(self.result_list))


class OfficeAdmin(PlainNumbers[M]):
    """What all our lists and forms have in common.

    Only the lookups named in `allowed_lookups` may stand in an address: Django lets every local
    column be asked for, which tells the value of hidden columns letter by letter.
    """

    allowed_lookups: ClassVar[frozenset[str]] = frozenset()
    lead: ClassVar[_StrOrPromise] = ""

    change_list_template = "screens/change_list.html"
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False  # a second COUNT over the whole table
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        added = filters_for(self.opts.label_lower)
        return lookup in self.allowed_lookups or any(lookup == one.parameter_name for one in added)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), *filters_for(self.opts.label_lower)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OfficeChangeList

    def prepare_rows(self, request: HttpRequest, rows: list[M]) -> None:
        """Fetch in bulk what the cells of this page need; the number of queries stays the same."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Tell what was read differently from how it was typed: nothing changes silently."""
        super().save_related(request, form, formsets, change)
        for one in (form, *(each for formset in formsets for each in formset.forms)):
            for read_as in getattr(one, "read_as", {}).values():
                self.message_user(request, str(read_as), messages.INFO)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "lead": self.lead,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without "delete selected": it deletes what the form of one row would refuse."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        if IS_POPUP_VAR not in request.GET:
            actions |= actions_for(self.opts.label_lower, request)
        return actions


class ReadOnlyAdmin(OfficeAdmin[M]):
    """Rows that the machine writes: people look at them and never edit them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def cells_of(row: Model) -> Mapping[str, Any]:
    """What `prepare_rows` laid beside a row; empty on a page that has no list."""
    found: Mapping[str, Any] = vars(row).get("_cells", {})
    return found


def lay_beside(row: Model, **cells: Any) -> None:
    """Keep with a row what its cells show, for as long as the page is being made."""
    vars(row).setdefault("_cells", {}).update(cells)
