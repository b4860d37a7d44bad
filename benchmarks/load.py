"""Load over keep-alive connections: a closed loop on each, in one thread of a process of its own.

Raw sockets and no HTTP library, so that the load costs little beside what it measures. Run as
`python -m benchmarks.load` it reads a `Job` as JSON and prints an `Outcome` as JSON.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

SILENCE_SECONDS: Final = 10.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """What to send: `seconds` long, or `requests` times when that is not 0.

    A body is the parts joined by a key, `prefix` and eight digits, so that no two are equal. With
    `per_second` no more than that leave, evenly, over as many of the connections as it takes.
    """

    port: int
    path: str
    parts: list[str]
    prefix: str
    connections: int
    seconds: float = 0.0
    requests: int = 0
    action: str = ""
    per_second: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of it; `statuses` counts the answers by HTTP status ("0": cut off)."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    memory_mb: float | None

    @property
    def accepted(self) -> int:
        """Answers with status 200."""
        return self.statuses.get("200", 0)

    @property
    def refused(self) -> int:
        """Every other answer, and every connection that was cut."""
        return sum(self.statuses.values()) - self.accepted


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not pass; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def highest_memory_mb() -> float | None:
    """Resident memory of this process at its highest; None where the system does not tell.

    Not from `getrusage`: that counts what the parent had before this program was started.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else None


@dataclass
class _Line:
    """One connection with at most one request under way."""

    sock: socket.socket
    since: float = 0.0
    received: bytes = b""


@dataclass
class _Run:
    """The state of one load."""

    job: Job
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    started: int = 0
    under_way: int = 0
    begun: float = 0.0
    deadline: float = 0.0
    resting: deque[_Line] = field(default_factory=deque)  # until the next one is due
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.parts = [part.encode() for part in self.job.parts]
        key_bytes = len(self.job.prefix.encode()) + 8
        length = sum(map(len, self.parts)) + key_bytes * (len(self.parts) - 1)
        self.head = (
            f"POST {self.job.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.job.port}\r\n"
            f'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "{self.job.action}"\r\n'
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    def request(self) -> bytes:
        key = f"{self.job.prefix}{self.started:08d}".encode()
        return self.head + key.join(self.parts)

    def has_more(self) -> bool:
        if self.job.requests:
            return self.started < self.job.requests
        return time.perf_counter() < self.deadline

    def connect(self) -> _Line:
        sock = socket.create_connection(("127.0.0.1", self.job.port), timeout=SILENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(sock)
        self.selector.register(sock, selectors.EVENT_READ, line)
        return line

    def wait(self) -> float:
        """Seconds until the next request is due; 0 where nothing holds it back."""
        if not self.job.per_second:
            return 0.0
        return max(0.0, self.begun + self.started / self.job.per_second - time.perf_counter())

    def wake(self) -> None:
        """Send what has become due."""
        while self.resting and not self.wait():
            self.send(self.resting.popleft())

    def send(self, line: _Line) -> None:
        if not self.has_more():
            return
        if self.wait():
            self.resting.append(line)
            return
        request = self.request()
        self.started += 1
        self.under_way += 1
        line.since = time.perf_counter()
        line.sock.sendall(request)

    def receive(self, line: _Line) -> None:
        try:
            data = line.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.cut(line)
            return
        line.received += data
        head, blank, body = line.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank:
            return
        if length is None:
            raise ValueError("an answer without Content-Length")
        if len(body) < int(length[1]):
            return
        self.milliseconds.append((time.perf_counter() - line.since) * 1000)
        self.statuses[head[9:12].decode("ascii", "replace")] += 1
        self.under_way -= 1
        line.received = b""
        self.send(line)

    def cut(self, line: _Line) -> None:
        """The server closed: count what was under way and go on over a new connection."""
        self.selector.unregister(line.sock)
        line.sock.close()
        self.statuses["0"] += 1
        self.under_way -= 1
        if self.has_more():
            self.send(self.connect())


def run(job: Job) -> Outcome:
    """Send it all and wait for every answer; raises `TimeoutError` when the server is silent."""
    load = _Run(job)
    lines = [load.connect() for _ in range(job.connections)]
    cpu = time.process_time()
    begun = time.perf_counter()
    load.begun, load.deadline = begun, begun + job.seconds
    try:
        for line in lines:
            load.send(line)
        while load.under_way or (load.resting and load.has_more()):
            is_paced = bool(load.resting)
            ready = load.selector.select(load.wait() if is_paced else SILENCE_SECONDS)
            load.wake()
            if not ready and not is_paced:
                raise TimeoutError(f"no answer in {SILENCE_SECONDS:g} s")
            for key, _events in ready:
                load.receive(key.data)
        return Outcome(
            seconds=time.perf_counter() - begun,
            statuses=dict(load.statuses),
            p50_ms=percentile(load.milliseconds, 0.50),
            p99_ms=percentile(load.milliseconds, 0.99),
            cpu_seconds=time.process_time() - cpu,
            memory_mb=highest_memory_mb(),
        )
    finally:
        for key in list(load.selector.get_map().values()):
            key.data.sock.close()
        load.selector.close()


if __name__ == "__main__":
    print(json.dumps(asdict(run(Job(**json.load(sys.stdin))))))
