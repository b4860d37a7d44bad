"""A page that tells what the browser complains about."""

from __future__ import annotations

from typing import Any


class Watched:
    """A page of the browser, with everything it complains about."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _note(self, message: Any) -> None:
        expected = "the server responded with a status of 40"  # our own pages for 403 and 404
        if message.type in ("error", "warning") and expected not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def go(self, path: str) -> Any:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("load")
        return self.page
