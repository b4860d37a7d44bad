"""Celery as an alarm clock: it rings the drainer; the outbox rows are the truth."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

app = Celery("backoffice")
app.set_default()  # for all threads: by itself it is the app of the thread that loads this module
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["backoffice.outbox"])


@worker_init.connect  # type: ignore[untyped-decorator, unused-ignore]
def refuse_misfit_at_start(**_: object) -> None:
    """A worker that could send nothing right does not start."""
    import django

    django.setup()
    from backoffice.eduix.checks import refuse_misfit

    refuse_misfit()
