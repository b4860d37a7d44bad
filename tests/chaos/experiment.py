"""An experiment breaks something on purpose and counts what a promise did not survive.

It runs the product in processes of its own, on databases of its own, and looks from outside: at
answers, at rows, at the ledger of the sandbox. Each has a negative control, which is the same with
the mechanism that should protect us taken away: there the violations must appear, else the
experiment would find nothing either when we break.
"""

from __future__ import annotations

import enum
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.workshop import Workshop


class Size(enum.Enum):
    """How much is tried: a kill or two in the suite, a tenth in CI, or all of it."""

    SMOKE = "smoke"
    QUICK = "quick"
    FULL = "full"

    def of(self, full: int, *, smoke: int, quick: int | None = None) -> int:
        """A number at this size; the quick one is a tenth of the full one unless told."""
        if self is Size.FULL:
            return full
        if self is Size.QUICK:
            return max(smoke, full // 10) if quick is None else quick
        return smoke


class NotHere(Exception):
    """This machine lacks what the experiment needs; says what."""


@dataclass
class Outcome:
    """How often the promise was put to the test, and each time that it was broken."""

    tried: int = 0
    violations: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # figures beside it, such as a latency

    def __str__(self) -> str:
        return f"{self.tried} tried, {len(self.violations)} violations"


Run = Callable[[Workshop, Size], Outcome]


@dataclass(frozen=True)
class Experiment:
    """One invariant: `run` must end without a violation, `control` must not."""

    name: str  # N1, P3, S14
    promise: str
    run: Run
    control: Run
    broken: str  # what the control takes away

    @property
    def order(self) -> tuple[str, int]:
        """N2 before N10."""
        letters, number = re.fullmatch(r"([A-Z]+)(\d+)[a-z]?", self.name).groups()  # type: ignore[union-attr]  # a name that does not fit should fail
        return letters, int(number)


def experiments() -> list[Experiment]:
    """All there are, from the modules beside this one: each names its own in `EXPERIMENTS`."""
    return sorted(_found(), key=lambda one: one.order)


def _found() -> Iterator[Experiment]:
    for part in ("inbound", "outbound"):
        package = importlib.import_module(f"tests.chaos.{part}")
        for module in pkgutil.iter_modules(package.__path__):
            found = importlib.import_module(f"{package.__name__}.{module.name}")
            yield from getattr(found, "EXPERIMENTS", ())
