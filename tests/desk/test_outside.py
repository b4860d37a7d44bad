"""What the worker asks outside: Edu-iX as the sandbox plays it, and a mail server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.desk import outside
from backoffice.desk.outside import ask_for_checks, check_now, check_outside, is_under_way
from backoffice.desk.outside_models import OutsideCheck
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import ServiceState
from tests.desk.mail_server import mail_server

WRONG = "wrong-password"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings: Any) -> Iterator[SandboxServer]:
    with SandboxServer(schools=[], pace=0.02) as server:
        settings.EDUIX_PROFILE_URL = server.profile_url
        settings.EDUIX_CREDIT_URL = server.credit_url
        settings.EDUIX_USERNAME = server.username
        settings.EDUIX_PASSWORD = server.password
        settings.EDUIX_DISTRIBUTOR_ID = server.distributor_id
        yield server


def kinds() -> dict[str, str]:
    return {check.part: check.found["kind"] for check in OutsideCheck.objects.all()}


def test_a_check_keeps_what_was_found_and_no_secret(sandbox: SandboxServer) -> None:
    check_now()

    assert kinds() == {"profile": "", "credit": "", "mail": ""}
    profile = OutsideCheck.objects.get(part="profile")
    assert profile.checked_at is not None
    assert profile.found["login_ms"] >= 0
    assert abs(profile.found["clock_seconds"]) < 5
    assert sandbox.password not in str(profile.found)


def test_since_moves_only_when_well_becomes_unwell(sandbox: SandboxServer, settings: Any) -> None:
    check_now()
    first = OutsideCheck.objects.get(part="profile").since
    check_now()
    still = OutsideCheck.objects.get(part="profile").since
    settings.EDUIX_DISTRIBUTOR_ID = 9
    check_now()

    later = OutsideCheck.objects.get(part="profile")
    assert first == still
    assert later.found["kind"] == "distributor"
    assert later.since is not None
    assert first is not None
    assert later.since > first


def test_a_refused_login_is_not_tried_again_until_something_changed(
    sandbox: SandboxServer, settings: Any
) -> None:
    settings.EDUIX_PASSWORD = WRONG
    check_now()
    refused = kinds()
    logins = logins_of(sandbox)
    check_now()

    assert (refused["profile"], refused["credit"]) == ("login", "not_tried")
    assert kinds()["profile"] == "not_tried"
    assert logins_of(sandbox) == logins == 1

    settings.EDUIX_PASSWORD = sandbox.password
    check_now()
    assert kinds()["profile"] == ""


def test_a_colleague_who_says_try_again_lifts_the_refusal(
    sandbox: SandboxServer, settings: Any
) -> None:
    settings.EDUIX_PASSWORD = WRONG
    check_now()
    before = outside.is_refused_login()

    ServiceState.objects.update_or_create(service="edu-ix", defaults={"resumed_at": timezone.now()})

    assert before
    assert not outside.is_refused_login()


def test_while_sending_is_stopped_nobody_logs_in(sandbox: SandboxServer) -> None:
    from backoffice.outbox.stops import _credentials_digest

    ServiceState.objects.create(
        service="edu-ix",
        stopped_at=timezone.now(),
        credentials_digest=_credentials_digest(),
    )

    check_now()

    assert kinds()["profile"] == "not_tried"
    assert logins_of(sandbox) == 0


def test_an_edu_ix_that_is_down_is_no_answer(sandbox: SandboxServer, settings: Any) -> None:
    settings.EDUIX_PROFILE_URL = "http://127.0.0.1:9/soap/4.1/profile"

    check_now()

    assert kinds() == {"profile": "no_answer", "credit": "", "mail": ""}


def test_the_worker_asks_when_a_page_wants_to_know_and_once_only(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "LOOK_SECONDS", 0.0)
    check_outside()
    asked_by_nobody = OutsideCheck.objects.count()
    ask_for_checks()
    checks = {check.part: check for check in OutsideCheck.objects.all()}
    waits = is_under_way(checks, timezone.now())

    deadline = time.monotonic() + 30
    while OutsideCheck.objects.filter(checked_at=None).exists() and time.monotonic() < deadline:
        check_outside()
        time.sleep(0.05)
    with outside._one_at_a_time:  # the thread has closed its connections
        pass

    assert asked_by_nobody == 0
    assert waits
    assert kinds() == {"profile": "", "credit": "", "mail": ""}
    assert logins_of(sandbox) == 2


def test_once_a_day_the_worker_asks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(outside, "_looked", {})

    first = outside._is_time(now)
    at_once = outside._is_time(now)
    ask_for_checks()
    monkeypatch.setattr(outside, "_looked", {})
    same_day = outside._is_time(now)
    monkeypatch.setattr(outside, "_looked", {})
    next_day = outside._is_time(now + timedelta(hours=25))

    assert (first, at_once, same_day, next_day) == (True, False, False, True)


def test_an_answer_that_never_came_is_waited_for_no_longer(db: None) -> None:
    ask_for_checks()
    checks = {check.part: check for check in OutsideCheck.objects.all()}

    assert not is_under_way(checks, timezone.now() + timedelta(minutes=4))


def test_a_mail_server_is_knocked_at_without_sending_anything(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        well = outside.mail_server()
        received = list(server.received)
    gone = outside.mail_server()

    assert well["kind"] == ""
    assert well["is_asked"]
    assert received == []
    assert (gone["kind"], gone["problem"]) == ("no_answer", "ConnectionRefusedError")


def logins_of(sandbox: SandboxServer) -> int:
    return len(sandbox.control.ledger(operation="login"))
