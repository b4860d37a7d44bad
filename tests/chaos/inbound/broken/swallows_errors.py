"""A door that answers 200 although the database refused the row."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from backoffice.wsgi import application
from notifications import door
from notifications.store import DatabaseProblem, Received
from tests.chaos.inbound.broken import put_in_place

__all__ = ["application"]


def _try(understand: Callable[[], Received]) -> Received:
    kept: list[Received] = []

    def keep() -> Received:
        kept.append(understand())
        return kept[0]

    with contextlib.suppress(DatabaseProblem):
        _store(keep)
    return kept[0]


_store: Final = put_in_place(door, "store", _try)
