"""The base of every form: errors always have a place, and a paste is read and told, never cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal, TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.explanations.explanation import Explanation
from backoffice.screens.cells import link
from backoffice.screens.normalise import Normaliser, as_amount, is_date_form, tidy

M = TypeVar("M", bound=Model)

_NOTHING = re.compile(r"(?!)")  # Django would read "1.000" as 1, and say nothing
_TONES: Mapping[str, str] = {"bad": "refused-field", "wait": "warned-field"}


@dataclass(frozen=True, slots=True)
class ReadAs:
    """A value that was read differently from how it was typed."""

    label: str
    typed: str
    read: str

    def __str__(self) -> str:
        words = {"field": self.label, "typed": self.typed, "read": self.read or _("(empty)")}
        return _("%(field)s: you typed “%(typed)s”, it became “%(read)s”.") % words


class AmountField(forms.IntegerField):
    """A whole number as people and our own screens write it: `1.250` is 1250."""

    re_decimal = _NOTHING

    def to_python(self, value: Any) -> int | None:
        return super().to_python(as_amount(tidy(value)) if isinstance(value, str) else value)


class OfficeForm(forms.ModelForm[M]):
    """A model form that can show an error about a field which is read-only here.

    `error_fields` names the form field for a column that the form shows in another way.
    `normalisers` say how people write a field, with the functions that imports use; what they
    changed stands in `read_as`, for the page to tell.
    """

    error_fields: ClassVar[Mapping[str, str]] = {}
    normalisers: ClassVar[Mapping[str, Normaliser]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.read_as: dict[str, ReadAs] = {}
        for field in self.fields.values():
            take_any_paste(field)
        if self.is_bound:
            self._read()

    def complete(self, values: dict[str, str]) -> dict[str, str]:
        """Normalise what needs a look at more than one field."""
        return values

    def _read(self) -> None:
        """Read what was typed as an import would, and keep what that changed."""
        typed = {
            name: text
            for name, field in self.fields.items()
            if not isinstance(field, forms.ModelChoiceField)
            and isinstance(text := self.data.get(self.add_prefix(name)), str)
        }
        as_it_is: Normaliser = str
        values = self.complete(
            {name: self.normalisers.get(name, as_it_is)(tidy(text)) for name, text in typed.items()}
        )
        changed = {name: values[name] for name in typed if values[name] != typed[name]}
        if not changed:
            return
        data: Any = copy(self.data)  # what a request brought cannot be written
        for name, value in changed.items():
            data[self.add_prefix(name)] = as_shown(self.fields[name], value)
            if not is_date_form(typed[name]):
                label = str(self.fields[name].label or name)
                self.read_as[name] = ReadAs(label.capitalize(), typed[name], value)
        self.data = data

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
        return self.mark(name, explanation)

    def mark(
        self,
        name: str,
        explanation: Explanation,
        *,
        title: str = "",
        tone: Literal["bad", "wait"] = "bad",
        url: str = "",
    ) -> bool:
        """Put an explanation under a field, with a link to where it stands in full."""
        name = self.error_fields.get(name, name)
        field = self.fields.get(name)
        if field is None:
            return False
        field.help_text = format_html(
            '<div class="{}"><b>{}.</b> {} {} {}</div>{}',
            _TONES[tone],
            (title or explanation.title).rstrip("."),
            explanation.meaning,  # the causes stand in the card beside the form
            " ".join(explanation.steps),
            link(url, _("Explanation")) if url else SafeString(""),
            field.help_text,
        )
        self[name].help_text = field.help_text  # a field that was read already keeps its words
        if tone == "bad":
            css = f"{field.widget.attrs.get('class', '')} is-refused".strip()
            field.widget.attrs.update({"class": css, "aria-invalid": "true"})
        return True


def as_shown(field: forms.Field, value: str) -> str:
    """A value as the field itself writes it: 2012-03-04 is 04-03-2012 in a Dutch form."""
    if not isinstance(field, forms.DateField):
        return value
    try:
        return str(field.widget.format_value(date.fromisoformat(value)))
    except ValueError:  # no date: the field says so
        return value


def take_any_paste(field: forms.Field) -> None:
    """Let the browser hand over whatever was pasted, so that the server can say what is wrong.

    With `maxlength` it cuts a paste, and in a number box it drops the letters; silently, both.
    """
    if isinstance(field, forms.IntegerField):
        field.re_decimal = _NOTHING
    for name in ("maxlength", "minlength", "min", "max"):
        field.widget.attrs.pop(name, None)
    if isinstance(field.widget, forms.NumberInput):
        field.widget.input_type = "text"
        field.widget.attrs["inputmode"] = "numeric"
