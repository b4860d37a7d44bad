"""What colleagues and their monitoring see of the sending process."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext, override

from backoffice.desk.running import running
from backoffice.outbox import stops

BEAT: Final = re.compile(r"^backoffice_worker_beat_timestamp_seconds (\S+)", re.MULTILINE)


def look(ahead: float = 0.0) -> dict[str, Any]:
    """The line of the home page, as it stands `ahead` seconds from now, and /metrics."""
    now = timezone.now()
    told = BEAT.search(Client(SERVER_NAME="localhost").get("/metrics").content.decode())
    assert told is not None
    with override("en"):
        [line] = [
            check
            for check in running(now + timedelta(seconds=ahead)).checks
            if check.name == gettext("Worker")
        ]
    return {
        "word": line.word.value,
        "text": line.text,
        "age": now.timestamp() - float(told[1]),
        "is_alive": stops.is_alive(within=timedelta(seconds=60 - ahead)),
    }
