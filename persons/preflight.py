"""What Edu-iX would say about a row of ours before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Protocol

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils import timezone
from django_countries.fields import Country

from backoffice.eduix.rules import check, rules_of
from backoffice.screens.findings import Said, in_words


class Checked(Protocol):
    """A model whose rows the partner has rules for.

    `PARTNER_OBJECT` is their object in the rule table. `PARTNER_FIELDS` maps a column of that
    table to where its value stands, where the two differ (`school.organisation_id`).
    """

    PARTNER_OBJECT: ClassVar[str]
    PARTNER_FIELDS: ClassVar[Mapping[str, str]]


def paths_of(model: Checked | type[Checked]) -> dict[str, str]:
    """Every column of the rules for a model with the path to its value."""
    return {
        rule.column: model.PARTNER_FIELDS.get(rule.column, rule.column)
        for rule in rules_of(model.PARTNER_OBJECT)
    }


def field_of_column(model: Checked | type[Checked], column: str) -> str:
    """The model field behind a column: `school` for `organisation_id`; empty when there is none."""
    return paths_of(model).get(column, "").split(".")[0]


def preflight(row: Checked, *, today: date | None = None) -> list[Said]:
    """Everything that Edu-iX would refuse of this row, and what it would take to our regret.

    Needs the related rows that `PARTNER_FIELDS` names; a list fetches them with its rows.
    """
    values = {column: _value(row, path) for column, path in paths_of(row).items()}
    return [
        in_words(finding, field=field_of_column(row, finding.column))
        for finding in check(row.PARTNER_OBJECT, values, today=today or timezone.localdate())
    ]


class WouldRefuse(ValidationError):
    """A form error that knows its finding."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.line, code=str(said.finding.code))
        self.said = said


def validate_as_partner(row: Checked) -> None:
    """Raise `ValidationError` per field for what Edu-iX would refuse."""
    errors: dict[str, list[ValidationError]] = {}
    for said in preflight(row):
        if said.is_error:
            errors.setdefault(said.field or NON_FIELD_ERRORS, []).append(WouldRefuse(said))
    if errors:
        raise ValidationError(errors)


def _value(row: object, path: str) -> object:
    """The value behind `school.organisation_id`; empty while the related row is not chosen."""
    value: object = row
    for name in path.split("."):
        value = getattr(value, name, None)
    return value.code if isinstance(value, Country) else value
