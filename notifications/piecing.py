"""What the notifications of version 4.3 say together about one credit.

In 4.0 each one carries the whole state. In 4.3 one with `isSingleUpdate` adds to what was told
before; its entries carry a number and a moment, so it does not matter in which order they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from notifications.contents import Parsed, order_of

LISTS: Final = ("specification", "correction", "license_block")
_STATES: Final = ("specification", "correction")  # a block comes on top of what these say


@dataclass(frozen=True)
class Piece:
    """What one notification of 4.3 says, and when it came in."""

    parsed: Mapping[str, Any]
    received_at: datetime

    @property
    def is_whole(self) -> bool:
        """It says all there is."""
        return not self.parsed["is_single_update"] and not self.is_block

    @property
    def is_block(self) -> bool:
        """Nothing but a licence block: it says nothing about the rest."""
        return bool(self.parsed["license_block"]) and not _entries(self.parsed)

    @property
    def order(self) -> tuple[str, int]:
        """Its place among the others: that of its newest entry."""
        came_in = self.received_at.astimezone(UTC).isoformat(timespec="microseconds")
        return max(map(order_of, _entries(self.parsed)), default=(came_in, 0))

    @property
    def told_at(self) -> datetime:
        """The moment of its newest entry; never later than it came in: clocks differ."""
        return min(datetime.fromisoformat(self.order[0]), self.received_at)


@dataclass(frozen=True)
class Together:
    """`parsed` reads as one notification that says everything.

    `counts` is False when a newer one says all that this one said; `is_new` when nothing in it
    was told before.
    """

    parsed: Parsed
    told_at: datetime
    counts: bool
    is_new: bool


def together(this: Piece, others: Iterable[Piece]) -> Together:
    """What this one and the others about the same credit say."""
    known = list(others)
    counting = _counting_of([*known, this])
    parsed = _merged(this, counting)
    moments = [piece.told_at for piece in counting if not piece.is_block]
    return Together(
        parsed=parsed,
        told_at=max(moments, default=this.received_at),
        counts=this in counting,
        is_new=not known or parsed != _merged(this, _counting_of(known)),
    )


def _counting_of(pieces: list[Piece]) -> list[Piece]:
    base = max((piece.order for piece in pieces if piece.is_whole), default=None)
    return [piece for piece in pieces if base is None or piece.order >= base]


def _merged(this: Piece, pieces: Iterable[Piece]) -> Parsed:
    merged: Parsed = {**this.parsed, "is_single_update": False}
    told = list(pieces)
    for name in LISTS:
        newest: dict[int, Mapping[str, Any]] = {}
        for entry in sorted(
            (entry for piece in told for entry in piece.parsed[name]), key=order_of
        ):
            newest[entry["audit_id"]] = entry
        merged[name] = _last_of_each_request(sorted(newest.values(), key=order_of))
    return merged


def _last_of_each_request(entries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Several entries of one request are its course; the last one is how it ended."""
    last = {entry["request_id"]: entry for entry in entries}
    return [
        entry for entry in entries if not entry["request_id"] or last[entry["request_id"]] is entry
    ]


def _entries(parsed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry for name in _STATES for entry in parsed[name]]
