"""Processes that a measurement starts: asked over JSON lines, weighed, and always stopped."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.load import Job, Outcome

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 600.0  # thousands of rows are made one by one on a busy machine
STOP_SECONDS: Final = 5.0
LOWEST_PORT: Final = 12_000
USUAL_LOWEST_PORT: Final = 32_768  # of the kernel's own, on Linux
_ports: Final = random.SystemRandom()


class Failed(Exception):
    """A child ended or was silent; holds the last lines it wrote."""


@dataclass(frozen=True)
class Usage:
    """What a process and its children have used; None where the system does not tell."""

    cpu_seconds: float | None
    memory_mb: float | None


class Child:
    """One process of ours in its own session: Ctrl-C reaches us only, and we stop it."""

    def __init__(self, name: str, arguments: list[str], environ: Mapping[str, str], log: Path):
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                [sys.executable, *arguments],
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def read(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next line it prints, as JSON. Raises `Failed`."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise Failed(f"{self.name} {'ended' if ready else 'was silent'}:\n{self.last_lines()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        """Tell it one line and wait for its answer. Raises `Failed`."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} ended:\n{self.last_lines()}") from None
        return self.read()

    def wait_for_port(self, port: int) -> None:
        """Until it listens. Raises `Failed`."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise Failed(f"{self.name} does not listen:\n{self.last_lines()}")

    def usage(self) -> Usage:
        """Of the process and of those it started."""
        return usage_of(self.process.pid)

    def log_text(self) -> str:
        """All that it wrote on standard error."""
        return self.log.read_text(errors="replace")

    def written(self) -> list[str]:
        """The lines of it."""
        return self.log_text().splitlines()

    def last_lines(self) -> str:
        """The end of them."""
        return "\n".join(line[:1000] for line in self.written()[-5:])

    def signal(self, number: int) -> None:
        """To the process and to those it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within this time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None


def stop(children: Sequence[Child]) -> None:
    """Ask all to end, with what they started, before waiting for any; kill what does not listen."""
    for child in children:
        child.signal(signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait(max(0.0, end - time.monotonic()))
        child.signal(signal.SIGKILL)  # also those that outlived their parent
        child.wait(STOP_SECONDS)
        for pipe in (child.process.stdin, child.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def usage_of(pid: int) -> Usage:
    """CPU seconds and resident memory of a process and its descendants, from /proc."""
    if not Path("/proc/self/stat").exists():
        return Usage(None, None)
    parents: dict[int, int] = {}
    cpu: dict[int, float] = {}
    memory: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        number = int(stat.parent.name)
        parents[number] = int(fields[1])
        cpu[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        memory[number] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    family = list(_family(pid, parents))
    return Usage(
        sum(cpu.get(number, 0.0) for number in family),
        sum(memory.get(number, 0.0) for number in family),
    )


def _family(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    yield pid
    for child, parent in parents.items():
        if parent == pid:
            yield from _family(child, parents)


def free_port() -> int:
    """A port of loopback that nobody uses now.

    From below those that the kernel gives to connections: one of these can be taken by any caller
    between this moment and the start of a server.
    """
    while True:
        port = _ports.randrange(LOWEST_PORT, _lowest_of_the_kernel())
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _lowest_of_the_kernel() -> int:
    told = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(told.read_text().split()[0]) if told.exists() else USUAL_LOWEST_PORT
    return lowest if lowest > 2 * LOWEST_PORT else 65536


def offer(job: Job) -> Outcome:
    """Run a load in a process of its own. Raises `Failed`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load"],
            cwd=ROOT,
            input=json.dumps(asdict(job)),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise Failed("the load did not end") from None
    if done.returncode:
        raise Failed(f"the load ended:\n{done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout))
