from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "backoffice.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from backoffice.jobs.work import continue_jobs
        from backoffice.outbox.registry import register_background

        register_background(continue_jobs)
