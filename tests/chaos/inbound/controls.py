"""What a control in several parts says."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.experiment import Outcome


def together(parts: Mapping[str, Outcome]) -> Outcome:
    """All parts as one."""
    outcome = Outcome()
    for part in parts.values():
        outcome.tried += part.tried
        outcome.violations += part.violations
        outcome.remarks += part.remarks
    return outcome


def red_only_if_all_are(parts: Mapping[str, Outcome]) -> Outcome:
    """A part that stayed green would hide behind the others: then there are no violations."""
    outcome = together(parts)
    green = [name for name, part in parts.items() if not part.violations]
    if green:
        outcome.remarks.append(f"no violation on {', '.join(green)}")
        outcome.violations = []
    return outcome
