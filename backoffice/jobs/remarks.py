"""What is said about one row of an import: kept as data, worded when somebody looks.

A remark holds a key and its particulars, never a sentence: the same row is read on a Dutch page, in
an English error file and, later, with a better explanation than today's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.codes import INCORRECT_REQUEST
from backoffice.eduix.rules import Finding
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain

Severity = Literal["error", "warning", "changed", "hint"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about one cell, or about the row when `column` is empty.

    `severity`: an error keeps the row out; a warning does not; `changed` tells what was read
    differently from how it stands in the file; a hint is worth a look. `code` is what Edu-iX would
    answer, where it would.
    """

    severity: Severity
    key: str
    column: str = ""
    code: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, finding: Finding) -> Remark:
        """A finding of the partner's rules."""
        params = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in finding.params.items()
        }
        return cls(finding.severity, finding.message_key, finding.column, finding.code, params)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Remark:
        """As `as_json` wrote it."""
        return cls(**stored)

    def as_json(self) -> dict[str, Any]:
        """For `JobRow.findings`."""
        return asdict(self)

    @property
    def is_error(self) -> bool:
        """Keeps the row out."""
        return self.severity == "error"

    @property
    def number(self) -> str:
        """The code as a screen shows it: none for rules that only have the general code."""
        return str(self.code) if self.code not in (None, INCORRECT_REQUEST) else ""


@dataclass(frozen=True, slots=True)
class Words:
    """A remark for a reader: what is the matter, particulars, and what to do."""

    title: str
    detail: str = ""
    remedy: str = ""

    @property
    def first_step(self) -> str:
        """Enough beside a row of a table; the explanation itself holds the other steps."""
        return self.remedy.partition("\n")[0]

    @property
    def text(self) -> str:
        """All in one line, for a file or a terminal."""
        title = self.title if self.title.endswith((".", "?", "!")) else f"{self.title}."
        return " ".join(filter(None, (title, self.detail)))


# Remarks of the import itself; all others are explained by `backoffice.explanations`.
OWN: Final[dict[str, Promise]] = {
    "read_as": _("Read as “%(to)s”; the file says “%(from)s”."),
    "equal_row": _("Equal to line %(earlier)s; taken in once."),
    "same_key": _("Line %(earlier)s has the same number and other data: %(columns)s."),
    "person_differs": _(
        "Line %(earlier)s is about the same person and says something else: %(columns)s. "
        "A person at two schools is two rows with equal personal data."
    ),
    "too_many_cells": _("This row has %(cells)s cells and the header %(columns)s."),
    "short_row": _("This row ends early; the rest was read as empty."),
    "shortened_number": _(
        "A spreadsheet has shortened this number, so digits are lost. Give the column type Text."
    ),
    "not_a_number": _("This is no whole number."),
    "too_long_here": _("At most %(max)s characters fit."),
    "empty_here": _("This cell must not be empty."),
    "no_email": _("This is no e-mail address."),
    "broken_letters": _("Letters look broken, as if the file was saved in the wrong encoding."),
    "same_email": _("Line %(other)s has the same e-mail address. Brother or sister?"),
    "same_person_here": _(
        "%(name)s (%(other)s) is here already with this name and date of birth, and another number."
    ),
    "same_email_here": _("%(name)s (%(other)s) is here already with the same e-mail address."),
    "same_person": _("Line %(other)s has the same name and date of birth, and another number."),
    "deleted_here": _("This was deleted at Edu-iX; its number cannot be used again."),
    "of_other_person": _("This number belongs to %(other)s already."),
    "of_other_school": _("This number belongs to school %(other)s already."),
    "only_a_return": _("Only a return makes a credit returned; a file cannot."),
    "was_returned": _("This credit was returned; give a new one a new number."),
    "below_returned": _("%(returned)s were returned already; the amount cannot be lower."),
}

_PARTICULARS: Final[dict[str, Promise]] = {
    **dict.fromkeys(
        ("too_long", "too_short", "person_id_beyond_rename", "credit_id_beyond_notification"),
        _("There are %(length)s characters."),
    ),
    "not_allowed": _("Possible: %(allowed)s."),
}


# Where an explanation speaks of a form, which a row of a file has not.
_MEND: Final = _("Mend it in the file of refused rows and take that in.")


def words_of(remark: Remark, heading: Callable[[str], str] = str) -> Words:
    """A remark in the language of the moment; `heading` says what a column is called there."""
    params = {name: _shown(value, name, heading) for name, value in remark.params.items()}
    found = explanation_of(remark)
    remedy = _in_file(found) or (str(_MEND) if remark.is_error else "")
    if remark.key in OWN:
        return Words(str(OWN[remark.key]) % params, "", remedy)
    detail = str(_PARTICULARS[remark.key]) % params if remark.key in _PARTICULARS else ""
    return Words(found.title, detail, remedy)


def explanation_of(remark: Remark) -> Explanation:
    """By the code that Edu-iX would give, else by our own rule; maybe one that nobody wrote."""
    return explain(int(remark.number) if remark.number else f"own:{remark.key}")


def general_words(remark: Remark, heading: Callable[[str], str] = str) -> Words:
    """What remarks of this kind have in common, without the particulars of one row."""
    found = explanation_of(remark)
    if not found.known and remark.key in OWN:
        return words_of(remark, heading)
    return Words(found.title, "", _in_file(found))


def _in_file(found: Explanation) -> str:
    """What to do, when that is to be done in the file: other remedies speak of a form."""
    return found.remedy if found.known and found.action == "fix_file" else ""


def _shown(value: object, name: str, heading: Callable[[str], str]) -> object:
    if not isinstance(value, list):
        return value
    if name == "columns":
        return ", ".join(heading(str(item)) for item in value)
    return ", ".join(str(item) for item in value)
