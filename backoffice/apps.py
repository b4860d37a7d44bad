"""The admin with our own site as its default."""

from django.contrib.admin.apps import AdminConfig


class BackofficeAdminConfig(AdminConfig):
    """Makes `admin.site` and plain `@admin.register` mean our AdminSite."""

    default_site = "backoffice.site.BackofficeSite"

    def ready(self) -> None:
        from backoffice import checks

        super().ready()
        checks.register()
