"""What the page of readiness sees by itself, and how it is shown."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.desk import readiness_here as here
from backoffice.desk.outside_models import OutsideCheck
from backoffice.desk.readiness import State
from backoffice.desk.readiness_page import readiness
from backoffice.outbox import stops
from notifications.models import Notification
from tests.desk.readiness.conftest import row, state
from tests.factories import PersonFactory, UserFactory
from tests.notifications.rows import prematch

pytestmark = pytest.mark.django_db


PAGE = "/admin/beheer/gereed/"


NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


# --- here ----------------------------------------------------------------------------------------


def test_every_part_has_a_row_with_a_state_and_a_proof() -> None:
    rows = readiness(timezone.now()).rows

    assert [one.key for one in rows] == [
        "database",
        "durability",
        "clock",
        "broker",
        "worker",
        "background",
        "applying",
        "disk",
        "retention",
        "login-profile",
        "login-credit",
        "wsdl-profile",
        "wsdl-credit",
        "certificate-profile",
        "certificate-credit",
        "clock-eduix",
        "notifications",
        "mail",
    ]
    assert all(one.seen for one in rows)
    assert all(one.remedy for one in rows if one.state in (State.ACTION, State.LOOK))
    assert all(one.who for one in rows if one.state in (State.ACTION, State.LOOK))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, State.READY), (40, State.READY), (46, State.ACTION), (60, State.ACTION)],
)
def test_a_worker_that_stopped_is_red_within_a_minute_and_tells_what_to_do(
    seconds: int, expected: State
) -> None:
    state(beat_at=NOW - timedelta(seconds=seconds))

    found = row("worker", NOW)

    assert found.state == expected
    assert ("manage.py deliver" in found.remedy) == (expected == State.ACTION)


def test_with_celery_the_remedy_speaks_of_celery(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    state(beat_at=NOW - timedelta(seconds=61))

    assert "Celery" in row("worker", NOW).remedy
    assert row("broker", NOW).state == State.LOOK


def test_the_database_that_the_tests_run_on_answers_and_is_up_to_date() -> None:
    found = row("database")

    assert found.state == State.READY
    assert connection.vendor in found.seen.lower()
    assert row("clock").state == State.READY


def test_missing_tables_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "database_problem", lambda: "migrations are missing")

    found = readiness(timezone.now())

    assert found.state == State.ACTION
    assert "manage.py migrate" in found.rows[0].remedy


def test_postgresql_tells_what_it_runs_with(postgresql: None) -> None:
    assert row("durability").state == State.READY
    with connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = off")

    found = row("durability")

    assert found.state == State.ACTION
    assert "synchronous_commit" in found.remedy
    assert "fsync" not in found.remedy


@pytest.mark.parametrize(
    ("journal", "synchronous", "expected"),
    [
        ("wal", 2, State.READY),
        ("wal", 3, State.READY),
        ("wal", 1, State.ACTION),
        ("delete", 2, State.ACTION),
        ("memory", 0, State.ACTION),
    ],
)
def test_sqlite_must_write_through_a_log(journal: str, synchronous: int, expected: State) -> None:
    found = here.durability_row(here.sqlite_settings(journal, synchronous))

    assert found.state == expected
    assert journal in found.seen


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, State.READY), (-1.9, State.READY), (2.5, State.LOOK), (-90.0, State.ACTION)],
)
def test_a_clock_that_is_wrong_is_told(seconds: float, expected: State) -> None:
    found = here.clock_row("clock", "Clock", seconds)

    assert found.state == expected
    assert bool(found.remedy) == (expected != State.READY)


def test_brokers_that_answer_are_ready(settings: Any, redis_url: str, rabbitmq_url: str) -> None:
    for url in (redis_url, rabbitmq_url):
        settings.CELERY_BROKER_URL = url

        assert here.broker().state == State.READY


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"])
def test_a_broker_that_is_gone_is_told_within_its_time(settings: Any, url: str) -> None:
    settings.CELERY_BROKER_URL = url

    assert here.broker().state == State.LOOK


@pytest.mark.parametrize(
    ("free", "total", "expected"),
    [
        (50, 1000, State.READY),
        (3, 1000, State.READY),
        (1, 15, State.LOOK),
        (0.3, 15, State.ACTION),
        (0.3, 0.5, State.READY),
    ],
)
def test_room_on_disk_counts_by_share_and_by_bytes(
    free: float, total: float, expected: State
) -> None:
    found = here.disk_row(free=int(free * 2**30), total=int(total * 2**30), database=5)

    assert found.state == expected


def test_work_that_failed_is_named() -> None:
    stops.note_trouble("prune_daily", RuntimeError("text"))

    found = row("background")

    assert found.state == State.ACTION
    assert "prune_daily" in found.seen
    assert "RuntimeError" in found.seen


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, State.READY), (30, State.LOOK), (60, State.ACTION)]
)
def test_pruning_that_did_not_run_is_told(hours: int, expected: State) -> None:
    state("prune", beat_at=NOW - timedelta(hours=hours))

    assert row("retention", NOW).state == expected


@pytest.mark.parametrize(
    ("verdict", "minutes", "expected"),
    [
        ("waiting", 0, State.READY),
        ("waiting", 3, State.LOOK),
        ("waiting", 30, State.ACTION),
        ("failed", 30, State.LOOK),
        ("dead", 0, State.ACTION),
        ("applied", 30, State.READY),
    ],
)
def test_applying_that_is_behind_is_told(verdict: str, minutes: int, expected: State) -> None:
    prematch("K-1")
    now = timezone.now()
    Notification.objects.update(verdict=verdict, received_at=now - timedelta(minutes=minutes))

    found = row("applying", now)

    assert found.state == expected
    assert bool(found.url) == (verdict == "dead")


# --- page and command ----------------------------------------------------------------------------


def test_the_page_begins_with_the_verdict(manager: Client) -> None:
    state(beat_at=timezone.now() - timedelta(minutes=5))

    text = manager.get(PAGE).content.decode()

    assert text.index("Verzender") < text.index('id="ready-database"')
    assert re.search(r'id="ready-worker".*?pill bad.*?manage.py deliver', text, re.S)


def test_the_part_that_looks_again_is_the_same_table(manager: Client) -> None:
    text = manager.get(f"{PAGE}stand/").content.decode()

    assert text.count('<tr id="ready-') == 18
    assert "<html" not in text


def test_the_button_asks_and_calls_nobody(manager: Client) -> None:
    response = manager.post(f"{PAGE}nagaan/", follow=True)

    assert response.status_code == 200
    assert OutsideCheck.objects.filter(asked_at__isnull=False, checked_at=None).count() == 3
    assert 'hx-trigger="every 2s"' in response.content.decode()


def test_methods_and_strangers_are_refused(manager: Client) -> None:
    readers = Client()
    readers.force_login(UserFactory(groups=["Accountmanager"]))

    assert manager.get(f"{PAGE}nagaan/").status_code == 405
    assert manager.post(PAGE).status_code == 405
    for path in ("", "stand/"):
        assert readers.get(PAGE + path).status_code == 403
        assert Client().get(PAGE + path).status_code == 302
    assert readers.post(f"{PAGE}nagaan/").status_code == 403
    assert OutsideCheck.objects.count() == 0


def test_only_who_may_see_it_finds_a_way_to_it(signed_in: Callable[..., Client]) -> None:
    keeper, reader = Client(), Client()
    keeper.force_login(UserFactory(groups=["Beheerder"]))
    reader.force_login(UserFactory(groups=["Accountmanager"]))

    for page in ("/admin/", "/admin/beheer/"):
        assert PAGE in keeper.get(page).content.decode()
        assert PAGE not in reader.get("/admin/").content.decode()


def test_the_page_takes_as_many_queries_however_much_there_is() -> None:
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    client.get(f"{PAGE}stand/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{PAGE}stand/")
    for number in range(30):
        PersonFactory()
        prematch(f"K-{number}")
        state(f"work:{number}", last_failure_at=timezone.now(), last_failure="x")

    with CaptureQueriesContext(connection) as many:
        client.get(f"{PAGE}stand/")

    assert len(many) == len(few)
    assert len(many) <= 30


def test_the_command_tells_the_same_and_fails_when_something_must_be_done() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="Worker"):
        call_command("readiness", stdout=out)
    state(beat_at=timezone.now())
    found = StringIO()
    with contextlib.suppress(CommandError):  # in memory SQLite keeps nothing, and says so
        call_command("readiness", "--json", stdout=found)

    assert "never gave a sign" in out.getvalue()
    rows = json.loads(found.getvalue())
    assert {one["key"]: one["state"] for one in rows}["worker"] == "ok"
