"""What another app adds: a panel under a form, a cell in a list, that the row knows nothing of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
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


CellMaker = Callable[[Collection[int]], Mapping[int, Mapping[str, object]]]
_cell_makers: dict[str, list[CellMaker]] = defaultdict(list)


def register_cells(kind: str, maker: CellMaker) -> None:
    """Add cells to the list of one kind; the maker gets the keys of a page, and asks once."""
    if maker not in _cell_makers[kind]:
        _cell_makers[kind].append(maker)


def cells_beside(kind: str, keys: Collection[int]) -> dict[int, dict[str, object]]:
    """What other apps show beside these rows, by key."""
    found: dict[int, dict[str, object]] = {key: {} for key in keys}
    for make in _cell_makers[kind]:
        for key, cells in make(keys).items():
            found[key].update(cells)
    return found
