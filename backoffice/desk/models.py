"""What colleagues agree about their work: who does an item, until when it waits, and notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.desk.digest_models import Digest as Digest
from backoffice.desk.digest_models import DigestLanguage as DigestLanguage
from backoffice.desk.outside_models import OutsideCheck as OutsideCheck

LONGEST_NOTE: Final = 1000


class WorkItemState(models.Model):
    """Who has taken an item of a work list, or until when it is put off."""

    key = models.CharField(_("work item"), max_length=200)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("taken by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    put_off_until = models.DateField(_("put off until"), null=True, blank=True)
    put_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("put off by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    put_off_at = models.DateTimeField(_("put off"), null=True, blank=True)
    # How the item stood when it was put off: one that grows or changes comes back by itself.
    rows = models.PositiveIntegerField(_("rows"), default=0)
    newest = models.DateTimeField(_("newest change"), null=True, blank=True)
    max_pk = models.BigIntegerField(_("highest key"), default=0)

    class Meta:
        verbose_name = _("agreement about a work item")
        verbose_name_plural = _("agreements about work items")
        default_permissions = ("view", "change")
        constraints = [models.UniqueConstraint(fields=["key"], name="work_item_state_key")]

    def __str__(self) -> str:
        return self.key

    def has_news(self, *, rows: int, newest: datetime | None, max_pk: int) -> bool:
        """Something was added since it was put off; that something was solved is no news."""
        is_newer = newest is not None and (self.newest is None or newest > self.newest)
        return rows > self.rows or is_newer or max_pk > self.max_pk

    def waits(self, today: date) -> bool:
        """Its day has not come yet."""
        return self.put_off_until is not None and today < self.put_off_until


class WorkNote(models.Model):
    """A line that a colleague wrote beside an item; never changed, only followed by another."""

    key = models.CharField(_("work item"), max_length=200)
    text = models.CharField(_("note"), max_length=LONGEST_NOTE)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("written by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    written_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("note about a work item")
        verbose_name_plural = _("notes about work items")
        default_permissions = ("view", "add")
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="work_note_has_text")]
        indexes = [
            # the notes of an item, in the order they were written
            models.Index(fields=["key", "id"], name="work_note_of_item")
        ]

    def __str__(self) -> str:
        return self.text
