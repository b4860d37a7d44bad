"""The daily mail: one row for each colleague and day, so that nobody gets it twice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Digest(models.Model):
    """One mail to one account manager.

    Whoever sends it holds a lease; a row without `sent_at` whose lease ran out is tried again.
    `items` is what stood in it: the name of each cause with its rows and its title, from which the
    next mail tells what is new and what is gone. Causes, schools and books, never a person.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("colleague"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    day = models.DateField(_("day"))
    lease_until = models.DateTimeField(_("lease until"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    failed_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    failure = models.CharField(_("last failure text"), max_length=300, blank=True)
    items = models.JSONField(_("items"), default=dict)

    class Meta:
        verbose_name = _("daily mail")
        verbose_name_plural = _("daily mails")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class DigestLanguage(models.Model):
    """The language that a colleague chose in our menu; without a row it is Dutch."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("colleague"),
        on_delete=models.CASCADE,
        related_name="+",
        primary_key=True,
    )
    language = models.CharField(_("language"), max_length=10)

    class Meta:
        verbose_name = _("language of the daily mail")
        verbose_name_plural = _("languages of the daily mail")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} {self.language}"
