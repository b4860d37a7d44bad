"""What was mailed to schools, so that everybody sees it and nobody does it twice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from persons.models import School


class SchoolMailing(models.Model):
    """A list that was mailed to a school: who, when, to whom and how many; not what stood in it.

    The row is written before the mail goes; only `sent_at` says that the mail server took it.
    """

    key = models.UUIDField(_("key of the form"))
    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="mailings"
    )
    recipient = models.CharField(_("recipient"), max_length=254)
    pupils = models.PositiveIntegerField(_("pupils on the list"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("sent by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    refused_at = models.DateTimeField(_("not sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("mailing to a school")
        verbose_name_plural = _("mailings to schools")
        ordering = ["-pk"]
        constraints = [
            # pressing twice, or going back and pressing again, mails once
            models.UniqueConstraint(fields=["key"], name="school_mailing_key")
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.created_at:%Y-%m-%d %H:%M}"
