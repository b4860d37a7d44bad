"""The WSGI application: the notification door in front, Django for everything else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

from backoffice.checks import refuse_unsafe_start  # noqa: E402  Django is set up only now
from backoffice.processor import keep_to_one  # noqa: E402
from notifications.door import Door  # noqa: E402

refuse_unsafe_start()
door = Door(django_application)
_is_kept = False


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer one request."""
    # At the first request: a server may read this module before it splits into processes, and
    # all of them would keep to the processor of the first.
    global _is_kept
    if not _is_kept:
        _is_kept = True
        keep_to_one()
    return door(environ, start_response)
