"""Doors without one mechanism, for the negative controls; only child processes load them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


def put_in_place(module: ModuleType, name: str, broken: Callable[..., Any]) -> Callable[..., Any]:
    """Put this in place of a function of the product, and return the product's own.

    Raises `AttributeError` when the product has none of that name any more.
    """
    own: Callable[..., Any] = getattr(module, name)
    setattr(module, name, broken)
    return own
