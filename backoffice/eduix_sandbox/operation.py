"""What an operation is: its header, whom it is about, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .checks import Record
from .envelope import Node
from .world import World

Header = Literal["loginHeader", "sessionIDHeader", "authHeader"]


@dataclass(frozen=True, slots=True)
class Operation:
    """`run` answers the elements of the response; a write answers none.

    `subjects` are (label, element) pairs: the first element found in a request names what the
    ledger says the call was about.
    """

    header: Header
    run: Callable[[World, Record], list[Node]]
    subjects: tuple[tuple[str, str], ...] = ()

    @property
    def writes(self) -> bool:
        return self.header == "sessionIDHeader"
