"""What goes back over HTTP, as it should be or spoiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

TEXT: Final = "text/plain; charset=utf-8"
XML: Final = "text/xml; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"


@dataclass(slots=True)
class Reply:
    """A status, headers and a body, and how far it comes.

    `drop` closes the connection without a byte; `cut_at` closes it after so many bytes of the
    body, whose whole length was promised; `drip` sends one byte per so many seconds.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = XML
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut_at: int | None = None
    drip: float = 0.0
