"""Ringing after a saved change: with our own settings, and whatever the broker does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from backoffice.outbox.models import Message
from tests.factories import PersonFactory
from tests.outbox.test_processes import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

RINGS_WITH = """
import json, threading
import django
django.setup()
found = []
def look():
    from backoffice.outbox.tasks import drain
    conf = drain.app.conf
    found.append([drain.app.main, conf.broker_transport_options, conf.task_publish_retry_policy])
look()
thread = threading.Thread(target=look)
thread.start()
thread.join()
print(json.dumps(found))
"""

SAVE_ALL = """
import django
django.setup()
from persons.models import Person
from persons.services import queue_person_push
for person in Person.objects.all():
    queue_person_push(person=person)
"""


def run(script: str, broker: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "BACKOFFICE_VAR": str(settings.BACKOFFICE_VAR),
        "CELERY_BROKER_URL": broker,
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
    }
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        cwd=Path(ROOT),
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("broker", "option"),
    [("redis://127.0.0.1:1/0", "socket_timeout"), ("amqp://127.0.0.1:1//", "confirm_publish")],
)
def test_every_process_and_thread_rings_by_our_settings(broker: str, option: str) -> None:
    result = run(RINGS_WITH, broker)

    for app, options, policy in json.loads(result.stdout):
        assert app == "backoffice"
        assert option in options
        assert policy == settings.CELERY_TASK_PUBLISH_RETRY_POLICY


def test_a_broker_that_never_answers_holds_up_one_save_only_and_is_told_once() -> None:
    for _ in range(5):
        PersonFactory()
    with socket.create_server(("127.0.0.1", 0)) as hole:
        started = time.monotonic()

        result = run(SAVE_ALL, f"redis://:secret@127.0.0.1:{hole.getsockname()[1]}/0")

        took = time.monotonic() - started
    assert Message.objects.filter(status="queued").count() == 5
    assert result.stderr.count("outbox_not_rung") == 1
    assert "secret" not in result.stderr
    # Two tries of three seconds once, and the time to load the product on a machine that is busy.
    assert took < 30


@pytest.mark.parametrize("address", ["redis://nowhere.invalid:6379/0", "amqp://127.0.0.1:1//"])
def test_a_wrong_address_of_the_broker_is_one_line_in_the_log(address: str) -> None:
    for _ in range(3):
        PersonFactory()

    result = run(SAVE_ALL, address)

    assert Message.objects.filter(status="queued").count() == 3
    assert result.stderr.count("outbox_not_rung") == 1
    assert "Traceback" not in result.stderr
