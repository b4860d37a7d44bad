"""How the tests are spread over the workers: what shares something costly stays together.

pytest-xdist has groups for this, but it writes their names where pytest 9.2 no longer reads them:
every worker then starts its own demo, servers and databases. Here the place of a file decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = (
    "tests/chaos/",
    "tests/browser/test_why.py",
    "tests/browser/test_road.py",
    "tests/benchmarks/",
    "tests/notifications/test_granian.py",
    "tests/notifications/test_gunicorn.py",
)
"""Each runs in one worker, the longest first: begun last, it would leave the other cores idle."""

THEN: Final = ("tests/browser/", "tests/outbox/test_processes.py", "tests/outbox/test_sessions.py")
"""Single tests that take long."""


CHAOS: Final = "tests/chaos/"


def scope(nodeid: str) -> str:
    """What a test stays together with: itself, or all of its place.

    Experiments make two chains, of what comes in and of what goes out: one would be the longest.
    """
    place = next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)
    if place != CHAOS:
        return place
    return f"{CHAOS}{'out' if nodeid.partition('[')[2].startswith('P') else 'in'}"


class Spread(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker gets the next test, or all tests that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def turn(nodeid: str, places: Sequence[str] = (*TOGETHER, *THEN)) -> int:
    """When a test has its turn: the lower the sooner."""
    return next(
        (number for number, place in enumerate(places) if nodeid.startswith(place)), len(places)
    )
