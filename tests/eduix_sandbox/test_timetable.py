"""Planned events happen in their time, and one that fails stops no other."""

from __future__ import annotations

import time
from typing import Any

import pytest

from backoffice.eduix_sandbox import timetable
from backoffice.eduix_sandbox.rows import Event
from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .samples import SCHOOLS, school_credit


def test_an_event_happens_after_its_seconds_times_the_pace() -> None:
    with SandboxServer(schools=SCHOOLS, pace=0.3) as sandbox:
        caller = Caller(sandbox)
        begun = time.monotonic()
        caller.call("createSchoolCredit", schoolCredit=school_credit())

        assert sandbox.control.wait_until_quiet()
        assert time.monotonic() - begun >= 0.25
        assert sandbox.control.state()["specified"] == 1


def test_hurry_makes_everything_happen_now() -> None:
    with SandboxServer(schools=SCHOOLS, pace=1000) as sandbox:
        Caller(sandbox).call("createSchoolCredit", schoolCredit=school_credit())
        assert sandbox.control.state()["events"] == 1

        assert sandbox.control.hurry() == 1

        assert sandbox.control.wait_until_quiet()


def test_an_event_that_fails_stops_no_other(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(world: Any, event: Event) -> None:
        raise RuntimeError("a bug")

    specify = timetable.HAPPENINGS["specify"]
    monkeypatch.setitem(timetable.HAPPENINGS, "specify", fail)
    caller.call("createSchoolCredit", schoolCredit=school_credit("S1"))
    assert not caller.sandbox.control.wait_until_quiet(0.2)
    monkeypatch.setitem(timetable.HAPPENINGS, "specify", specify)

    caller.call("createSchoolCredit", schoolCredit=school_credit("S2"))

    time.sleep(0.2)
    assert caller.sandbox.control.state()["specified"] == 1
    assert "sandbox_event_failed" in caplog.text


def test_an_event_that_was_planned_anew_happens_once(caller: Caller) -> None:
    caller.sandbox.pace = 0.2
    caller.call("createSchoolCredit", schoolCredit=school_credit(amount=30))
    caller.call("updateSchoolCredit", schoolCredit=school_credit(amount=40))

    assert caller.sandbox.control.wait_until_quiet()

    (row,) = caller.sandbox.control.rows("schoolCredit")
    assert [entry.amount for entry in row.specification] == [40]
