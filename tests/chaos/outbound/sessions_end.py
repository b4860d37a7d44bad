"""P5: sessions that end all the time, and a login that is refused, with many processes."""

from __future__ import annotations

from typing import Final

from backoffice.eduix_sandbox.server import SandboxServer
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.office import open_office
from tests.outbox.conftest import SCHOOL

CALLS: Final = 20  # after which a session ends
TRIES: Final = 3  # of a refused login, over all processes
WAIT_SECONDS: Final = 900.0
AFTER_SECONDS: Final = 1.5  # in which nobody may log in any more: many rests of a process
ALARM: Final = "eduix_login_refused"


def sessions_that_end(workshop: Workshop, size: Size) -> Outcome:
    """Each call counts once, and a session that ended costs one login for all processes."""
    return _ending(workshop, size, "short_rests")


def a_session_for_each(workshop: Workshop, size: Size) -> Outcome:
    """The same with a session for each thread."""
    return _ending(workshop, size, "short_rests", "own_sessions")


def _ending(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    count = size.of(2000, smoke=60, quick=120)
    sandbox = SandboxServer(schools=[SCHOOL], pace=0, session_calls=CALLS)
    with open_office(workshop, sandbox=sandbox, EDUIX_CONNECTIONS="8") as office:
        office.ask("persons", count=count, prefix="S")
        senders = [office.sender(*patches) for _ in range(size.of(8, smoke=2, quick=3))]
        office.wait_until_sent(WAIT_SECONDS, *senders)
        outcome = Outcome(count, office.unfinished())
        outcome.violations += office.applied_again()
        ledger = sandbox.control.ledger()
    used = sum(row.operation != "login" and row.code is None for row in ledger)
    logins = sum(row.operation == "login" for row in ledger)
    most = used // CALLS + 1
    outcome.violations += [f"login {number} of at most {most}" for number in range(most, logins)]
    outcome.remarks.append(f"{logins} logins for {used} calls in {len(senders)} processes")
    return outcome


def a_refused_login(workshop: Workshop, size: Size) -> Outcome:
    """Three tries over all processes, one alarm, and nothing leaves any more."""
    return _refused(workshop, size, "short_rests")


def a_login_tried_for_ever(workshop: Workshop, size: Size) -> Outcome:
    """The same without a last try."""
    return _refused(workshop, size, "short_rests", "no_stop")


def _refused(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    count = size.of(200, smoke=30, quick=30)
    sandbox = SandboxServer(schools=[SCHOOL], pace=0)
    with open_office(workshop, sandbox=sandbox) as office:
        office.ask("persons", count=count, prefix="S")

        def logins() -> int:
            return len(sandbox.control.ledger(operation="login"))

        processes = size.of(8, smoke=2, quick=3)
        environ = {"EDUIX_PASSWORD": "another-password"}
        senders = [office.sender(*patches, **environ) for _ in range(processes)]
        office.wait_until(
            lambda: (
                office.count("outbox_servicestate", "stopped_at IS NOT NULL")
                or logins() > 2 * TRIES
            ),
            WAIT_SECONDS,
            *senders,
        )
        # Every process has begun, and each would have tried again by now.
        office.wait_until(lambda: logins() > 2 * TRIES, AFTER_SECONDS, *senders)
        # What was claimed in the moment of the stop is given back.
        office.wait_until(lambda: not office.count("outbox_message", "status = 'sending'"), 60)
        queued = office.count("outbox_message", "status = 'queued'")
        alarms = sum(ALARM in line for sender in senders for line in sender.written())
        applied = sandbox.control.ledger(applied=True)
        outcome = Outcome(processes, remarks=[f"{logins()} logins of {processes} processes"])
        outcome.violations += [f"login {number + 1}" for number in range(TRIES, logins())]
        if alarms != 1:
            outcome.violations.append(f"{alarms} alarms")
        if queued != count or applied:
            outcome.violations.append(f"{queued} of {count} still queued, {len(applied)} applied")
    return outcome


EXPERIMENTS: Final = (
    Experiment(
        "P5",
        "A session that ended costs one login for all processes, and nothing is applied twice",
        sessions_that_end,
        a_session_for_each,
        "each thread has a session of its own",
    ),
    Experiment(
        "P5b",
        "A refused login stops all processes after three tries, with one alarm",
        a_refused_login,
        a_login_tried_for_ever,
        "no try is the last one",
    ),
)
