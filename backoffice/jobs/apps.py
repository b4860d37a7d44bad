from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "backoffice.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from backoffice.jobs.models import Job
        from backoffice.jobs.push_work import go_on
        from backoffice.jobs.work import continue_jobs, register_work
        from backoffice.outbox.registry import register_background

        for kind in Job.BULK:
            register_work(kind, go_on)
        register_background(continue_jobs)
