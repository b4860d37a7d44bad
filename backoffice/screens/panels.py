"""Parts of a page that another app adds: a person's page shows credits it knows nothing of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Panel:
    """A template and what it shows; it stands under the form."""

    template: str
    context: object


Maker = Callable[[HttpRequest, Any], Panel | None]
_makers: dict[str, list[Maker]] = defaultdict(list)


def register_panel(kind: str, maker: Maker) -> None:
    """Add a panel to the page of one kind of row; the maker answers None to stay away."""
    if maker not in _makers[kind]:
        _makers[kind].append(maker)


def panels_of(kind: str, request: HttpRequest, row: object) -> list[Panel]:
    """What the page of this row shows under its form."""
    return [panel for make in _makers[kind] if (panel := make(request, row)) is not None]
