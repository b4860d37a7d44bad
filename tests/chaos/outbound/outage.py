"""P6: Edu-iX is away for long, and comes back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.office import Office, moment_of, open_office

SPEED: Final = 10  # all times that have to do with an outage are a tenth, see `brief_outages`
RESTS: Final = (2, 5, 15, 30)  # seconds; the last one again and again
LEAST: Final = 0.8  # of a rest, with its jitter
PROBES: Final = 2  # at a time, and after a rest
WAIT_SECONDS: Final = 300.0


def an_outage(workshop: Workshop, size: Size) -> Outcome:
    """Few tries while it is away, a row that says so, and afterwards everything in order."""
    return _away(workshop, size, "brief_outages")


def without_the_breaker(workshop: Workshop, size: Size) -> Outcome:
    """The same while each message knows only of its own tries."""
    return _away(workshop, size, "brief_outages", "no_breaker")


def _away(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    minutes = size.of(600, smoke=20, quick=80) / 60
    with open_office(workshop, EDUIX_CONNECTIONS="8") as office:
        count = office.ask("chains", count=size.of(200, smoke=15, quick=40))
        office.sandbox.stop()
        senders = [office.sender(*patches) for _ in range(size.of(4, smoke=2, quick=3))]
        office.wait_until(lambda: _tries(office), WAIT_SECONDS, *senders)
        seen = _watch(office, minutes * 60 / SPEED)
        came_back = datetime.now(UTC)
        office.sandbox.start()
        office.wait_until_sent(WAIT_SECONDS, *senders)
        outcome = Outcome(count, office.unfinished() + office.out_of_order())
        outcome.violations += office.applied_again()
        tries = [span for span in _tries(office) if span[0] < came_back]
        row = _row(office)
    outcome.violations += _too_many(tries, came_back)
    if not seen:
        outcome.violations.append("the row of Edu-iX did not say that it is away")
    if row != (0, False):
        outcome.violations.append(f"after the return the row says: {row}")
    outcome.remarks.append(f"{len(tries)} tries in {minutes:.1f} minutes of {len(senders)} senders")
    return outcome


def _watch(office: Office, seconds: float) -> bool:
    """Let the outage last; whether the row of Edu-iX told of it."""
    end = time.monotonic() + seconds
    seen = office.wait_until(lambda: _row(office)[1], seconds)
    office.wait_until(lambda: False, end - time.monotonic())
    return seen


def _row(office: Office) -> tuple[int, bool]:
    """The pauses in a row, and whether it is said since when Edu-iX is away."""
    found = office.query(
        "SELECT failures, unreachable_since FROM outbox_servicestate WHERE service = 'edu-ix'"
    )
    return (int(found[0][0]), found[0][1] is not None) if found else (0, False)


def _tries(office: Office) -> list[tuple[datetime, datetime]]:
    """From when until when each try that found nobody lasted, oldest first."""
    rows = office.query(
        "SELECT started_at, finished_at FROM outbox_attempt WHERE outcome = 'unreachable'"
        " ORDER BY started_at"
    )
    return [(moment_of(begun), moment_of(ended)) for begun, ended in rows]


def _too_many(tries: list[tuple[datetime, datetime]], came_back: datetime) -> list[str]:
    """Tries beyond those that the rests allow, and those beside too many others."""
    # Until the first rest was told to all, each had taken what it had room for.
    known = tries[0][1].timestamp() + 1 / SPEED * 5
    later = [(begun, ended) for begun, ended in tries if begun.timestamp() > known]
    seconds = (came_back.timestamp() - known) * SPEED
    most = PROBES * (1 + sum(moment < seconds for moment in accumulate(_rests(seconds))))
    found = [f"try {number + 1} of at most {most}" for number in range(most, len(later))]
    for begun, _ended in later:
        beside = sum(other[0] <= begun < other[1] for other in later)
        if beside > PROBES:
            found.append(f"{beside} tries at the same moment, {begun:%H:%M:%S.%f}")
    return found


def _rests(seconds: float) -> list[float]:
    """More rests than there can be in this time, each as short as it can be."""
    return [LEAST * rest for rest in RESTS] + [LEAST * RESTS[-1]] * int(seconds / RESTS[0])


EXPERIMENTS: Final = (
    Experiment(
        "P6",
        "While Edu-iX is away few ask, all can see it, and afterwards everything goes in order",
        an_outage,
        without_the_breaker,
        "no process tells the others that Edu-iX is away",
    ),
)
