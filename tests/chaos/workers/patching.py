"""Putting something else in the place of what the product calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def replace(owner: object, name: str, new: object) -> Callable[..., Any]:
    """Returns what was there; raises `AttributeError` when there is no such thing any more."""
    old: Callable[..., Any] = getattr(owner, name)
    setattr(owner, name, new)
    return old
