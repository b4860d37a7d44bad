"""N12: slow senders and a stuck worker do not keep the door from answering in time."""

from __future__ import annotations

import itertools
import math
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from backoffice.desk.stack import THREADS
from benchmarks.load import percentile
from benchmarks.workshop import Workshop
from tests import nginx
from tests.chaos.cluster import Cluster
from tests.chaos.experiment import Experiment, NotHere, Outcome, Size
from tests.chaos.inbound.controls import red_only_if_all_are, together
from tests.chaos.inbound.senders import Line, request
from tests.chaos.inbound.serving import Served, own_postgresql
from tests.chaos.waiting import wait_until

SLOW: Final = 200  # senders that stop half-way
A_SECOND: Final = 50  # deliveries
LIMIT: Final = 1.0  # seconds; what the slowest in a hundred may take
# The promise is about the door. Where others take the processors, nothing is that fast: then the
# door may be this much slower than it is a moment before, without slow senders.
WORSE: Final = 4.0
SENDERS: Final = 24
SILENCE: Final = 15.0  # seconds after which a delivery counts as not answered
IMPATIENCE: Final = 2.0  # the same where no answer is expected
DRIP_SECONDS: Final = 1.0
FEW: Final = 4  # threads
UNBUFFERED: Final = {"proxy_request_buffering on;": "proxy_request_buffering off;"}
HEAVY: Final = "credits_personcredit, persons_person"  # what applying reads first

Wrap = Callable[[socket.socket], socket.socket]


@dataclass(frozen=True)
class Way:
    """How senders reach the door."""

    name: str
    port: int
    wrap: Wrap | None = None

    def line(self, silence: float) -> Line:
        """A connection that hangs up after this silence."""
        return Line(self.port, silence, self.wrap)


def run(workshop: Workshop, size: Size) -> Outcome:
    """The command of `make demo` bare, and few threads behind nginx as we ship it."""
    tries = size.of(1, smoke=3, quick=2)
    number = A_SECOND * size.of(90, smoke=1, quick=4)
    parts: dict[str, Outcome] = {}
    with (
        own_postgresql(workshop) as cluster,
        _ways(workshop, cluster, bare_threads=THREADS, changes={}) as ways,
    ):
        calm = {way: _worst(_offered(way, "calm", A_SECOND, SILENCE)) for way in ways}
        with _stuck_worker(workshop, cluster):
            for way in ways:
                limit = max(LIMIT, WORSE * calm[way])
                parts[way.name] = _besieged(way, number, limit, SILENCE, tries)
    return together(parts)


def control(workshop: Workshop, size: Size) -> Outcome:
    """Fewer threads than slow senders; nginx that passes on what is half there."""
    with (
        own_postgresql(workshop) as cluster,
        _ways(workshop, cluster, bare_threads=FEW, changes=UNBUFFERED) as ways,
    ):
        return red_only_if_all_are(
            {way.name: _besieged(way, A_SECOND, LIMIT, IMPATIENCE, 1) for way in ways}
        )


@contextmanager
def _ways(
    workshop: Workshop, cluster: Cluster, bare_threads: int, changes: Mapping[str, str]
) -> Iterator[list[Way]]:
    if missing := nginx.missing():
        raise NotHere(f"the programs {', '.join(missing)}")
    bare = Served(workshop, cluster.url, threads=bare_threads)
    trusts = {"BACKOFFICE_TRUSTED_PROXIES": "127.0.0.1"}
    behind = Served(workshop, cluster.url, threads=FEW, environ=trusts)
    with ExitStack() as stack:
        for door in (bare, behind):
            stack.callback(door.kill)
            door.begin()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eduix-nginx-")))
        proxy = stack.enter_context(nginx.running(folder, behind.port, changes))
        bare.wait()
        behind.wait()
        yield [
            Way("bare", bare.port),
            Way(
                "behind nginx",
                proxy.port,
                lambda sock: proxy.context.wrap_socket(sock, server_hostname=nginx.NAME),
            ),
        ]


def _besieged(way: Way, number: int, limit: float, silence: float, tries: int) -> Outcome:
    """So many deliveries while others stand half-way; a busy machine gets another try."""
    outcome = Outcome()
    with _slow_senders(way) as slow:
        for attempt in range(tries):
            seconds = _offered(way, f"siege{attempt}-", number, silence)
            outcome.tried += number
            unanswered = seconds.count(math.inf)
            worst = _worst(seconds)
            if unanswered or worst < limit:
                break
    outcome.remarks.append(f"{way.name}: p99 {worst * 1000:.0f} ms, {slow.standing()} slow senders")
    outcome.violations += [f"{way.name}: a delivery got no 200"] * unanswered
    if worst >= limit and not unanswered:
        outcome.violations.append(f"{way.name}: p99 is {worst:.2f} s")
    return outcome


def _offered(way: Way, mark: str, number: int, silence: float) -> list[float]:
    """Seconds from the moment that each was due to its 200; infinite where none came."""
    begun = time.monotonic()
    numbers = itertools.count()
    seconds = [math.inf] * number

    def work() -> None:
        line = way.line(silence)
        while (position := next(numbers)) < number:
            due = begun + position / A_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                answer = line.deliver(f"{mark}{position}")
            except OSError:
                break  # it counts, and so does what this thread would have sent
            if answer.status == 200:
                seconds[position] = time.monotonic() - due
        line.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def _worst(seconds: list[float]) -> float:
    return percentile(seconds, 0.99)


class _Slow:
    """Senders that stop half-way and then give one byte a second."""

    def __init__(self, way: Way) -> None:
        self._ending = threading.Event()
        self._socks: list[socket.socket] = []
        self._cut = 0
        frame = request("slow")
        self._first, self._rest = frame[: len(frame) // 2], frame[len(frame) // 2 :]
        for _ in range(SLOW):
            sock = socket.create_connection(("127.0.0.1", way.port), SILENCE)
            self._socks.append(way.wrap(sock) if way.wrap else sock)
            self._socks[-1].sendall(self._first)
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    def standing(self) -> int:
        """How many the server has not hung up on."""
        return SLOW - self._cut

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        for sock in self._socks:
            sock.close()

    def _drip(self) -> None:
        for position in range(len(self._rest) - 1):  # never the last: then it would be whole
            if self._ending.wait(DRIP_SECONDS):
                return
            self._cut = 0
            for sock in self._socks:
                try:
                    sock.sendall(self._rest[position : position + 1])
                except OSError:
                    self._cut += 1


@contextmanager
def _slow_senders(way: Way) -> Iterator[_Slow]:
    slow = _Slow(way)
    try:
        yield slow
    finally:
        slow.close()


@contextmanager
def _stuck_worker(workshop: Workshop, cluster: Cluster) -> Iterator[None]:
    """It waits for a lock in the middle of its work, and is then stopped by the system."""
    with psycopg.connect(cluster.url) as holder:
        holder.execute(f"LOCK TABLE {HEAVY} IN ACCESS EXCLUSIVE MODE".encode())
        worker = workshop.start("deliver", ["manage.py", "deliver"], workshop.environ(cluster.url))
        try:
            wait_until(
                lambda: workshop.query(cluster.url, "SELECT 1 FROM pg_locks WHERE NOT granted"),
                "the worker waits for the lock",
            )
            worker.signal(signal.SIGSTOP)
            yield
        finally:
            worker.signal(signal.SIGKILL)
            workshop.stop(worker)


EXPERIMENTS: Final = (
    Experiment(
        "N12",
        "200 slow senders and a stuck worker do not keep others from an answer within a second",
        run,
        control,
        "too few threads, and a proxy that does not wait for the whole body",
    ),
)
