"""The walk through all operations, as a program."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backoffice.eduix.contract import OPERATIONS
from tests import walk

LINE = re.compile(r"(profile|credit)\.(\w+) +\d+\.\d ms  \S.*")


def test_it_walks_every_operation_of_both_services_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.walk"],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )

    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    walked = [match.groups() for line in lines if (match := LINE.fullmatch(line))]
    assert len(walked) == len(lines)
    assert sorted(walked) == sorted(
        (service, name) for service in ("profile", "credit") for name in OPERATIONS[service]
    )
    assert last == "20 operations"


def test_an_answer_that_is_not_as_it_must_be_ends_it_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(walk, "POOL", replace(walk.POOL, school_year=2699))

    assert walk.main() == 1

    errors = capsys.readouterr().err
    assert errors.startswith("credit.createSchoolCredit: ")
    assert errors.count("\n") == 1
