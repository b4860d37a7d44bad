"""Numbers that are names, written without separators where they can only be read.

Django writes every whole number that a form shows and does not edit as an amount: house number
1.250, school year 2.627.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

M = TypeVar("M", bound=Model)


def plain_number(field: str, description: _StrOrPromise) -> Callable[[Any, Model], str | None]:
    """A method of a `ModelAdmin` that writes this column as its digits."""

    @admin.display(description=description, ordering=field)
    def written(_admin: Any, row: Model) -> str | None:
        value = getattr(row, field)
        return None if value is None else str(value)

    return written


class PlainNumbers(admin.ModelAdmin[M]):
    """A form that somebody who may only look sees with its numbers as they are."""

    plain_numbers: ClassVar[Mapping[str, str]] = {}  # a column, and the method that writes it

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if not self._is_read(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self._plain(one) for one in options["fields"]]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, *self.plain_numbers.values()) if self._is_read(request, obj) else fields

    def _is_read(self, request: HttpRequest, obj: M | None) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)

    def _plain(self, field: Any) -> Any:
        if isinstance(field, str):
            return self.plain_numbers.get(field, field)
        return tuple(self._plain(one) for one in field)  # fields on one line
