"""How much is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """Rounds, and about how many seconds each contender works in each."""

    rounds: int
    seconds: float
    least: int  # messages of a warm-up, and of a round at least

    def in_turn(self, contenders: Sequence[T], number: int) -> list[T]:
        """Forwards, then backwards: nobody always comes after the same neighbour."""
        return list(contenders) if number % 2 == 0 else list(reversed(contenders))


FULL: Final = Scale(rounds=5, seconds=0.8, least=64)
QUICK: Final = Scale(rounds=1, seconds=0.1, least=32)
