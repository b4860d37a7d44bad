"""What the kernel was asked by some processes, in order, as strace tells it.

One tracer follows all of them, and a process goes on from a call only after the tracer has seen
its end. So where one call is the cause of another, in whatever process, it stands first.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.experiment import NotHere
from tests.chaos.waiting import wait_until

CALLS: Final = "recvfrom,read,write,writev,sendto,pwrite64,pwritev,fdatasync,fsync"
WHOLE: Final = "65536"  # bytes of a buffer that are shown
STOP_SECONDS: Final = 30
_BEGUN: Final = re.compile(r"(\d+) +(\w+)\((\d+<[^>]*>)(.*)", re.DOTALL)
_RESUMED: Final = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_UNFINISHED: Final = " <unfinished ...>"


@dataclass
class Call:
    """One system call; `begun` and `ended` are places in the order of all events."""

    name: str
    handle: str
    """Number and path or socket, as in `7</data/pg_wal/000000010000000000000001>`."""

    text: str
    begun: int
    ended: int | None = None

    @property
    def succeeded(self) -> bool:
        return self.ended is not None and " = -1 " not in self.text


@contextmanager
def traced(pids: Sequence[int], file: Path) -> Iterator[None]:
    """While the block runs, all calls of these processes and their children. Raises `NotHere`."""
    program = shutil.which("strace")
    if program is None:
        raise NotHere("strace")
    whom = [part for pid in pids for part in ("-p", str(pid))]
    tracer = subprocess.Popen(
        [program, "-f", "-y", "-s", WHOLE, "-e", f"trace={CALLS}", "-o", str(file), *whom],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: tracer.poll() is not None or all(map(_is_traced, pids)), "strace follows all"
        )
        if tracer.poll() is not None:
            raise NotHere("strace, for it may not follow another process")
        yield
    finally:
        tracer.send_signal(signal.SIGTERM)  # it lets go of all that it follows
        try:
            tracer.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()


def calls(file: Path) -> list[Call]:
    """In the order in which they began."""
    found: list[Call] = []
    under_way: dict[str, Call] = {}  # of each thread
    for place, line in enumerate(file.read_text(errors="replace").splitlines()):
        if resumed := _RESUMED.match(line):
            call = under_way.pop(resumed[1], None)
            if call is not None:
                call.text += resumed[3]
                call.ended = place
        elif begun := _BEGUN.match(line):
            call = Call(begun[2], begun[3], begun[4].removesuffix(_UNFINISHED), place)
            found.append(call)
            if line.endswith(_UNFINISHED):
                under_way[begun[1]] = call
            else:
                call.ended = place
    return found


def family(pid: int) -> list[int]:
    """The process and its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *(int(child) for child in listed.split())]


def _is_traced(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return all("TracerPid:\t0\n" not in task.read_text() for task in tasks)
