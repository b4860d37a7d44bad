"""Comparing everything with Edu-iX: one run of it, what is being asked, and what it found."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import Message


class CheckRun(models.Model):
    """One comparison for nobody in particular; the worker asks a window of rows at a time.

    What a colleague chose is a `Job` instead, with a row for each question. A run over everything
    remembers how far it came (`person_cursor`, `school_cursor`: the last primary key); a random
    selection remembers the keys themselves, and the cursors count them. Whoever works on it holds
    a lease, so that two workers never ask the same rows.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("Everything")
        SCHOOL = "school", _("One school")
        SAMPLE = "sample", _("Random sample")
        NIGHTLY = "nightly", _("Nightly sample")
        SELECTION = "selection", _("Chosen rows")  # of before these became jobs

    class Status(models.TextChoices):
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Stopped")

    # These name the rows one by one; the others go through the tables.
    LISTED: ClassVar[tuple[str, ...]] = (Scope.SAMPLE, Scope.NIGHTLY, Scope.SELECTION)

    scope = models.CharField(_("scope"), max_length=12, choices=Scope)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.RUNNING)
    organisation_id = models.CharField(_("school ID"), max_length=160, blank=True)
    seed = models.BigIntegerField(_("seed of the sample"), null=True, blank=True)
    person_ids = models.JSONField(_("persons"), default=list)
    organisation_ids = models.JSONField(_("schools"), default=list)
    person_cursor = models.BigIntegerField(_("persons asked up to"), default=0)
    school_cursor = models.BigIntegerField(_("schools asked up to"), default=0)
    total = models.PositiveIntegerField(_("to compare"), default=0)
    answered = models.PositiveIntegerField(_("compared"), default=0)
    failed = models.PositiveIntegerField(_("not answered"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [
            # what the worker must go on with
            models.Index(
                fields=["id"], condition=models.Q(status="running"), name="check_run_at_work"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.organisation_id}".strip()

    @property
    def finished(self) -> int:
        """How many of `total` are done, answered or not."""
        return self.answered + self.failed


class CheckItem(models.Model):
    """A question of a run that is not finished; removed as soon as it is counted."""

    run = models.ForeignKey(CheckRun, on_delete=models.CASCADE, related_name="items")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "message"], name="check_item_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.message_id}"


class Drift(models.Model):
    """A row that claimed to be equal to Edu-iX, and was not when it was compared.

    `subject` is that of the `Held` row beside it; `owner` is what was asked: `person:12` for
    everything of a person, `school:ID` for a school and its credits. Found again or mended: the
    next comparison of the owner replaces all of them. No values: those stand in `Held`.
    """

    class What(models.TextChoices):
        DIFFERS = "differs", _("Other data at Edu-iX")
        GONE = "gone", _("Not at Edu-iX any more")
        EXTRA = "extra", _("Only at Edu-iX")
        TAKEN_OVER = "taken_over", _("Taken over from Edu-iX")

    # Nothing mends these by itself.
    OPEN: ClassVar[tuple[str, ...]] = (What.DIFFERS, What.GONE, What.EXTRA)

    subject = models.CharField(_("subject"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20)
    row_id = models.BigIntegerField(_("row"), null=True, blank=True)
    label = models.CharField(_("key"), max_length=300, blank=True)
    owner = models.CharField(_("compared"), max_length=200)
    what = models.CharField(_("what"), max_length=12, choices=What)
    columns = models.JSONField(_("fields"), default=list)
    found_at = models.DateTimeField(_("found"))
    run = models.ForeignKey(
        CheckRun,
        verbose_name=_("comparison"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="found",
    )

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["subject"], name="drift_subject")]
        indexes = [
            # what a comparison of this owner replaces
            models.Index(fields=["owner"], name="drift_owner"),
            # the page, part by part
            models.Index(fields=["what", "kind", "id"], name="drift_what_kind"),
        ]

    def __str__(self) -> str:
        return self.label or self.subject
