"""What a browser asks of the control page, once the server has seen that it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .reply import Reply

if TYPE_CHECKING:  # the controls know the options, and those know the page
    from .controls import Controls


@dataclass(frozen=True, slots=True)
class Visit:
    """A GET of a path, or the form that was posted to it; `language` is the one wanted first."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    language: str = ""


class Page(Protocol):
    """Answers visits. The server itself has no page: whoever starts it may give it one."""

    def owns(self, path: str) -> bool:
        """Whether this path is one of the page's."""

    def answer(self, controls: Controls, visit: Visit) -> Reply:
        """The page, its style sheet, or the way back after an order was followed."""
