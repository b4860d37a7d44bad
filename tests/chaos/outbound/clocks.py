"""P10: the clock changes its hour or its day, is put back, and is wrong in one of two processes."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

from benchmarks.children import Child
from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.experiment import Experiment, NotHere, Outcome, Size
from tests.chaos.outbound.office import Office, moment_of, open_office
from tests.chaos.outbound.workers.wrong_clock import FILE

MOMENTS: Final = {
    "winter time begins": "2027-10-31T03:00:00+02:00",
    "29 February begins": "2028-02-29T00:00:00+01:00",
    "summer time begins": "2028-03-26T02:00:00+01:00",
    "the school year begins": "2028-08-01T00:00:00+02:00",
    "1 March follows 28 February": "2029-03-01T00:00:00+01:00",
    "the year begins": "2030-01-01T00:00:00+01:00",
}
STEPS: Final = (0.2, 0.5, 1.5, 4.5)  # between tries: a tenth, see `brief_outages`
EARLY: Final = 0.8  # of a step, with its jitter
LATE_SECONDS: Final = 30.0  # for a machine that does other work too
DAY: Final = 86_400.0
CALL_SECONDS: Final = 0.3
WAIT_SECONDS: Final = 120.0
STILL_SECONDS: Final = 5.0  # without any step forward: nothing comes any more
LOCKED: Final = 11  # "not now" at Edu-iX


class Clock:
    """A clock beside the real one; the processes that got its file follow it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0.0)

    def set(self, seconds: float) -> None:
        """So far from the real clock, in one step."""
        new = self.path.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.path)

    def stand_before(self, moment: datetime, seconds: float) -> None:
        """So long before a moment."""
        self.set(moment.timestamp() - seconds - time.time())


def moments(workshop: Workshop, size: Size) -> Outcome:
    """Tries on both sides of each moment, then the clock goes back a day under way."""
    return _through(workshop, size, "brief_outages", "wrong_clock")


def without_mending(workshop: Workshop, size: Size) -> Outcome:
    """The same where nobody notices that the clock was put back."""
    return _through(workshop, size, "brief_outages", "wrong_clock", "no_mending")


