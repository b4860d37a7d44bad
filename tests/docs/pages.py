"""The pages of the repository, as the tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
CHANGELOG = ROOT / "CHANGELOG.md"
DELIVERY = ROOT / "docs" / "delivery.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
OPERATIONS = ROOT / "docs" / "operations.md"
DECISIONS = ROOT / "docs" / "decisions"

PAGES = [README, CHANGELOG, *sorted((ROOT / "docs").rglob("*.md"))]

_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```$", re.M | re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)


def name_of(page: Path) -> str:
    """How a failed test names a page."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[str]:
    """The fenced blocks of a page."""
    return _FENCED.findall(page.read_text())


def code_of(page: Path) -> list[str]:
    """Everything that is set as code: fenced blocks and spans."""
    return [*blocks_of(page), *_SPAN.findall(_FENCED.sub("", page.read_text()))]


def links_of(page: Path) -> list[str]:
    """The targets of all links and pictures."""
    return _LINK.findall(_FENCED.sub("", page.read_text()))


def anchors_of(page: Path) -> set[str]:
    """What may stand behind `#` in a link to this page."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text()))
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def table_after(page: Path, heading: str) -> list[list[str]]:
    """The rows below the header of the first table under a heading, cell by cell.

    Raises `LookupError` when there is no such heading or table.
    """
    lines = iter(page.read_text().splitlines())
    if heading not in lines:  # the iterator stands behind the heading now
        raise LookupError(f"{name_of(page)} has no heading {heading!r}")
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows or line.startswith("#"):
            break
    if len(rows) < 3:
        raise LookupError(f"{name_of(page)} has no table under {heading!r}")
    return rows[2:]


def plain(text: str) -> str:
    """A page or cell as one line without marks of code, to look for a sentence in."""
    return " ".join(text.replace("`", "").split())
