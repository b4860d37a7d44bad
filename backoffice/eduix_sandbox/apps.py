"""The sandbox as a Django application: no models, one command."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Installed in the embedded environment only; it brings `manage.py sandbox`."""

    name = "backoffice.eduix_sandbox"
    label = "eduix_sandbox"
    verbose_name = "Edu-iX sandbox"
