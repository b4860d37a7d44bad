"""The form of a text of our own: it must be about something that has a text to begin with."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backoffice.explanations.models import OwnText
from backoffice.explanations.own_texts import reference_of, shipped
from backoffice.explanations.recognise import parse_reference


class OwnTextForm(forms.ModelForm[OwnText]):
    """Says which code or state is meant, however it was written: `-5022` is `5022`."""

    def clean_reference(self) -> str:
        """Raises `ValidationError` for what is no code and no state of the program."""
        written = str(self.cleaned_data["reference"]).strip()
        asked = parse_reference(written)
        if asked is not None and asked.source == "publisher":
            raise ValidationError(
                _("A publisher's code is written under “Publishers' codes”, not here.")
            )
        found = shipped(written, "nl")
        if found is None:
            raise ValidationError(
                _("“%(text)s” is no code or state of this program. Look it up under Explanation."),
                params={"text": written[:40]},
            )
        return reference_of(found)
