"""What Edu-iX held when it was last asked, kept beside our rows so that both can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.records import Record


class HeldQuerySet(models.QuerySet["Held"]):
    """The office's words about what Edu-iX holds."""

    def keep(
        self,
        *,
        subject: str,
        label: str,
        record: Record | None,
        at: datetime,
        more: Mapping[str, object] | None = None,
    ) -> Held:
        """Keep the newest answer about one subject; `record` None says that it is not there.

        `more` holds what Edu-iX tells and we never send, e.g. a credit's specification.
        """
        held, _created = self.update_or_create(
            subject=subject, defaults=_columns(Told(subject, label, record, more or {}), at)
        )
        return held

    def keep_many(self, told: Sequence[Told], *, at: datetime) -> None:
        """The same for all that one answer told, in one statement."""
        if told:
            self.bulk_create(
                [Held(subject=one.subject, **_columns(one, at)) for one in told],
                update_conflicts=True,
                unique_fields=["subject"],
                update_fields=["label", "asked_at", "is_there", "values"],
            )


@dataclass(frozen=True)
class Told:
    """What an answer told about one subject; the arguments of `keep`."""

    subject: str
    label: str
    record: Record | None
    more: Mapping[str, object] = field(default_factory=dict)


def _columns(told: Told, at: datetime) -> dict[str, Any]:
    values: dict[str, object] = {}
    if told.record is not None:
        theirs = {name: getattr(told.record, name) for name in told.record.THEIRS}
        values = told.record.pushed() | theirs
    return {
        "label": told.label[:300],
        "asked_at": at,
        "is_there": told.record is not None,
        "values": json.loads(json.dumps(values | dict(told.more), cls=DjangoJSONEncoder)),
    }


class Held(models.Model):
    """One row at Edu-iX as its last get told it: column -> value, dates as ISO texts."""

    subject = models.CharField(_("subject"), max_length=200)  # e.g. "person:12", see `key_of`
    label = models.CharField(_("label"), max_length=300, blank=True)  # the partner's key
    asked_at = models.DateTimeField(_("asked"))
    is_there = models.BooleanField(_("known at Edu-iX"))
    values = models.JSONField(_("values"), default=dict)

    objects = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("row at Edu-iX")
        verbose_name_plural = _("rows at Edu-iX")
        constraints = [models.UniqueConstraint(fields=["subject"], name="outbox_held_subject")]
        indexes = [
            # prune: what was asked long ago
            models.Index(fields=["asked_at"], name="outbox_held_asked_at")
        ]

    def __str__(self) -> str:
        return self.label or self.subject
