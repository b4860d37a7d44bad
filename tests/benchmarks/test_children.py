from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.children import Child, Failed, offer, stop, usage_of
from benchmarks.load import Job
from tests.benchmarks.servers import OK, serving

Start = Callable[[str], Child]

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"heard": json.loads(line)}), flush=True)
"""
FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print('{"pid": %d}' % child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Child] = []

    def run(code: str) -> Child:
        made.append(Child("a child", ["-c", code], os.environ, tmp_path / f"{len(made)}.log"))
        return made[-1]

    yield run
    stop(made)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_child_answers_line_by_line(start: Start) -> None:
    child = start(ECHO)

    assert child.ask({"count": 1}) == {"heard": {"count": 1}}
    assert child.ask({"count": 2}) == {"heard": {"count": 2}}


def test_a_child_that_ended_is_told_with_its_last_lines(start: Start) -> None:
    child = start("import sys; sys.exit('no such database')")

    with pytest.raises(Failed, match="no such database"):
        child.read()


def test_a_silent_child_is_told(start: Start) -> None:
    child = start("import time; time.sleep(60)")

    with pytest.raises(Failed, match="was silent"):
        child.read(0.1)


def test_a_port_on_which_nobody_listens_is_told(start: Start) -> None:
    child = start("import sys; sys.exit('port in use')")

    with pytest.raises(Failed, match="port in use"):
        child.wait_for_port(1)


def test_stopping_ends_a_child_and_those_it_started(start: Start) -> None:
    child = start(FAMILY)
    grandchild = child.read()["pid"]
    assert is_alive(grandchild)

    stop([child])

    assert child.process.poll() is not None
    # A signal is delivered, and an orphan ended, in the kernel's own time.
    end = time.monotonic() + 10
    while is_alive(grandchild) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(grandchild)


def test_a_child_that_does_not_listen_is_killed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.children.STOP_SECONDS", 0.2)
    child = start(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('{}', flush=True); time.sleep(60)"
    )
    child.read()

    stop([child])

    assert child.process.poll() == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_usage_counts_a_process_with_those_it_started(start: Start) -> None:
    child = start(FAMILY)
    child.read()

    whole, own = child.usage(), usage_of(os.getpid())

    assert whole.memory_mb is not None
    assert own.cpu_seconds is not None
    assert whole.memory_mb > 10  # two interpreters
    assert own.cpu_seconds > 0


def test_a_load_without_a_server_is_told() -> None:
    with pytest.raises(Failed, match="refused"):
        offer(Job(1, "/", ["a", "b"], "K", connections=1, requests=1))


def test_a_load_runs_in_a_process_of_its_own() -> None:
    with serving(lambda body: OK) as port:
        outcome = offer(Job(port, "/", ["a", "b"], "K", connections=2, requests=6))

    assert outcome.accepted == 6
    assert outcome.memory_mb is None or outcome.memory_mb < 40  # neither Django nor our own modules
