"""A door for which a notification is safe once the broker has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings

from backoffice.wsgi import application
from notifications import door
from notifications.store import Received
from tests.chaos.inbound.broken import put_in_place

__all__ = ["application"]

_broker: Final = redis.Redis.from_url(
    settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1
)


def _queue(understand: Callable[[], Received]) -> Received:
    received = understand()
    _broker.rpush("notifications", received.raw)
    return received


put_in_place(door, "store", _queue)
