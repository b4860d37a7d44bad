"""The sandbox tells an endpoint what changed, and goes on until it is understood."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pytest

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .endpoint import Endpoint, accept, in_envelope, notification_schema, text_of
from .samples import (
    REFUSING_117,
    SCHOOLS,
    own_person_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)


@pytest.fixture
def pupil(notifying: SandboxServer) -> Caller:
    """P1, linked, at school as SP1; what was told so far is told."""
    caller = Caller(notifying)
    caller.call("createPerson", person=person())
    caller.call("createSchoolperson", schoolperson=schoolperson())
    assert notifying.control.wait_until_quiet()
    return caller


def test_a_link_is_told_with_the_login_header(pupil: Caller, endpoint: Endpoint) -> None:
    (body,) = endpoint.bodies("prematchChanged")

    assert text_of(body, "distributorPersonID") == "P1"
    assert str(text_of(body, "userID")).startswith("u-")
    header = endpoint.received[0][0][0]
    assert (text_of(header, "username"), text_of(header, "password")) == ("eduix", "geheim")


def test_an_unlink_is_told_by_an_absent_user_id(pupil: Caller, endpoint: Endpoint) -> None:
    pupil.sandbox.control.unlink("P1")
    assert pupil.sandbox.control.wait_until_quiet()

    assert text_of(endpoint.bodies("prematchChanged")[-1], "userID") is None


def test_a_person_with_an_eck_id_is_not_told(notifying: SandboxServer, endpoint: Endpoint) -> None:
    caller = Caller(notifying)
    caller.call("createPerson", person=person(eckID="e" * 128))
    caller.call("createSchoolperson", schoolperson=schoolperson())
    assert notifying.control.wait_until_quiet()

    assert endpoint.received == []


def test_specification_and_fault_are_told_with_the_whole_state(
    pupil: Caller, endpoint: Endpoint
) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit("C1"))
    pupil.call("createPersonCredit", personCredit=person_credit("C2", ean=REFUSING_117))
    assert pupil.sandbox.control.wait_until_quiet()

    told = {
        text_of(body, "distributorCreditID"): body
        for body in endpoint.bodies("specificationChanged")
    }
    good, bad = told["C1"].find("{*}specification"), told["C2"].find("{*}specification")
    assert good is not None
    assert bad is not None
    assert text_of(told["C1"], "state") == text_of(told["C2"], "state") == "Active"
    assert (text_of(good, "amount"), text_of(good, "errorCode")) == ("1", None)
    assert str(text_of(good, "responseID")).startswith("r-")
    assert text_of(bad, "errorCode") == "117"


def test_a_return_is_told_with_its_correction(pupil: Caller, endpoint: Endpoint) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    assert pupil.sandbox.control.wait_until_quiet()

    pupil.call(
        "returnCredit",
        distributorPersonCredit=own_person_credit(),
        amount=1,
        returnCreditReferenceId="R1",
    )
    assert pupil.sandbox.control.wait_until_quiet()

    last = endpoint.bodies("specificationChanged")[-1]
    assert text_of(last, "state") == "Returned"
    assert len(last.findall("{*}specification")) == len(last.findall("{*}correction")) == 1


def test_every_notification_fits_the_schema(pupil: Caller, endpoint: Endpoint) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(ean=REFUSING_117))
    pupil.call("createSchoolCredit", schoolCredit=school_credit())
    assert pupil.sandbox.control.wait_until_quiet()

    schema = notification_schema()
    assert len(endpoint.received) == 3
    for root in endpoint.received:
        schema.assertValid(root[-1][0])
        schema.assertValid(root[0][0])


@pytest.mark.parametrize(
    "refusal",
    [
        (500, "<x/>"),
        (503, ""),
        (302, ""),
        (200, ""),
        (200, "<html/>"),
        (200, in_envelope("<somethingElseResponse/>")),
        (202, accept("specificationChanged")[1]),
    ],
)
def test_anything_but_the_right_answer_is_tried_again(
    notifying: SandboxServer, endpoint: Endpoint, refusal: tuple[int, str]
) -> None:
    answers = itertools.chain([refusal, refusal], itertools.repeat(None))
    endpoint.answer = lambda operation: next(answers) or accept(operation)

    Caller(notifying).call("createSchoolCredit", schoolCredit=school_credit())
    assert notifying.control.wait_until_quiet()

    assert len(endpoint.received) == 3
    deliveries = notifying.control.deliveries()
    assert [delivery.attempt for delivery in deliveries] == [1, 2, 3]
    assert deliveries[-1].outcome == "accepted"
    assert deliveries[0].outcome in {"refused", "not understood"}


def test_the_wait_between_attempts_grows(notifying: SandboxServer, endpoint: Endpoint) -> None:
    notifying.notify_first_wait, notifying.notify_longest_wait = 0.1, 10
    answers = itertools.chain([(500, "")] * 3, itertools.repeat(None))
    endpoint.answer = lambda operation: next(answers) or accept(operation)

    Caller(notifying).call("createSchoolCredit", schoolCredit=school_credit())
    assert notifying.control.wait_until_quiet()

    first, second, third, fourth = endpoint.moments
    assert second - first >= 0.09
    assert third - second >= 0.19
    assert fourth - third >= 0.39


def test_an_endpoint_that_is_down_is_tried_until_it_is_back(
    notifying: SandboxServer, endpoint: Endpoint
) -> None:
    endpoint.stop()
    Caller(notifying).call("createSchoolCredit", schoolCredit=school_credit())
    assert not notifying.control.wait_until_quiet(0.3)
    assert notifying.control.deliveries()[0].outcome == "unreachable"

    endpoint.start()

    assert notifying.control.wait_until_quiet()
    assert len(endpoint.bodies("specificationChanged")) == 1


def test_a_notification_is_given_up_after_its_attempts_and_can_be_ordered_again(
    notifying: SandboxServer, endpoint: Endpoint
) -> None:
    notifying.notify_attempts = 3
    endpoint.answer = lambda operation: (500, "")
    Caller(notifying).call("createSchoolCredit", schoolCredit=school_credit())
    assert notifying.control.wait_until_quiet()
    assert notifying.control.state()["givenUp"] == 1
    assert notifying.control.deliveries()[-1].outcome == "given up"

    endpoint.answer = accept
    notifying.control.notify("specificationChanged", "S1")

    assert notifying.control.wait_until_quiet()
    assert notifying.control.state()["givenUp"] == 0
    assert len(endpoint.received) == 4


def test_a_credit_whose_key_is_too_long_can_never_be_told_about(
    pupil: Caller, endpoint: Endpoint
) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit("C" * 31))
    pupil.call("createPersonCredit", personCredit=person_credit("C" * 30))
    assert pupil.sandbox.control.wait_until_quiet()

    told = endpoint.bodies("specificationChanged")
    assert [text_of(body, "distributorCreditID") for body in told] == ["C" * 30]
    outcomes = {row.outcome for row in pupil.sandbox.control.deliveries()}
    assert outcomes == {"accepted", "impossible"}


def test_what_waits_tells_the_state_of_the_moment_it_leaves(
    pupil: Caller, endpoint: Endpoint
) -> None:
    endpoint.stop()
    pupil.sandbox.control.link("P1", "first")
    pupil.sandbox.control.link("P1", "second")

    endpoint.start()

    assert pupil.sandbox.control.wait_until_quiet()
    told = [text_of(body, "userID") for body in endpoint.bodies("prematchChanged")]
    assert told[1:] == ["second"]


def test_a_change_during_a_delivery_is_told_after_it(pupil: Caller, endpoint: Endpoint) -> None:
    entered, release = threading.Event(), threading.Event()

    def answer(operation: str) -> tuple[int, str]:
        entered.set()
        release.wait(5)
        return accept(operation)

    endpoint.answer = answer
    pupil.sandbox.control.link("P1", "first")
    assert entered.wait(2)
    pupil.sandbox.control.link("P1", "second")
    release.set()

    assert pupil.sandbox.control.wait_until_quiet()
    told = [text_of(body, "userID") for body in endpoint.bodies("prematchChanged")]
    assert told[1:] == ["first", "second"]


def test_what_was_not_told_survives_a_restart_with_a_state_file(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.stop()

    def sandbox() -> SandboxServer:
        return SandboxServer(
            schools=SCHOOLS,
            pace=0,
            state_file=tmp_path / "state.sqlite3",
            endpoint=endpoint.url,
            notify_first_wait=0.05,
        )

    with sandbox() as first:
        Caller(first).call("createSchoolCredit", schoolCredit=school_credit())
        assert not first.control.wait_until_quiet(0.2)
    endpoint.start()

    with sandbox() as second:
        assert second.control.wait_until_quiet()

    assert len(endpoint.bodies("specificationChanged")) == 1


def test_an_endpoint_that_hangs_does_not_stop_the_others(
    notifying: SandboxServer, endpoint: Endpoint
) -> None:
    release = threading.Event()

    def answer(operation: str) -> tuple[int, str]:
        if operation == "prematchChanged":
            release.wait(5)
        return accept(operation)

    endpoint.answer = answer
    caller = Caller(notifying)
    caller.call("createPerson", person=person())
    notifying.control.link("P1")
    caller.call("createSchoolCredit", schoolCredit=school_credit())

    ends = time.monotonic() + 4
    while not endpoint.bodies("specificationChanged"):
        assert time.monotonic() < ends
        time.sleep(0.01)
    release.set()
    assert notifying.control.wait_until_quiet()
