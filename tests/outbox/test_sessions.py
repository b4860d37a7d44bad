"""One session for all threads and processes, one login at a time, three refusals at most.

Many processes at once: P5 of `tests/chaos/outbound/sessions_end.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from backoffice.eduix.errors import EduixRefused, EduixUncertain, EduixUnreachable
from backoffice.eduix.gateway import Gateway
from backoffice.eduix.session import FAILURE_SECONDS, LEASE_SECONDS, Login, SessionKeeper
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Message
from backoffice.outbox.session_models import LoginSession
from backoffice.outbox.sessions import DatabaseStore
from persons.models import Person
from persons.services import queue_person_push
from tests.factories import PersonFactory
from tests.outbox.conftest import SCHOOL, gateway_for
from tests.outbox.test_processes import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN = Login("profile", "http://127.0.0.1:1/", "demo", "canary-password")


@pytest.fixture
def short_sessions() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0, session_calls=20) as server:
        yield server


def keeper(login: Any, who: Login = LOGIN) -> SessionKeeper:
    return SessionKeeper(login, minutes=20, store=DatabaseStore(who))


def test_a_second_process_uses_the_session_of_the_first() -> None:
    first = keeper(lambda: "canary-session").current()

    second = keeper(lambda: pytest.fail("a second login")).current()

    assert first == second == "canary-session"


def test_no_session_and_no_password_can_be_read_in_the_database() -> None:
    keeper(lambda: "canary-session").current()

    row = LoginSession.objects.values().get()

    assert row["sealed"]
    assert "canary" not in str(row)


@pytest.mark.parametrize(
    "other",
    [
        Login("profile", "http://127.0.0.1:2/", "demo", "canary-password"),
        Login("profile", "http://127.0.0.1:1/", "other", "canary-password"),
        Login("profile", "http://127.0.0.1:1/", "demo", "new"),
    ],
    ids=["address", "user", "password"],
)
def test_a_session_of_another_login_is_not_used(other: Login) -> None:
    keeper(lambda: "old").current()

    assert keeper(lambda: "new", other).current() == "new"


def test_a_session_sealed_with_another_key_is_not_used(settings: Any) -> None:
    keeper(lambda: "old").current()
    row = LoginSession.objects.get()
    settings.SECRET_KEY = "z" * 60
    keeper(lambda: "new").current()
    LoginSession.objects.update(sealed=row.sealed)

    assert keeper(lambda: "newest").current() == "newest"


def test_a_dropped_session_is_renewed_once_and_a_newer_one_stays() -> None:
    logins = iter(["one", "two"])
    first, second = keeper(lambda: next(logins)), keeper(lambda: next(logins))
    old = first.current(), second.current()

    first.drop("one")
    renewed = first.current()
    second.drop("one")

    assert old == ("one", "one")
    assert (renewed, second.current()) == ("two", "two")


def test_the_lease_of_a_login_that_crashed_is_taken_over() -> None:
    store = DatabaseStore(LOGIN)
    assert store.begin(store.look().version)
    assert not store.begin(store.look().version)
    LoginSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    session = keeper(lambda: "new").current()
    late = store.succeed(0, "late")

    assert session == "new"
    assert late.session == "late"
    assert DatabaseStore(LOGIN).look().session == "new"


def test_no_transaction_is_open_while_a_login_is_under_way() -> None:
    def login() -> str:
        assert not connection.in_atomic_block
        lease = LoginSession.objects.get().lease_until
        assert lease is not None
        assert lease > timezone.now() + timedelta(seconds=LEASE_SECONDS - 5)
        return "s"

    assert keeper(login).current() == "s"


def test_a_lost_login_is_unreachable_for_all_for_a_moment() -> None:
    def lost() -> str:
        raise EduixUncertain("gone")

    with pytest.raises(EduixUnreachable):
        keeper(lost).current()
    with pytest.raises(EduixUnreachable):
        keeper(lambda: pytest.fail("another login")).current()

    LoginSession.objects.update(failed_at=timezone.now() - timedelta(seconds=FAILURE_SECONDS))
    assert keeper(lambda: "s").current() == "s"


def test_three_refusals_of_both_services_together_are_the_last(settings: Any) -> None:
    tries: list[str] = []

    def refuse() -> str:
        tries.append("x")
        raise EduixRefused(-2, "no", on_login=True)

    credit = Login("credit", "http://127.0.0.1:1/", LOGIN.username, LOGIN.password)
    for number in range(6):
        LoginSession.objects.update(failed_at=timezone.now() - timedelta(seconds=60))
        with pytest.raises(EduixRefused) as refused:
            keeper(refuse, (LOGIN, credit)[number % 2]).current()

    assert len(tries) == 3
    assert refused.value.is_repeated
    assert refused.value.code == -2


def test_threads_of_many_keepers_share_one_login() -> None:
    logins: list[int] = []

    def login() -> str:
        logins.append(1)
        time.sleep(0.2)
        return f"s{len(logins)}"

    found: list[str] = []

    def ask() -> None:
        try:
            found.append(keeper(login).current())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["s1"] * 8
    assert len(logins) == 1


def test_a_database_that_does_not_answer_is_unreachable() -> None:
    with connection.cursor() as cursor:
        cursor.execute("alter table outbox_loginsession rename to outbox_elsewhere")
    try:
        with pytest.raises(EduixUnreachable, match="database"):
            keeper(lambda: pytest.fail("a login")).current()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("alter table outbox_elsewhere rename to outbox_loginsession")


def queue(number: int) -> None:
    for _ in range(number):
        queue_person_push(person=PersonFactory())


def check_ledger(sandbox: SandboxServer, number: int) -> None:
    """Each person once, and at most one login for each session that ran out."""
    applied = Counter(
        row.subject for row in sandbox.control.ledger(applied=True, operation="createPerson")
    )
    assert len(applied) == number
    assert set(applied.values()) == {1}
    calls = sandbox.control.ledger()
    used = sum(row.operation != "login" and row.code is None for row in calls)
    logins = sum(row.operation == "login" for row in calls)
    assert logins <= used // 20 + 1


def test_sessions_that_run_out_cost_one_login_each_with_threads(
    short_sessions: SandboxServer,
) -> None:
    number = 120
    queue(number)
    gateway = gateway_for(short_sessions)
    drainer = Drainer(connections=8, gateway=gateway)

    drainer.run(until=lambda: not Message.objects.exclude(status="done").exists(), seconds=200)

    assert Person.objects.filter(push_state="in_sync").count() == number
    check_ledger(short_sessions, number)


@pytest.mark.parametrize(("times", "status"), [(3, "done"), (4, "queued")])
def test_a_call_may_find_several_sessions_used_up_by_others(
    gateway: Gateway, sandbox: SandboxServer, times: int, status: str
) -> None:
    queue(1)
    sandbox.control.trouble("session_expired", "createPerson", times=times)

    Drainer(connections=0, gateway=gateway).run(until=lambda: True)

    message = Message.objects.get()
    assert (message.status, message.tries) == (status, 0 if status == "done" else 1)
    assert len(sandbox.control.ledger(operation="createPerson")) == 4


ASK = """
import sys
import django
django.setup()
from backoffice.eduix.gateway import default_gateway
gateway = default_gateway()
print(gateway.profile._session.current() == gateway.profile._session.current())
"""


def test_the_gateway_of_a_process_shares_its_session(short_sessions: SandboxServer) -> None:
    env = environment(short_sessions, DJANGO_SETTINGS_MODULE="backoffice.settings")

    for _ in range(2):
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", ASK], cwd=ROOT, env={**os.environ, **env}, check=True, timeout=50
        )

    assert len(short_sessions.control.ledger(operation="login")) == 1


def test_a_gateway_in_tests_keeps_its_session_to_itself(gateway: Gateway) -> None:
    gateway.get_schools()

    assert not LoginSession.objects.exists()
