"""The controls over HTTP, on loopback and for programs only."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .endpoint import Endpoint
from .samples import person, school_credit


def ask(
    sandbox: SandboxServer, method: str, name: str, order: Any = None, **headers: str
) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json"} | headers
    body = None if order is None else json.dumps(order)
    url = f"{sandbox.url}/control/{name}"
    if method == "POST" and body is None:
        body = "{}"
    answer = urllib3.request(method, url, body=body, headers=sent, retries=False, timeout=5)
    is_json = answer.headers["Content-Type"].startswith("application/json")
    return answer.status, answer.json() if is_json else answer.data


def test_the_ledger_is_told_as_rows(caller: Caller) -> None:
    caller.call("createPerson", person=person("P1"))
    caller.refused("createPerson", person=person("P1"))

    status, told = ask(caller.sandbox, "GET", "ledger?operation=createPerson&applied=true")

    assert (status, told["count"]) == (200, 1)
    assert told["rows"][0]["subject"] == "person:P1"
    assert ask(caller.sandbox, "GET", "ledger?since=1")[1]["count"] == 2


def test_the_state_is_told_in_numbers_and_in_rows(caller: Caller) -> None:
    caller.call("createPerson", person=person("P1"))

    assert ask(caller.sandbox, "GET", "state")[1]["persons"] == 1
    rows = ask(caller.sandbox, "GET", "state?kind=person")[1]["rows"]
    assert rows[0]["fields"]["surname"] == "Hof"


def test_troubles_are_ordered_listed_and_cleared(caller: Caller) -> None:
    order = {"kind": "fault", "operation": "createPerson", "code": 11, "times": 2}

    assert ask(caller.sandbox, "POST", "troubles", order)[0] == 200
    assert len(ask(caller.sandbox, "GET", "troubles")[1]["waiting"]) == 1
    assert caller.refused("createPerson", person=person()) == 11
    assert ask(caller.sandbox, "DELETE", "troubles")[0] == 200
    caller.call("createPerson", person=person())


def test_sessions_expire_and_the_state_is_reset(caller: Caller) -> None:
    caller.call("createPerson", person=person())

    assert ask(caller.sandbox, "POST", "expire-sessions") == (200, {"expired": 1})
    assert caller.refused("createPerson", person=person("P2")) == 12
    assert ask(caller.sandbox, "POST", "reset") == (200, {})
    assert ask(caller.sandbox, "GET", "state")[1]["persons"] == 0


def test_persons_are_linked_and_unlinked(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    order = {"distributorPersonID": "P1", "userID": "mine"}

    assert ask(caller.sandbox, "POST", "link", order) == (200, {"userID": "mine"})
    assert ask(caller.sandbox, "POST", "unlink", order) == (200, {})
    assert ask(caller.sandbox, "GET", "state")[1]["linked"] == 0


def test_a_notification_is_sent_now_and_its_attempts_are_told(
    notifying: SandboxServer, endpoint: Endpoint
) -> None:
    Caller(notifying).call("createSchoolCredit", schoolCredit=school_credit())
    assert notifying.control.wait_until_quiet()

    order = {"operation": "specificationChanged", "key": "S1"}
    assert ask(notifying, "POST", "notify", order) == (200, {})

    assert notifying.control.wait_until_quiet()
    told = ask(notifying, "GET", "notifications")[1]
    assert [row["outcome"] for row in told["deliveries"]] == ["accepted", "accepted"]
    assert len(endpoint.received) == 2


def test_what_is_planned_can_be_hurried(caller: Caller) -> None:
    caller.sandbox.pace = 1000
    caller.call("createSchoolCredit", schoolCredit=school_credit())

    assert ask(caller.sandbox, "POST", "hurry") == (200, {"events": 1})
    assert caller.sandbox.control.wait_until_quiet()


@pytest.mark.parametrize(
    ("method", "name", "order", "status"),
    [
        ("GET", "weather", None, 404),
        ("POST", "ledger", None, 404),
        ("POST", "troubles", {"kind": "earthquake"}, 400),
        ("POST", "troubles", {"operation": "createPerson"}, 400),
        ("POST", "link", {}, 400),
        ("POST", "link", {"distributorPersonID": "nobody"}, 400),
        ("POST", "notify", {"operation": "x", "key": "y"}, 400),
        ("POST", "reset", ["x"], 400),
        ("GET", "state?kind=dragon", None, 400),
        ("GET", "ledger?since=x", None, 400),
    ],
)
def test_a_wrong_order_is_told_in_one_line(
    sandbox: SandboxServer, method: str, name: str, order: Any, status: int
) -> None:
    answered, told = ask(sandbox, method, name, order)

    assert answered == status
    assert "\n" not in told["error"]


def test_a_page_in_a_browser_cannot_steer_the_sandbox(sandbox: SandboxServer) -> None:
    form = {"Content-Type": "text/plain"}

    assert ask(sandbox, "POST", "reset", {}, **form)[0] == 415
    assert ask(sandbox, "POST", "reset", {}, Host="evil.example")[0] == 403
    assert ask(sandbox, "GET", "state", Host="evil.example:80")[0] == 403
    assert ask(sandbox, "GET", "state", Host="localhost:1")[0] == 200
