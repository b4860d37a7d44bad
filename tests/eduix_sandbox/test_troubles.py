"""Troubles that are ordered meet the next calls, and the ledger tells what was applied."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
import urllib3
import zeep

from backoffice.eduix_sandbox.troubles import Trouble, TroubleError, Troubles, trouble_from

from .callers import Caller, envelope, post, xml
from .samples import person

CUT = (requests.exceptions.ConnectionError, urllib3.exceptions.HTTPError)


def applied(caller: Caller) -> int:
    return len(caller.sandbox.control.ledger(operation="createPerson", applied=True))


def test_a_fault_with_a_chosen_code_and_sign_applies_nothing(caller: Caller) -> None:
    caller.sandbox.control.trouble("fault", "createPerson", code=11, sign=-1)
    caller.sandbox.control.trouble("fault", "createPerson", code=3, sign=1)

    assert caller.signed_refusal("createPerson", person=person()) == -11
    assert caller.signed_refusal("createPerson", person=person()) == 3
    assert applied(caller) == 0
    caller.call("createPerson", person=person())
    assert applied(caller) == 1


def test_a_dropped_reply_was_applied(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.control.trouble("drop_reply", "createPerson")

    with pytest.raises(CUT):
        caller.call("createPerson", person=person())

    assert applied(caller) == 1
    assert caller.refused("createPerson", person=person()) == 2626
    assert caller.sandbox.control.ledger(operation="createPerson")[0].trouble == "drop_reply"


def test_a_cut_before_applying_applied_nothing(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.control.trouble("cut", "createPerson")

    with pytest.raises(CUT):
        caller.call("createPerson", person=person())

    assert applied(caller) == 0
    caller.call("createPerson", person=person())


def test_an_unavailable_service_says_when_to_come_back(caller: Caller) -> None:
    caller.sandbox.control.trouble("unavailable", service="credit")
    login = envelope("credit", xml("loginRequest", {}), xml("loginHeader", caller.login_header()))

    answer = post(caller.sandbox, "credit", login)

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert caller.log_in("credit")


def test_a_delay_can_come_before_or_after_applying(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.control.trouble("delay", "createPerson", seconds=0.3, after=True)
    begun = time.monotonic()

    caller.call("createPerson", person=person())

    row = caller.sandbox.control.ledger(operation="createPerson")[0]
    assert row.applied
    assert time.monotonic() - begun >= 0.3


def test_a_hang_gives_no_answer_and_ends_with_the_sandbox(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.control.trouble("hang", "createPerson", seconds=0.1)

    with pytest.raises(CUT):
        caller.call("createPerson", person=person())

    assert applied(caller) == 0


def test_a_trouble_lasts_so_many_calls_and_the_oldest_goes_first() -> None:
    troubles = Troubles()
    troubles.add(Trouble("cut", "login", times=2))
    troubles.add(Trouble("delay"))

    taken = [troubles.take("profile", "login") for _ in range(4)]

    assert [trouble.kind if trouble else None for trouble in taken] == ["cut", "cut", "delay", None]


def test_a_trouble_meets_only_what_it_was_ordered_for(caller: Caller) -> None:
    caller.sandbox.control.trouble("fault", "createPerson", service="profile", code=1)

    assert len(caller.call("getSchool")) == 2
    assert caller.refused("createPerson", person=person()) == 1


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "earthquake"},
        {},
        {"kind": "cut", "operation": "createSchool"},
        {"kind": "cut", "service": "notification"},
        {"kind": "cut", "service": "credit", "operation": "createPerson"},
        {"kind": "cut", "operation": 7},
        {"kind": "fault", "sign": 0},
        {"kind": "fault", "times": 0},
        {"kind": "delay", "seconds": "long"},
        {"kind": "delay", "seconds": True},
        {"kind": "delay", "colour": "red"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(TroubleError):
        trouble_from(order)


def test_a_fault_of_zeep_carries_the_ordered_code(caller: Caller) -> None:
    caller.sandbox.control.trouble("fault", code=99_999)

    with pytest.raises(zeep.exceptions.Fault) as raised:
        caller.log_in("profile")

    assert "99999" in raised.value.detail[0][0].text