def _through(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    clock = Clock(workshop.folder / "clock")
    outcome = Outcome()
    more: dict[str, Any] = {
        "EDUIX_CONNECTIONS": "4",
        "EDUIX_LEASE_SECONDS": "2",
        FILE: str(clock.path),
    }
    with open_office(workshop, **more) as office:
        chosen = list(MOMENTS.items())[: size.of(len(MOMENTS), smoke=1, quick=4)]
        clock.stand_before(datetime.fromisoformat(chosen[0][1]), 60)
        sender = office.sender(*patches)
        _wait_for_beat(office, sender)
        for number, (name, moment) in enumerate(chosen):
            at = datetime.fromisoformat(moment)
            outcome.tried += _over(office, clock, at, size, f"T{number}-", sender)
            outcome.violations += [f"{name}: {line}" for line in office.unfinished()]
        outcome.violations += _early_or_late(office)
        for number in range(size.of(3, smoke=1, quick=2)):
            # The first one loses its process, the others only their time.
            sender = _put_back(office, clock, sender, patches, number, is_killed=number == 0)
            outcome.tried += 1
            outcome.violations += [f"after a step back: {line}" for line in office.unfinished()]
            if outcome.violations:
                break
        outcome.violations += office.applied_again("createPerson")
    return outcome


def _over(
    office: Office, clock: Clock, at: datetime, size: Size, prefix: str, sender: Child
) -> int:
    """Ask for pushes just before; some are refused for now, so that their next try comes after."""
    count = size.of(20, smoke=6, quick=6)
    clock.stand_before(at, 0.5)
    office.sandbox.control.trouble("fault", "createPerson", times=count * 2, code=LOCKED)
    asked = int(office.ask("persons", count=count, prefix=prefix))
    office.wait_until_sent(WAIT_SECONDS, sender)
    return asked


def _put_back(
    office: Office,
    clock: Clock,
    sender: Child,
    patches: tuple[str, ...],
    number: int,
    *,
    is_killed: bool,
) -> Child:
    """While calls are under way and others wait. Returns who sends afterwards."""
    control = office.sandbox.control
    control.trouble("delay", "createPerson", times=1000, seconds=CALL_SECONDS, after=True)
    office.ask("persons", count=16, prefix=f"B{number}-")
    office.wait_until(
        lambda: office.count("outbox_message", "status = 'sending'"), WAIT_SECONDS, sender
    )
    clock.set(float(clock.path.read_text()) - DAY)
    if is_killed:
        sender.signal(signal.SIGKILL)
        office.workshop.stop(sender)
        sender = office.sender(*patches)
    _wait_for_beat(office, sender)
    _wait_while_it_moves(office)
    control.clear_troubles()
    return sender


def another_clock(workshop: Workshop, size: Size) -> Outcome:
    """A second process whose clock is a day ahead takes over nothing of what is under way."""
    return _ahead(workshop, size, "brief_outages", "wrong_clock")


def leases_by_own_clock(workshop: Workshop, size: Size) -> Outcome:
    """The same where each process tells leases by the clock of its machine."""
    return _ahead(workshop, size, "brief_outages", "wrong_clock", "own_lease_clock")


def _ahead(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    if POSTGRESQL not in workshop.kinds:
        raise NotHere("PostgreSQL, which processes on several machines share")
    rounds = size.of(20, smoke=1, quick=3)
    clock, ahead = Clock(workshop.folder / "clock"), Clock(workshop.folder / "ahead")
    ahead.set(DAY)
    more: dict[str, Any] = {"EDUIX_CONNECTIONS": "4", FILE: str(clock.path)}
    with open_office(workshop, **more) as office:
        control = office.sandbox.control
        other = office.sender(*patches, **{FILE: str(ahead.path)})
        _wait_for_beat(office, other)
        other.signal(signal.SIGSTOP)  # so that the first one has calls under way before it looks
        sender: Child | None = None
        outcome = Outcome()
        for _ in range(rounds):
            if sender is not None:
                sender.signal(signal.SIGSTOP)
            outcome.tried += len(office.ask("cases", given=["updatePerson"] * 10))
            control.trouble("delay", "updatePerson", times=10, seconds=1.0, after=True)
            if sender is not None:
                sender.signal(signal.SIGCONT)
            sender = sender or office.sender(*patches)
            office.wait_until(
                lambda: office.count("outbox_message", "status = 'sending'") > 3,
                WAIT_SECONDS,
                sender,
            )
            other.signal(signal.SIGCONT)
            _wait_for_beat(office, other)
            office.wait_until_sent(WAIT_SECONDS, sender, other)
            control.clear_troubles()
            other.signal(signal.SIGSTOP)
        outcome.violations += office.unfinished()
        other.signal(signal.SIGCONT)
        outcome.violations += office.applied_again("updatePerson")
        rescued = office.count("outbox_attempt", "outcome = 'lost'")
    if rescued:
        outcome.violations.append(f"{rescued} calls were taken over while they were under way")
    return outcome


def _wait_for_beat(office: Office, sender: Child) -> None:
    """Until it has looked at what others left behind."""

    def beat() -> object:
        return office.query("SELECT beat_at FROM outbox_servicestate WHERE service = 'edu-ix'")

    before = beat()
    office.wait_until(lambda: beat() != before, WAIT_SECONDS, sender)


def _wait_while_it_moves(office: Office) -> None:
    """Until nothing is left to send, or nothing has moved for a while."""
    seen, since = -1, time.monotonic()
    while active := office.active():
        moved = active * 1_000_000 + len(office.sandbox.control.ledger())
        if moved != seen:
            seen, since = moved, time.monotonic()
        if time.monotonic() - since > STILL_SECONDS:
            return
        time.sleep(0.05)


def _early_or_late(office: Office) -> list[str]:
    """Tries that did not come when it was their time, by the clock of the process."""
    rows = office.query(
        "SELECT message_id, started_at, finished_at FROM outbox_attempt ORDER BY message_id, fence"
    )
    found = []
    for message, tries in groupby(rows, key=lambda row: row[0]):
        for step, (one, following) in zip(STEPS, pairwise(tries), strict=False):
            waited = moment_of(following[1]) - moment_of(one[2])
            if waited < timedelta(seconds=step * EARLY - 0.01):
                found.append(f"message {message} was tried again after {waited}")
            if waited > timedelta(seconds=step / EARLY + LATE_SECONDS):
                found.append(f"message {message} was tried again only after {waited}")
    return found


EXPERIMENTS: Final = (
    Experiment(
        "P10",
        "No hour, day or step of the clock sends anything early, late or twice",
        moments,
        without_mending,
        "nobody notices that the clock was put back",
    ),
    Experiment(
        "P10b",
        "A process whose clock is a day ahead takes over nothing, and sends nothing twice",
        another_clock,
        leases_by_own_clock,
        "each process tells leases by its own clock",
    ),
)
