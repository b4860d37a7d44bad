"""What people changed in a row, and bringing an earlier state back as an ordinary edit."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from backoffice.screens.admin import OfficeAdmin
from backoffice.screens.panels import panels_of

M = TypeVar("M", bound=Model)

SHOWN_CHARACTERS = 6


class _MaskingHelper(HistoricalRecordContextHelper):  # type: ignore[misc]  # it has no types
    """Shows only the end of values that are nobody's business in full."""

    masked: frozenset[str] = frozenset()

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        if change.field in self.masked and value:
            return f"…{str(value)[-SHOWN_CHARACTERS:]}"
        return super().prepare_delta_change_value(change, value)


class HistoryAdmin(SimpleHistoryAdmin, OfficeAdmin[M]):  # type: ignore[misc]  # it has no types
    """A form with the history of its rows."""

    masked_in_history: ClassVar[frozenset[str]] = frozenset()

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> HistoricalRecordContextHelper:
        helper = _MaskingHelper(self.model, historical_record)
        helper.masked = self.masked_in_history
        return helper

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Also what other apps know of the past of this row."""
        row = self.get_object(request, unquote(object_id))
        panels = []
        if row is not None and self.has_view_permission(request, row):
            panels = panels_of(f"history:{self.opts.model_name}", request, row)
        response: HttpResponse = super().history_view(
            request, object_id, {"panels": panels, **(extra_context or {})}
        )
        return response

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The library lets everybody who may look save as well; we do not."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request, row):
            raise PermissionDenied
        response: HttpResponse = super().history_form_view(
            request, object_id, version_id, extra_context
        )
        return response
