"""How publishers answer a specification: by the first digits of the EAN, from `publishers.json`.

The behaviour is a table and a seed: the same EAN meets the same answer in every run.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("publishers.json")

ACCEPTS: Final = "accepts"
REFUSES: Final = "refuses"
SILENT: Final = "stays silent"


class PublishersError(ValueError):
    """The table cannot be read; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a publisher does, after how many seconds (from, to), and the error code it sends."""

    prefix: str
    does: str
    seconds: tuple[float, float] = (0.0, 0.0)
    error_code: int | None = None


class Publishers:
    """All publishers; the longest prefix that fits an EAN decides."""

    def __init__(self, path: Path = TABLE, *, seed: int = 0) -> None:
        """Raises `PublishersError` when the table is missing or wrong."""
        self._seed = seed
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            self._default = _behaviour({"prefix": "", **table["default"]})
            rows = [_behaviour(row) for row in table["publishers"]]
        except (OSError, KeyError, TypeError, ValueError) as problem:
            raise PublishersError(f"{path}: {problem!r}") from problem
        self._rows = sorted(rows, key=lambda row: -len(row.prefix))

    def behaviour(self, ean: str) -> Behaviour:
        fitting = (row for row in self._rows if ean.startswith(row.prefix))
        return next(fitting, self._default)

    def seconds(self, ean: str) -> float | None:
        """How long the publisher of this EAN takes; None when it never answers."""
        behaviour = self.behaviour(ean)
        if behaviour.does == SILENT:
            return None
        shortest, longest = behaviour.seconds
        share = zlib.crc32(f"{self._seed}:{ean}".encode()) / 0xFFFFFFFF
        return shortest + (longest - shortest) * share


def _behaviour(row: dict[str, Any]) -> Behaviour:
    does = row["does"]
    if does not in {ACCEPTS, REFUSES, SILENT}:
        raise ValueError(f"does is {does!r}")
    seconds = row.get("seconds", 0)
    shortest, longest = seconds if isinstance(seconds, list) else (seconds, seconds)
    code = int(row["errorCode"]) if does == REFUSES else None
    return Behaviour(str(row["prefix"]), does, (float(shortest), float(longest)), code)
