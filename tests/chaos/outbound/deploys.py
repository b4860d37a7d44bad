"""P11: everything is restarted under load, again and again, as a deploy does it."""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from backoffice.eduix.contract import endpoint_path
from benchmarks.children import Child, Failed, free_port
from benchmarks.envelopes import specification_changed
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.office import Office, open_office

PATH: Final = endpoint_path("notification")
CALL_SECONDS: Final = 0.1  # how long Edu-iX takes: there are always calls under way
PACE_SECONDS: Final = 0.02  # between two notifications of a thread
AGAIN_SECONDS: Final = 0.05
STOP_SECONDS: Final = 60.0
WAIT_SECONDS: Final = 300.0
LAST_SECONDS: Final = 2.0
BATCH: Final = 40  # pushes asked for before each restart


@dataclass
class Notifier:
    """Edu-iX in so far as it tells us something: each key until it has read 200."""

    port: int
    tries: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self, threads: int) -> Iterator[None]:
        """In threads; each ends with a key that was accepted."""
        running = [
            threading.Thread(target=self._tell, args=(number,), daemon=True)
            for number in range(threads)
        ]
        for thread in running:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in running:
                thread.join(STOP_SECONDS)

    def _tell(self, thread: int) -> None:
        number = 0
        while not self.stopping.wait(PACE_SECONDS):
            number += 1
            key = f"N{thread}-{number:06d}"
            end = time.monotonic() + STOP_SECONDS
            while time.monotonic() < end:
                self.tries[key] += 1
                status = self._send(key)
                self.statuses[status] += 1
                if status == "200":
                    self.accepted.append(key)
                    break
                time.sleep(AGAIN_SECONDS)  # also at the end: a key is told until it is accepted

    def _send(self, key: str) -> str:
        """The HTTP status, or how it went when there was no whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = key.join(specification_changed()).encode()
        try:
            connection.request("POST", PATH, body, {"Content-Type": "text/xml; charset=utf-8"})
            answer = connection.getresponse()
        except ConnectionRefusedError:
            return "refused"
        except (OSError, http.client.HTTPException):
            return "cut"
        else:
            try:
                told = answer.read()
            except (OSError, http.client.HTTPException):
                return "half an answer"
            if answer.status in (200, 503):
                return str(answer.status)
            return f"{answer.status} {told[-300:].decode(errors='replace')}"
        finally:
            connection.close()


def deploys(workshop: Workshop, size: Size) -> Outcome:
    """SIGTERM to all: each ends what it was doing, and what came meanwhile waits."""
    return _restarted(workshop, size, signal.SIGTERM, "backoffice.wsgi:application")


def kills(workshop: Workshop, size: Size) -> Outcome:
    """SIGKILL to all, and a door that answers before it stores."""
    return _restarted(
        workshop, size, signal.SIGKILL, "tests.chaos.outbound.workers.hasty:application"
    )


def _restarted(workshop: Workshop, size: Size, number: int, application: str) -> Outcome:
    restarts = size.of(30, smoke=1, quick=3)
    outcome = Outcome(restarts)
    with open_office(workshop, EDUIX_CONNECTIONS="8", EDUIX_LEASE_SECONDS="3") as office:
        office.sandbox.control.trouble(
            "delay", "createPerson", times=1_000_000, seconds=CALL_SECONDS, after=True
        )
        notifier = Notifier(free_port())
        web = _web(office, notifier.port, application)
        senders = [office.sender() for _ in range(size.of(2, smoke=1, quick=1))]
        asked = office.ask("persons", count=BATCH, prefix="D0-")
        web.wait_for_port(notifier.port)
        with notifier.at_work(4):
            for restart in range(1, restarts + 1):
                asked += office.ask("persons", count=BATCH, prefix=f"D{restart}-")
                _wait_for_work(office, notifier, web, *senders)
                ended = _end(workshop, number, web, senders[0])
                outcome.violations += [] if number == signal.SIGKILL else ended
                web = _web(office, notifier.port, application)
                senders = [*senders[1:], office.sender()]
                web.wait_for_port(notifier.port)
            _wait_for_work(office, notifier, web, *senders)
        office.wait_until_sent(WAIT_SECONDS, *senders)
        outcome.violations += _wrong(office, notifier, asked)
    told = ", ".join(f"{count} x {status}" for status, count in notifier.statuses.most_common())
    outcome.remarks.append(f"{asked} pushes; notifications: {told}")
    return outcome


def _web(office: Office, port: int, application: str) -> Child:
    arguments = [
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "8", "--no-ws", "--log-level", "warning"),
        application,
    ]
    return office.workshop.start("web", arguments, office.environ(""))


def _wait_for_work(office: Office, notifier: Notifier, *living: Child) -> None:
    """Until calls are under way and a few more notifications were accepted. Raises `Failed`."""
    enough = len(notifier.accepted) + 10
    is_heard = office.wait_until(lambda: len(notifier.accepted) >= enough, WAIT_SECONDS, *living)
    is_busy = office.wait_until(
        lambda: office.count("outbox_message", "status = 'sending'") or not office.active(),
        WAIT_SECONDS,
        *living,
    )
    if not (is_heard and is_busy):
        raise Failed(f"nothing happens any more: {dict(notifier.statuses)}")


def _end(workshop: Workshop, number: int, *children: Child) -> list[str]:
    """Send the signal to all; a line for each that did not end well by itself."""
    for child in children:
        child.signal(number)
    found = []
    for child in children:
        if not child.wait(STOP_SECONDS):
            found.append(f"{child.name} did not end within {STOP_SECONDS:g} s")
        elif child.process.returncode != 0:
            found.append(f"{child.name} ended with {child.process.returncode}")
    workshop.stop(*children)
    return found


def _wrong(office: Office, notifier: Notifier, asked: int) -> list[str]:
    found = office.unfinished()
    ledger = office.sandbox.control.ledger(operation="createPerson", applied=True)
    found += office.applied_again("createPerson")
    applied = len({row.subject for row in ledger})
    if applied != asked:
        found.append(f"{applied} of {asked} persons are at Edu-iX")
    if lost := office.count("outbox_attempt", "outcome = 'lost'"):
        found.append(f"{lost} calls were under way when their process ended")
    table = "notifications_notification"
    kept = f"SELECT subject, count(*) FROM {table} GROUP BY subject"  # noqa: S608  our own words
    # A hasty door may still be storing; the product stored before it answered.
    office.wait_until(lambda: len(office.query(kept)) >= len(notifier.accepted), LAST_SECONDS)
    stored = dict(office.query(kept))
    found += [
        f"{key} was answered 200 and is gone" for key in notifier.accepted if not stored.get(key)
    ]
    found += [
        f"{key} was told {notifier.tries[key]} times and stands there {times} times"
        for key, times in stored.items()
        if times > notifier.tries[key]
    ]
    found += [
        f"{count} times {status}"
        for status, count in notifier.statuses.items()
        if status not in ("200", "503", "refused", "cut")
    ]
    return found


EXPERIMENTS: Final = (
    Experiment(
        "P11",
        "Restarts under load lose nothing, do nothing twice, and answer 200, 503 or not at all",
        deploys,
        kills,
        "killed instead of asked to end, and a door that answers before it stores",
    ),
)
