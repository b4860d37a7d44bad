"""The session that all sending processes share, and who may log in."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LoginSession(models.Model):
    """One row per service; `outbox/sessions.py` reads and writes it."""

    service = models.CharField(_("service"), max_length=20)
    version = models.BigIntegerField(_("version"), default=0)
    sealed = models.TextField(_("sealed session"), blank=True)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    login_digest = models.CharField(_("digest of the login"), max_length=64, blank=True)
    address_digest = models.CharField(_("digest of the address"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    refusals = models.PositiveIntegerField(_("refused logins"), default=0)
    failed_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    failed_code = models.BigIntegerField(_("code"), null=True, blank=True)
    failed_text = models.CharField(_("last failure text"), max_length=4096, blank=True)

    class Meta:
        app_label = "outbox"
        verbose_name = _("session at Edu-iX")
        verbose_name_plural = _("sessions at Edu-iX")
        constraints = [
            models.UniqueConstraint(fields=["service"], name="outbox_login_session_service")
        ]

    def __str__(self) -> str:
        return self.service
