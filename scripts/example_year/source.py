"""What the year is made from (`year.toml`), and how a choice is drawn.

A choice is drawn from a hash of the seed and a label, never from `random`: every Python gives the
same bytes, and one person more changes nobody else.
"""

import hashlib
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DATA = tomllib.loads(Path(__file__).with_name("year.toml").read_text(encoding="utf-8"))
SCHOOLS = DATA["schools"]

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """A row that is wrong, or nearly: how it differs, and what the product says of it."""

    file: str
    outcome: str  # refused, skipped, warning or normalised
    what: str
    says: str
    change: Mapping[str, str]
    column: str = ""
    code: int | None = None
    who: str = "pupil"
    becomes: str = ""
    repeats: bool = False

    @property
    def is_a_row_of_its_own(self) -> bool:
        """Refused rows come on top of the year; the others are rows of it, or copies."""
        return self.outcome == "refused" and not self.repeats


def faults_of(file: str) -> list[Fault]:
    return [Fault(**fault) for fault in DATA["faults"] if fault["file"] == file]


def draw(*label: object) -> int:
    text = "/".join(str(part) for part in (DATA["seed"], *label))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def pick(options: Sequence[T], *label: object) -> T:
    return options[draw(*label) % len(options)]


def spread(total: int, count: int) -> list[int]:
    """`count` places, evenly over `total`."""
    return [(number + 1) * total // (count + 1) for number in range(count)]


def plain_ascii(text: str) -> str:
    """The letters of a name as an e-mail address can carry them."""
    letters = unicodedata.normalize("NFKD", text.translate(str.maketrans("łŁıß", "lLis")))
    return "".join(sign for sign in letters.lower() if sign.isascii() and sign.isalnum())
