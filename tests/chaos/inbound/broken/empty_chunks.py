"""A door for which a body without Content-Length is empty, as it is for Django."""

from __future__ import annotations

from typing import Any, Final

from backoffice.wsgi import application
from notifications import framing
from tests.chaos.inbound.broken import put_in_place

__all__ = ["application"]


def _announced_only(stream: Any, length: int | None) -> bytes:
    return bytes(_read(stream, length or 0))


_read: Final = put_in_place(framing, "_read", _announced_only)
