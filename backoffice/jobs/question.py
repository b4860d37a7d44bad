"""A question that a colleague asks Edu-iX, with its answer as long as it may be kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Question(models.Model):
    """One get with one of its choices.

    `arguments` holds what was asked, an ECK iD by its last six characters only; `eck_id` holds
    the whole one while the answer is awaited and is emptied with it. `answer` holds `total` and
    the first `items`, each `{"kind", "key", "values"}`; `problem` says why a take-over did
    nothing.
    """

    operation = models.CharField(_("operation"), max_length=40)  # the partner's word, or takeOver
    choice = models.CharField(_("asked by"), max_length=40, blank=True)
    arguments = models.JSONField(_("asked with"), default=dict)
    eck_id = models.CharField(_("ECK iD"), max_length=256, blank=True)
    answer = models.JSONField(_("answer"), default=dict)
    problem = models.CharField(_("what went wrong"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = _("question to Edu-iX")
        verbose_name_plural = _("questions to Edu-iX")
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [
            # prune: what was asked long ago
            models.Index(fields=["asked_at"], name="question_asked_at")
        ]

    def __str__(self) -> str:
        return self.operation
