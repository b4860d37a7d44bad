"""The first page of each wizard: what a colleague wants, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext_lazy as _

from persons.models import Person, School, SchoolPerson


class ReasonForm(forms.Form):
    """Why something is done that cannot be undone by an edit."""

    reason = forms.CharField(
        label=_("reason"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text=_("For your colleagues; it stays in the history. Never sent to Edu-iX."),
    )


class RenameForm(ReasonForm):
    """Another customer number."""

    field_order = ["to_key", "reason"]

    to_key = forms.CharField(
        label=_("new customer number"),
        max_length=256,
        widget=forms.TextInput(
            attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("At most 20 characters, and nobody else's."),
    )


class MergeForm(ReasonForm):
    """Who of the two stays."""

    field_order = ["keep", "reason"]

    other = forms.IntegerField(widget=forms.HiddenInput)
    keep = forms.ChoiceField(label=_("who stays"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, persons: tuple[Person, Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (str(person.pk), f"{person.full_name} ({person.distributor_person_id})")
            for person in persons
        ]
        self.fields["keep"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField


class SchoolSelect(AutocompleteSelect):
    """Searches while one types; without words in it a screen reader would call it nothing."""

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-placeholder": str(_("Search a school"))}


class MoveForm(ReasonForm):
    """Another school for a person at a school."""

    field_order = ["school", "student_number", "reason"]

    school = forms.ModelChoiceField(
        label=_("new school"),
        queryset=School.objects.all(),
        widget=SchoolSelect(SchoolPerson._meta.get_field("school"), admin.site),
        help_text=_("Not in the list? Add the school first, by its school ID."),
    )
    student_number = forms.CharField(
        label=_("student number there"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text=_("The number that the new school itself uses."),
    )
