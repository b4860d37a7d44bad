"""Forms that say what Edu-iX would answer, with its code, before anything is sent."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from backoffice.eduix.rules import check
from backoffice.outbox.models import Pushable
from backoffice.outbox.pushable import PushableForm
from backoffice.screens.findings import Said, in_words
from persons.preflight import Checked, WouldRefuse, field_of_column, paths_of, preflight

P = TypeVar("P", bound=Pushable)


class PartnerForm(PushableForm[P]):
    """A form whose errors are the partner's, and whose warnings stand at their fields.

    An error refuses the save. A row that is stored all the same (by an import of before a rule
    came, or by hand) is shown with its errors, and cannot be sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.is_bound:
            for said in preflight(self._row):
                self.mark_said(said)

    @property
    def _row(self) -> Checked:
        return cast("Checked", self.instance)

    def mark_said(self, said: Said) -> None:
        """Show a finding at its field, but not what Edu-iX itself has answered there already."""
        if said.finding.code is not None and said.finding.code == abs(self.instance.push_code or 0):
            return
        tone: Any = "bad" if said.is_error else "wait"
        self.mark(said.field, said.explanation, title=said.line, tone=tone, url=said.url)

    def add_error(self, field: str | None, error: Any) -> None:
        """Each field is wrong once, in the partner's words where it has any.

        The rules look at the whole row: about a field that could not be read they would judge
        what stood there before.
        """
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            for name, errors in error.error_dict.items():
                if self._place_of(name) in self.errors:
                    continue
                # Our model has some of the same rules; one line in the partner's words is enough.
                partner = [error for error in errors if isinstance(error, WouldRefuse)]
                super().add_error(name, partner or errors)
                self._explain(partner)
            return
        said = self._in_partner_words(field) if field else None
        if said is not None:
            refusal = error = WouldRefuse(said)
            self._explain([refusal])
        super().add_error(field, error)

    def _explain(self, errors: list[WouldRefuse]) -> None:
        """The error itself stands above its field; why, and what to do, under it."""
        for error in errors:
            self.mark_said(error.said)

    def _in_partner_words(self, field: str) -> Said | None:
        """What Edu-iX would say of the text in this field, of which Django made nothing."""
        raw = self[field].data
        choice = isinstance(self.fields[field], forms.ModelChoiceField)
        if choice and raw not in (None, ""):
            return None
        owner, today = self._row.PARTNER_OBJECT, timezone.localdate()
        for column in paths_of(self._row):
            if self._place_of(field_of_column(self._row, column)) != field:
                continue
            for finding in check(owner, {column: raw}, today=today):
                if finding.column == column and finding.severity == "error":
                    return in_words(finding, field=field_of_column(self._row, column))
        return None
