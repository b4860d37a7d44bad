"""The partner's rules as Django's validation errors, in words for colleagues."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils import timezone
from django_countries.fields import Country

from backoffice.eduix.rules import check, rules_of
from backoffice.explanations.services import explain


def validate_as_partner(
    object_name: str, instance: models.Model, fields: Mapping[str, str]
) -> None:
    """Raise `ValidationError` per field for what Edu-iX would refuse.

    `fields` maps a column of the rule table to the model field that holds its value, where the
    two differ; every other column has the name of its field.
    """
    columns = {rule.column: fields.get(rule.column, rule.column) for rule in rules_of(object_name)}
    values = {column: _value(instance, field) for column, field in columns.items()}
    errors: dict[str, list[ValidationError]] = {}
    for finding in check(object_name, values, today=timezone.localdate()):
        if finding.severity != "error":
            continue
        words = explain(f"own:{finding.message_key}" if finding.code == 6 else finding.code or 6)
        field = columns.get(finding.column, NON_FIELD_ERRORS).split(".")[0]
        errors.setdefault(field, []).append(ValidationError(words.title, code=str(finding.code)))
    if errors:
        raise ValidationError(errors)


def _value(instance: models.Model, path: str) -> object:
    """The value behind `school.organisation_id`; empty while the related row is not chosen."""
    value: object = instance
    for name in path.split("."):
        value = getattr(value, name, None)
    return value.code if isinstance(value, Country) else value
