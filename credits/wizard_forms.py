"""The questions of the wizards: how many, until when, and why."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from backoffice.screens.forms import AmountField, take_any_paste
from backoffice.screens.numbers import grouped, is_typed
from credits.models import SchoolCredit
from credits.returns import left_of, new_reference
from credits.services import AnyCredit

REASON_LENGTH: Final = 70  # with what stands before it, it fits the history
TYPED_FROM: Final = 25  # more than this many at once asks to type the number
MOST_AT_ONCE: Final = 5000

OLDEST, NEWEST = date(2000, 1, 1), date(2099, 12, 31)


class ReasonForm(forms.Form):
    """A reason, which stands in the history of each credit."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        help_text=_("Stands in the history, with your name."),
        error_messages={"required": _("Say why: the reason stands in the history.")},
    )


class ReturnForm(ReasonForm):
    """Giving one credit back; the page brings the reference, so that sending it twice asks once."""

    amount = AmountField(
        label=_("How many licences"),
        error_messages={
            "required": _("Say how many licences are given back."),
            "invalid": _("This is no number. Write a whole number, e.g. 3."),
        },
    )
    reference = forms.CharField(
        widget=forms.HiddenInput,
        validators=[RegexValidator(r"\A[0-9a-f]{32}\Z")],
        initial=new_reference,
    )

    field_order = ["amount", "reason", "reference"]

    def __init__(self, *args: Any, credit: AnyCredit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(credit, SchoolCredit):
            del self.fields["amount"]
            return
        take_any_paste(self.fields["amount"])
        left = left_of(credit)
        words = ngettext(
            "%d licence is left to give back.", "%d licences are left to give back.", left
        )
        self.fields["amount"].help_text = words % left

    @property
    def how_many(self) -> int:
        """How many; a person credit is always one."""
        return int(self.cleaned_data.get("amount", 1))


class SelectionForm(ReasonForm):
    """A reason for many credits; a large number must be typed."""

    pks = forms.CharField(widget=forms.HiddenInput)

    def clean_pks(self) -> list[int]:
        parts = self.cleaned_data["pks"].split(",")
        if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
            raise forms.ValidationError(gettext("Choose the credits in the list."))
        return sorted({int(part) for part in parts})


class ReturnManyForm(SelectionForm):
    """Giving many credits back."""

    typed = forms.CharField(required=False, label=_("Type the number of credits"))
    reference = forms.CharField(
        widget=forms.HiddenInput, validators=[RegexValidator(r"\A[0-9a-f]{32}\Z")]
    )

    field_order = ["reason", "typed", "pks", "reference"]

    def check_typed(self, number: int) -> bool:
        """Whether the brake is off: few, or the number was typed. Else the field says so."""
        if number <= TYPED_FROM or is_typed(self.cleaned_data.get("typed", ""), number):
            return True
        words = gettext("Type %(number)s to give back that many credits at once.")
        self.add_error("typed", words % {"number": grouped(number)})
        return False


class EndDateForm(SelectionForm):
    """Another end date."""

    new_end = forms.DateField(
        label=_("New end date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y"],
        error_messages={
            "required": _("Choose the new end date."),
            "invalid": _("This is no date. Write it like 31-07-2027."),
        },
    )

    field_order = ["new_end", "reason", "pks"]

    def clean_new_end(self) -> date:
        new_end: date = self.cleaned_data["new_end"]
        if not OLDEST <= new_end <= NEWEST:
            raise forms.ValidationError(
                gettext("The end date must lie between 2000 and 2099. Look at the year.")
            )
        return new_end
