"""The base of every form: errors always have a place, and a refused field says so itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.utils.html import format_html

from backoffice.explanations.explanation import Explanation

M = TypeVar("M", bound=Model)


class OfficeForm(forms.ModelForm[M]):
    """A model form that can show an error about a field which is read-only here.

    `error_fields` names the form field for a column that the form shows in another way.
    """

    error_fields: ClassVar[Mapping[str, str]] = {}

    def add_error(self, field: str | None, error: Any) -> None:
        """Errors of fields that this form does not offer stand above it.

        The partner's rules look at the whole row, and Django raises ValueError for an error about
        a field that the form lacks.
        """
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            for name, errors in error.error_dict.items():
                super().add_error(self._place_of(name), errors)
            return
        super().add_error(self._place_of(field), error)

    def _place_of(self, name: str | None) -> str | None:
        place = self.error_fields.get(name, name) if name is not None else None
        return place if place in self.fields or place == NON_FIELD_ERRORS else None

    def mark_refused(self, name: str, explanation: Explanation) -> bool:
        """Put the explanation under the field that Edu-iX refused; False when it is not here."""
        field = self.fields.get(self.error_fields.get(name, name))
        if field is None:
            return False
        steps = " ".join(explanation.steps)
        field.help_text = format_html(
            '<div class="refused-field"><b>{}</b> {} {}</div>{}',
            explanation.title,
            explanation.cause,
            steps,
            field.help_text,
        )
        css = f"{field.widget.attrs.get('class', '')} is-refused".strip()
        field.widget.attrs.update({"class": css, "aria-invalid": "true"})
        return True
