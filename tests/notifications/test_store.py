"""No 200 without a row, whatever the database does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections

from notifications import door as door_module
from notifications import statements
from notifications.models import Notification
from notifications.statements import Table
from notifications.store import is_lock_timeout
from notifications.together import together
from tests.notifications.bodies import GOOD
from tests.notifications.conftest import PASSWORD, Sender, envelope


@pytest.fixture
def without_table(door: Sender) -> Iterator[Sender]:
    """As before `migrate`."""
    table = Notification._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO "{table}_away"')
    yield door
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}_away" RENAME TO "{table}"')


def test_without_the_table_the_sender_must_come_back(without_table: Sender) -> None:
    for name in ("specification_accepted", "prematch_linked", "stack_gsoap"):
        response = without_table.post(envelope(name))

        assert (response.status, response.faultcode, response.fault_code) == (500, "Server", -3)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (OperationalError("the database is gone"), 3),
        (ProgrammingError("relation does not exist"), 3),
        (OperationalError("database is locked"), 11),
    ],
)
def test_a_database_error_is_told_and_logged_without_the_row(
    door: Sender,
    caplog: pytest.LogCaptureFixture,
    problem: Exception,
    code: int,
) -> None:
    def insert(*_arguments: Any) -> None:
        raise problem

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "insert", insert)
        response = door.post(GOOD)

    assert (response.status, response.faultcode, response.fault_code) == (500, "Server", -code)
    assert Notification.objects.count() == 0
    record = next(row for row in caplog.records if row.message == "notification_not_stored")
    assert vars(record)["error"] == type(problem).__name__
    assert "C-1001" not in caplog.text


def test_a_lock_timeout_of_postgresql_is_known_by_its_state() -> None:
    class Cause(Exception):
        sqlstate = "55P03"

    problem = OperationalError("canceling statement due to lock timeout")
    problem.__cause__ = Cause()

    assert is_lock_timeout(problem)
    assert not is_lock_timeout(OperationalError("server closed the connection"))


def test_a_locked_table_is_told_as_locked(door: Sender, postgresql: None) -> None:
    table = Notification._meta.db_table
    original = Table._refresh

    def impatient(self: Table, wrapper: Any) -> None:
        original(self, wrapper)
        with wrapper.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "_refresh", impatient)
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f'LOCK TABLE "{table}"')
        response = door.post(GOOD)
        other.rollback()
        other.close()

    assert (response.status, response.fault_code) == (500, -11)


def _only_table() -> Table:
    """The connection of the door; one delivery after the other needs no second one."""
    return next(table for table in reversed(together._free or ()) if table._connection is not None)


def _end_our_connection() -> None:
    """As a restarted server does: it closes the connection and we have not noticed."""
    process = _only_table().connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    other.close()


@pytest.mark.parametrize("idle", [True, False])
def test_a_server_that_was_restarted_costs_no_delivery(
    postgresql: None, transactional_db: None, monkeypatch: pytest.MonkeyPatch, idle: bool
) -> None:
    from backoffice.wsgi import application

    first = _call(application)
    _end_our_connection()
    if idle:
        monkeypatch.setattr(_only_table(), "_used_at", -1e9)
    second = _call(application)

    assert (first, second) == ("200 OK", "200 OK")
    assert Notification.objects.count() == 2


def test_a_connection_that_dies_in_the_middle_costs_one_answer(
    postgresql: None, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backoffice.wsgi import application

    first = _call(application)
    monkeypatch.setattr(statements, "has_news", lambda _connection: False)
    _end_our_connection()
    answers = [_call(application), _call(application)]

    assert first == "200 OK"
    assert answers == ["500 Internal Server Error", "200 OK"]
    assert Notification.objects.count() == 2


def _call(application: Any) -> str:
    """Deliver in this thread, so that its connection is ours to break."""
    from io import BytesIO

    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": door_module.PATH,
        "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(GOOD)),
        "wsgi.input": BytesIO(GOOD),
        "wsgi.url_scheme": "http",
    }
    list(application(environ, lambda status, _headers: said.append(status)))
    return said[0]


def test_a_bug_of_ours_is_told_with_a_reference_that_stands_in_the_log(
    door: Sender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_utf8: bytes, _password: str) -> bytes:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(door_module, "blanked", broken)
    with caplog.at_level(logging.ERROR):
        response = door.post(GOOD)

    record = next(row for row in caplog.records if row.message == "door_unforeseen")
    assert (response.status, response.faultcode, response.fault_code) == (500, "Server", -1)
    assert vars(record)["reference"] in response.text
    assert "unforeseen" not in response.text.replace("An unforeseen error", "")
    assert record.exc_info is not None
    assert PASSWORD not in caplog.text
    assert Notification.objects.count() == 0
