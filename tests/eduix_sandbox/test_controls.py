"""The controls in Python."""

from __future__ import annotations

import pytest

from backoffice.eduix_sandbox.controls import ControlError

from .callers import Caller
from .samples import person, school_credit, schoolperson


def test_the_ledger_can_be_narrowed(caller: Caller) -> None:
    caller.call("createPerson", person=person("P1"))
    caller.call("createPerson", person=person("P2"))
    caller.refused("createPerson", person=person("P2"))
    ledger = caller.sandbox.control.ledger

    assert len(ledger()) == 4
    assert len(ledger(operation="createPerson")) == 3
    assert len(ledger(subject="person:P2")) == 2
    assert len(ledger(subject="person:P2", applied=True)) == 1
    assert [row.number for row in ledger(since=2)] == [3, 4]


def test_the_state_counts_everything(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    caller.call("createSchoolperson", schoolperson=schoolperson())
    caller.call("createSchoolCredit", schoolCredit=school_credit())
    assert caller.sandbox.control.wait_until_quiet()

    state = caller.sandbox.control.state()
    assert (state["persons"], state["linked"], state["schoolpersons"]) == (1, 1, 1)
    assert (state["schoolCredits"], state["specified"], state["faults"]) == (1, 1, 0)
    assert (state["schools"], state["sessions"], state["logins"]) == (2, 2, 2)
    assert (state["events"], state["outgoing"], state["troubles"]) == (0, 0, [])


def test_a_reset_forgets_everything_but_the_schools(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    caller.sandbox.control.trouble("cut")

    caller.sandbox.control.reset()

    state = caller.sandbox.control.state()
    assert (state["persons"], state["calls"], state["sessions"]) == (0, 0, 0)
    assert (state["troubles"], state["schools"]) == ([], 2)
    caller.sessions.clear()
    caller.call("createPerson", person=person())


def test_a_person_is_linked_at_once_with_a_user_id_of_choice(caller: Caller) -> None:
    caller.call("createPerson", person=person("P1"))
    caller.call("createPerson", person=person("P2"))
    control = caller.sandbox.control

    assert control.link("P1", "mine") == "mine"
    assert control.link("P1", "mine") == "mine"
    with pytest.raises(ControlError, match="another person"):
        control.link("P2", "mine")
    control.unlink("P1")
    assert control.link("P2", "mine") == "mine"


def test_orders_about_what_is_not_there_are_refused(caller: Caller) -> None:
    control = caller.sandbox.control

    with pytest.raises(ControlError, match="no person"):
        control.link("nobody")
    with pytest.raises(ControlError, match="no person"):
        control.notify("prematchChanged", "nobody")
    with pytest.raises(ControlError, match="no credit"):
        control.notify("specificationChanged", "nothing")
    with pytest.raises(ControlError, match="no notification"):
        control.notify("weatherChanged", "x")
    with pytest.raises(ControlError, match="kind must be"):
        control.rows("dragon")


def test_waiting_ends_when_time_is_up(caller: Caller) -> None:
    caller.sandbox.pace = 1000
    caller.call("createSchoolCredit", schoolCredit=school_credit())

    assert not caller.sandbox.control.wait_until_quiet(0.05)
    assert caller.sandbox.control.wait_until_quiet(2, hurry=True)
