"""What a drainer has done."""

from __future__ import annotations

from dataclasses import dataclass

from backoffice.outbox.models import Attempt


@dataclass
class Counts:
    """What a drainer has done."""

    accepted: int = 0
    refused: int = 0
    later: int = 0
    uncertain: int = 0
    background: int = 0

    @property
    def sent(self) -> int:
        """Messages tried."""
        return self.accepted + self.refused + self.later + self.uncertain

    def add(self, outcome: str) -> None:
        """Count one outcome."""
        if outcome == Attempt.Outcome.ACCEPTED:
            self.accepted += 1
        elif outcome in (Attempt.Outcome.REFUSED, Attempt.Outcome.CONFLICT):
            self.refused += 1
        elif outcome == Attempt.Outcome.UNREACHABLE:
            self.later += 1
        else:
            self.uncertain += 1
