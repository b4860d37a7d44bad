"""The product behind a door that answers 200 first and stores a moment later."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, Final

from backoffice.wsgi import application as product

LATER_SECONDS: Final = 0.5

_accepted: queue.SimpleQueue[tuple[float, dict[str, Any]]] = queue.SimpleQueue()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI; what is stored later is lost when this process ends before."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    kept = environ | {"wsgi.input": BytesIO(body)}
    _accepted.put((time.monotonic() + LATER_SECONDS, kept))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]


def _store() -> None:
    while True:
        moment, environ = _accepted.get()
        time.sleep(max(0.0, moment - time.monotonic()))
        for _part in product(environ, lambda *_: None):
            continue


threading.Thread(target=_store, daemon=True).start()
