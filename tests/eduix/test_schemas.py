"""The first schemas of a process, compiled by many threads at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 25

# A process that never compiled one, and children of it that each begin as it stands.
PROGRAM = """
import os, sys, threading
import django
from lxml import etree
django.setup()
from notifications.schema import SCHEMAS
import backoffice.eduix.schemas as schemas
if sys.argv[1] == "without turns":
    import contextlib
    schemas._turn = contextlib.nullcontext()
sys.setswitchinterval(1e-5)

def first_schemas():
    together, broken = threading.Barrier(8), []
    def compile_all():
        together.wait()
        for schema in SCHEMAS.values():
            try:
                schema.of_envelope(), schema.lenient()
            except etree.XMLSchemaParseError as problem:
                broken.append(problem)
    threads = [threading.Thread(target=compile_all) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return broken

bad = 0
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        os._exit(1 if first_schemas() else 0)
    bad += os.waitpid(child, 0)[1] != 0
print(bad)
"""


def broken_of(way: str, processes: int) -> int:
    done = subprocess.run(  # noqa: S603  our own interpreter and program
        [sys.executable, "-c", PROGRAM, way, str(processes)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


@needs_fork
def test_threads_that_begin_together_all_get_their_schemas() -> None:
    assert broken_of("in turn", PROCESSES) == 0


@needs_fork
def test_without_turns_some_processes_are_broken() -> None:
    assert broken_of("without turns", PROCESSES * 4) > 0
