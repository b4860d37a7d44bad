"""Sessions end after a time, after a number of calls, or when told to."""

from __future__ import annotations

import time
from typing import Any

import pytest

from backoffice.eduix_sandbox.faults import Refusal
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.sessions import Sessions

from .callers import Caller
from .samples import SCHOOLS, person


def caller_of(**options: Any) -> tuple[SandboxServer, Caller]:
    sandbox = SandboxServer(schools=SCHOOLS, **options)
    return sandbox, Caller(sandbox)


def test_a_session_expires_after_its_minutes() -> None:
    sandbox, caller = caller_of(session_minutes=0.1 / 60)
    with sandbox:
        caller.log_in("profile")
        time.sleep(0.15)

        assert caller.refused("createPerson", person=person()) == 12
        caller.log_in("profile")
        caller.call("createPerson", person=person())


def test_a_session_expires_after_so_many_calls() -> None:
    sandbox, caller = caller_of(session_calls=3)
    with sandbox:
        for number in range(3):
            caller.call("createPerson", person=person(f"P{number}"))

        assert caller.refused("createPerson", person=person("P3")) == 12
        assert sandbox.control.state()["persons"] == 3


def test_sessions_expire_when_told_to_per_service(caller: Caller) -> None:
    caller.log_in("profile")
    caller.log_in("credit")

    assert caller.sandbox.control.expire_sessions("credit") == 1
    caller.call("createPerson", person=person())
    assert caller.sandbox.control.expire_sessions() == 1
    assert caller.refused("createPerson", person=person("P2")) == 12


def test_logins_are_counted_and_ended_sessions_are_not(caller: Caller) -> None:
    for _ in range(3):
        caller.log_in("profile")
    caller.sandbox.control.expire_sessions()

    state = caller.sandbox.control.state()
    assert (state["logins"], state["sessions"]) == (3, 0)


def test_a_session_that_ended_stays_ended() -> None:
    sessions = Sessions(minutes=1, calls=0)
    token = sessions.begin("profile")

    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            sessions.use(token, "profile")
        assert refused.value.code == 12
