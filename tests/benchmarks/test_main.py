from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.children import ROOT

QUICK = [sys.executable, "-m", "benchmarks", "--quick", "--only"]


def leftovers(folder: Path) -> list[str]:
    """Files in the folder and processes that name it."""
    found = [path.name for path in folder.iterdir()]
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = process.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in environ:
            found.append(process.parent.name)
    return found


def test_a_measurement_can_be_run_alone_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  our own program
        [*QUICK, "message"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "One notification in the processor" in done.stdout
    assert "no wrong results" in done.stdout
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_measurement_leaves_nothing(tmp_path: Path, number: int) -> None:
    running = subprocess.Popen(  # noqa: S603  our own program
        [*QUICK, "pushes"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    end = time.monotonic() + 30
    while time.monotonic() < end and len(list(tmp_path.glob("*/*.log"))) < 2:
        time.sleep(0.05)

    running.send_signal(number)
    _out, errors = running.communicate(timeout=30)

    assert running.returncode == 130
    assert "cleared away" in errors
    while leftovers(tmp_path) and time.monotonic() < end + 30:
        time.sleep(0.1)  # a child that was killed is gone only when the kernel has buried it
    assert leftovers(tmp_path) == []


def test_an_unknown_measurement_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "everything"])

    assert stopped.value.code == 2
    assert "everything" in capsys.readouterr().err
