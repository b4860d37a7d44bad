"""Web processes and the sending process keep to a processor each, where there are some."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.notifications.conftest import exchange
from tests.notifications.servers import ROOT, granian_at

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="a processor of its own needs two of them, and a system that binds processes",
)
GET = b"GET /soap/4.0/notification?wsdl HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
KEEP = """
import os
from backoffice.processor import keep_to_one
print(keep_to_one(may_share=%s), sorted(os.sched_getaffinity(0)), flush=True)
input()
"""


def threads_of(pid: int) -> list[set[int]]:
    """The processors that each thread of a process may use."""
    return [os.sched_getaffinity(int(one.name)) for one in Path(f"/proc/{pid}/task").iterdir()]


def workers_of(server: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


def granian_workers(port: int) -> list[int]:
    """The processes of the server that listens here, without their parent."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and f"--port\0{port}\0".encode() in _command(folder):
            return sorted(workers_of(int(folder.name))) or [int(folder.name)]
    raise AssertionError(f"nobody serves {port}")


def _command(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""


def ask_until(is_enough: Callable[[], bool], port: int) -> None:
    """Until each of the processes has answered something."""
    until = time.monotonic() + 30
    while not is_enough() and time.monotonic() < until:
        assert exchange(port, GET).status == 200


def test_two_web_processes_have_a_processor_each(tmp_path: Path) -> None:
    with granian_at(tmp_path, workers=2) as sender:
        workers = granian_workers(sender.port)
        assert len(workers) == 2

        def are_bound() -> bool:
            return all(len(mask) == 1 for pid in workers for mask in threads_of(pid))

        ask_until(are_bound, sender.port)
        masks = [threads_of(pid) for pid in workers]

    assert all(len(mask) == 1 for each in masks for mask in each)
    first, second = ({frozenset(mask) for mask in each} for each in masks)
    assert len(first) == len(second) == 1
    assert first != second


def test_switched_off_they_go_where_they_like(tmp_path: Path) -> None:
    with granian_at(tmp_path, BACKOFFICE_BIND_PROCESSORS="0") as sender:
        assert exchange(sender.port, GET).status == 200

        (worker,) = granian_workers(sender.port)
        assert all(mask == os.sched_getaffinity(0) for mask in threads_of(worker))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def two_processors() -> Iterator[list[int]]:
    """This process and those that it starts may use two, however many there are."""
    before = os.sched_getaffinity(0)
    two = sorted(before)[:2]
    os.sched_setaffinity(0, two)
    yield two
    os.sched_setaffinity(0, before)


def keep(kept: list[subprocess.Popen[str]], var: Path, *, may_share: bool = False) -> str:
    """What a new process of this installation says of itself."""
    environment = {
        "PATH": os.environ["PATH"],
        "BACKOFFICE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
    }
    process = subprocess.Popen(  # noqa: S603  our own
        [sys.executable, "-c", KEEP % may_share],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    kept.append(process)
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_who_comes_when_all_are_taken_stays_free_or_shares(
    kept: list[subprocess.Popen[str]], tmp_path: Path, two_processors: list[int]
) -> None:
    bound = [keep(kept, tmp_path) for _ in two_processors]
    assert sorted(bound) == sorted(f"{number} [{number}]" for number in two_processors)

    assert keep(kept, tmp_path) == f"None {two_processors}"
    assert keep(kept, tmp_path, may_share=True) in bound

    gone = kept[0]
    gone.kill()
    gone.communicate()
    assert keep(kept, tmp_path) == bound[0]  # what a process held is free when it has ended


def test_a_folder_that_cannot_be_written_binds_nobody(
    kept: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "processors").write_text("in the way")

    assert keep(kept, tmp_path) == f"None {sorted(os.sched_getaffinity(0))}"
