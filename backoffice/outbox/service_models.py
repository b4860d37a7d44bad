"""How a partner service stands, for all workers to see."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ServiceState(models.Model):
    """One row per partner service: whether sending is stopped, for all workers to see."""

    service = models.CharField(_("service"), max_length=20)
    stopped_at = models.DateTimeField(_("stopped since"), null=True, blank=True)
    code = models.BigIntegerField(_("code"), null=True, blank=True)
    text = models.CharField(_("answer"), max_length=4096, blank=True)
    login_tries = models.PositiveIntegerField(_("refused logins"), default=0)
    refused_service = models.CharField(_("service that refused"), max_length=20, blank=True)
    credentials_digest = models.CharField(_("digest of the login"), max_length=64, blank=True)
    last_success_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    last_failure = models.CharField(_("last failure text"), max_length=300, blank=True)
    # A partner that cannot be reached gets rest: until when, and how often in a row.
    failures = models.PositiveIntegerField(_("pauses in a row"), default=0)
    unreachable_since = models.DateTimeField(_("cannot be reached since"), null=True, blank=True)
    pause_until = models.DateTimeField(_("next try"), null=True, blank=True)
    resumed_at = models.DateTimeField(_("a colleague said try now"), null=True, blank=True)
    beat_at = models.DateTimeField(_("last sign of the worker"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of a service")
        verbose_name_plural = _("states of the services")
        constraints = [
            models.UniqueConstraint(fields=["service"], name="outbox_service_state_service")
        ]

    def __str__(self) -> str:
        return self.service
