from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from backoffice.outbox.registry import register_background
        from notifications.applying import apply_waiting

        register_background(apply_waiting)
