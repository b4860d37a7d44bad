from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "backoffice.outbox"
    label = "outbox"
    verbose_name = _("Sending")

    def ready(self) -> None:
        """All processes share the sessions; the WSDLs in use are checked by `manage.py check`."""
        from django.core import checks

        from backoffice.eduix import gateway
        from backoffice.eduix.checks import check_partner
        from backoffice.outbox.sessions import DatabaseStore

        gateway.share_sessions(DatabaseStore)
        checks.register(check_partner, checks.Tags.compatibility)
