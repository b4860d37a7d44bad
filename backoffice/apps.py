"""The admin with our own site as its default, and the Celery app that rings."""

from importlib import import_module

from django.conf import settings
from django.contrib.admin.apps import AdminConfig


class BackofficeAdminConfig(AdminConfig):
    """Makes `admin.site` and plain `@admin.register` mean our AdminSite."""

    default_site = "backoffice.site.BackofficeSite"

    def ready(self) -> None:
        from backoffice import checks

        super().ready()
        checks.register()
        if settings.CELERY_BROKER_URL:
            # Else every process but the worker would ring by Celery's own defaults.
            import_module("backoffice.celery")
