"""The alarm clock: a task carries no data, may run twice, and ends by itself after a while."""

from celery import shared_task
from django.conf import settings

from backoffice.outbox.drains import drain_for


@shared_task(name="backoffice.outbox.tasks.drain", ignore_result=True)  # type: ignore[untyped-decorator, unused-ignore]
def drain() -> None:
    """Send what is due, and apply what came in, for some seconds; the beat rings the next one.

    A ring that nobody heard before the next one expires: the row is the truth, not the ring.
    """
    drain_for(seconds=settings.OUTBOX_DRAIN_SECONDS)
