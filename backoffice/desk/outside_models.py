"""What was found when something outside was last asked: Edu-iX, the mail server."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class OutsideCheck(models.Model):
    """One row for each part outside. A page asks for a check; the worker makes it."""

    class Part(models.TextChoices):
        PROFILE = "profile", _("Edu-iX Profile")
        CREDIT = "credit", _("Edu-iX Credit")
        MAIL = "mail", _("Mail server")

    part = models.CharField(_("part"), max_length=10, choices=Part, unique=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    begun_at = models.DateTimeField(_("begun"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    found = models.JSONField(_("found"), default=dict)  # see `outside.py`; no secret, no person
    # Since when it is well, or is not, as far as was looked.
    since = models.DateTimeField(_("since"), null=True, blank=True)

    class Meta:
        verbose_name = _("check of what is outside")
        verbose_name_plural = _("checks of what is outside")
        default_permissions = ("view", "change")  # the page of what is ready; its button

    def __str__(self) -> str:
        return self.part
