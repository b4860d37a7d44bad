"""The product's settings with a beat that rings every second, where nobody can wait a minute."""

from backoffice.settings import *  # noqa: F403  all of them but these
from backoffice.settings import CELERY_BEAT_SCHEDULE

OUTBOX_DRAIN_SECONDS = 1
CELERY_BEAT_SCHEDULE["ring"] |= {
    "schedule": float(OUTBOX_DRAIN_SECONDS),
    "options": {"expires": OUTBOX_DRAIN_SECONDS},
}
