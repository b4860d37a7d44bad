"""Real worker processes: killed in the middle, and woken by real brokers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Attempt, Message
from persons.models import Person
from persons.services import queue_person_push
from tests.factories import PersonFactory
from tests.outbox.conftest import SCHOOL

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


def database_url() -> str:
    """The test database of this process, for another process."""
    parts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{parts['NAME']}"
    login = f"{parts['USER']}:{parts['PASSWORD']}".rstrip(":")
    return f"postgres://{login}@{parts['HOST']}:{parts['PORT'] or 5432}/{parts['NAME']}"


def environment(sandbox: SandboxServer, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "BACKOFFICE_VAR": str(settings.BACKOFFICE_VAR),
        "EDUIX_PROFILE_URL": sandbox.profile_url,
        "EDUIX_CREDIT_URL": sandbox.credit_url,
        "EDUIX_USERNAME": sandbox.username,
        "EDUIX_PASSWORD": sandbox.password,
        "EDUIX_CONNECTIONS": "4",
        "EDUIX_LEASE_SECONDS": "2",
        **more,
    }


@contextmanager
def process(*arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    worker = subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait()


def wait_until(true: Callable[[], Any], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def has_applied(sandbox: SandboxServer, least: int) -> bool:
    return len(sandbox.control.ledger(applied=True)) >= least


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0.02) as server:
        yield server


def test_a_drainer_killed_in_the_middle_loses_nothing_and_applies_nothing_twice(
    sandbox: SandboxServer,
) -> None:
    people = [PersonFactory() for _ in range(40)]
    for person in people:
        queue_person_push(person=person)
    sandbox.control.trouble("delay", "createPerson", times=1000, seconds=0.15, after=True)
    env = environment(sandbox)

    for least in (6, 16, 26):
        with process("manage.py", "deliver", env=env) as worker:
            wait_until(partial(has_applied, sandbox, least))
            worker.send_signal(signal.SIGKILL)
    with process("manage.py", "deliver", env=env):
        wait_until(lambda: not Message.objects.exclude(status="done").exists())

    applied = Counter(row.subject for row in sandbox.control.ledger(applied=True))
    assert len(applied) == 40
    assert set(applied.values()) == {1}
    assert Person.objects.filter(push_state="in_sync").count() == 40
    assert Attempt.objects.filter(outcome="lost").exists()


QUEUE_ONE = """
import django
django.setup()
from persons.models import Person
from persons.services import queue_person_push
queue_person_push(person=Person.objects.get())
"""


@pytest.mark.service
@pytest.mark.parametrize("broker", ["redis_url", "rabbitmq_url"])
def test_a_change_rings_the_worker_through_a_real_broker(
    broker: str, request: pytest.FixtureRequest, sandbox: SandboxServer
) -> None:
    url = request.getfixturevalue(broker)
    PersonFactory()
    env = environment(sandbox, CELERY_BROKER_URL=url, DJANGO_SETTINGS_MODULE="backoffice.settings")
    arguments = ["-m", "celery", "-A", "backoffice", "worker", "-P", "threads", "-c", "2"]

    with process(*arguments, "--loglevel", "ERROR", "--without-mingle", env=env):
        subprocess.run([sys.executable, "-c", QUEUE_ONE], cwd=ROOT, env=env, check=True)  # noqa: S603
        wait_until(lambda: Person.objects.filter(push_state="in_sync").exists())

    assert [row.operation for row in sandbox.control.ledger(applied=True)] == ["createPerson"]


def test_a_broker_that_is_down_does_not_undo_a_saved_change(sandbox: SandboxServer) -> None:
    PersonFactory()
    env = environment(
        sandbox,
        CELERY_BROKER_URL="redis://127.0.0.1:1/0",
        DJANGO_SETTINGS_MODULE="backoffice.settings",
    )

    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", QUEUE_ONE], cwd=ROOT, env=env, capture_output=True, check=False
    )

    assert result.returncode == 0, result.stderr.decode()
    assert Message.objects.get().status == Message.Status.QUEUED
