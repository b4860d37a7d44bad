"""Login, session and authHeader: who may call what."""

from __future__ import annotations

from typing import Any

import pytest

from .callers import Caller, code_of, envelope, post, send, xml
from .samples import person, person_credit


def header_of(caller: Caller, name: str, inside: dict[str, Any]) -> int:
    """The code that getSchool or createPerson answers to this header."""
    operation = "getSchool" if name == "authHeader" else "createPerson"
    body = envelope("profile", xml(f"{operation}Request", {}), xml(name, inside))
    return code_of(post(caller.sandbox, "profile", body))


def test_a_login_gives_a_session_of_at_most_64_characters(caller: Caller) -> None:
    first, second = caller.log_in("profile"), caller.log_in("profile")

    assert 0 < len(first) <= 64
    assert first != second


@pytest.mark.parametrize(
    "login", [{"username": "demo", "password": "wrong"}, {"username": "x"}, {"password": "x"}, {}]
)
def test_a_wrong_login_is_refused_with_2(caller: Caller, login: dict[str, str]) -> None:
    body = envelope("profile", xml("loginRequest", {}), xml("loginHeader", login))

    assert code_of(post(caller.sandbox, "profile", body)) == 2
    assert header_of(caller, "authHeader", {"loginHeader": login}) == 2


def test_a_login_without_a_header_is_refused_with_2(caller: Caller) -> None:
    body = envelope("credit", xml("loginRequest", {}))

    assert code_of(post(caller.sandbox, "credit", body)) == 2


@pytest.mark.parametrize(
    ("login", "code"),
    [({"username": "x" * 101}, 4702), ({"username": "demo", "password": "x" * 65}, 4682)],
)
def test_a_login_that_is_too_long_has_its_own_code(
    caller: Caller, login: dict[str, str], code: int
) -> None:
    body = envelope("profile", xml("loginRequest", {}), xml("loginHeader", login))

    assert code_of(post(caller.sandbox, "profile", body)) == code


def test_reading_works_with_a_login_or_a_session(caller: Caller) -> None:
    login = {"authHeader": {"loginHeader": caller.login_header()}}
    session = {"authHeader": {"sessionIDHeader": {"sessionID": caller.log_in("profile")}}}

    assert len(caller.call("getSchool", headers=login)) == 2
    assert len(caller.call("getSchool", headers=session)) == 2


def test_writing_needs_a_session(caller: Caller) -> None:
    login = {"loginHeader": caller.login_header()}

    assert header_of(caller, "loginHeader", caller.login_header()) == 6860
    assert header_of(caller, "authHeader", {}) == 2200
    assert header_of(caller, "authHeader", {**login, "sessionIDHeader": {}}) == 2200
    assert header_of(caller, "authHeader", {"sessionIDHeader": {}}) == 6860
    assert header_of(caller, "sessionIDHeader", {"sessionID": "x" * 65}) == 6862


def test_an_unknown_session_is_an_expired_one(caller: Caller) -> None:
    caller.sessions["profile"] = "never-given"

    assert caller.refused("createPerson", person=person()) == 12


def test_a_session_of_one_service_is_not_authorised_on_the_other(caller: Caller) -> None:
    caller.sessions["credit"] = caller.log_in("profile")

    assert caller.refused("createPersonCredit", personCredit=person_credit()) == 6868


def test_the_session_is_checked_before_the_request(caller: Caller) -> None:
    caller.sessions["profile"] = "never-given"

    assert code_of(send(caller, "createPerson", {})) == 12
