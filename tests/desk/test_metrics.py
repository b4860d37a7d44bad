"""What Prometheus reads: true figures, for whom they are meant, and nobody's name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from backoffice.outbox import breaker, stops
from backoffice.outbox.models import Attempt, Message
from notifications.models import Notification
from persons.services import queue_person_push
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db


def read(**meta: Any) -> dict[tuple[str, tuple[str, ...]], float]:
    """Value by name and labels, the labels in the order of their names."""
    response = Client().get("/metrics", **meta)
    assert response.status_code == 200, response.content
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def told(verdict: str, minutes: int) -> None:
    Notification.objects.create(
        kind="prematchChanged",
        subject="P1",
        raw=b"<told/>",
        raw_sha256="0" * 64,
        raw_length=7,
        received_at=timezone.now() - timedelta(minutes=minutes),
        verdict=verdict,
    )


def test_an_empty_house_has_figures_too() -> None:
    found = read()

    assert found["backoffice_worker_beat_timestamp_seconds", ()] == 0
    assert found["backoffice_notifications_lag_seconds", ()] == 0
    assert found["backoffice_jobs_at_work", ()] == 0


def test_the_outbox_is_told_by_operation_and_status() -> None:
    for _ in range(3):
        queue_person_push(person=PersonFactory())
    Message.objects.update(asked_at=timezone.now() - timedelta(minutes=10))
    Message.objects.filter(pk=Message.objects.latest("pk").pk).update(status="refused")

    found = read()

    assert found["backoffice_outbox_messages", ("person.push", "queued")] == 2
    assert found["backoffice_outbox_messages", ("person.push", "refused")] == 1
    assert found["backoffice_outbox_oldest_seconds", ("person.push", "queued")] >= 600


def test_tries_count_by_outcome_and_code_for_five_minutes() -> None:
    message = queue_person_push(person=PersonFactory())
    now = timezone.now()
    for fence, (outcome, code, minutes) in enumerate(
        [("refused", -4967, 1), ("refused", 4967, 2), ("accepted", None, 3), ("accepted", None, 9)]
    ):
        started = now - timedelta(minutes=minutes)
        Attempt.objects.create(
            message=message, fence=fence, started_at=started, outcome=outcome, code=code
        )

    found = read()

    name = "backoffice_attempts_last_5_minutes"
    assert found[name, ("4967", "person.push", "refused")] == 2
    assert found[name, ("", "person.push", "accepted")] == 1


def test_the_partner_and_the_worker_are_told() -> None:
    breaker.note_unreachable()
    stops.beat()
    assert read()["backoffice_eduix_unreachable", ()] == 1

    breaker.note_reachable()
    found = read()

    assert found["backoffice_eduix_unreachable", ()] == 0
    assert found["backoffice_worker_beat_timestamp_seconds", ()] > timezone.now().timestamp() - 60


def test_notifications_are_told_with_how_far_they_are_behind() -> None:
    told("applied", 1)
    told("waiting", 7)

    found = read()

    name = "backoffice_notifications_last_5_minutes"
    assert found[name, ("prematchChanged", "applied")] == 1
    assert (name, ("prematchChanged", "waiting")) not in found
    assert found["backoffice_notifications_lag_seconds", ()] >= 420


@pytest.mark.parametrize("source", ["10.1.2.3", "192.0.2.9", ""])
def test_an_address_that_is_not_on_the_list_learns_nothing(source: str) -> None:
    response = Client().get("/metrics", REMOTE_ADDR=source)

    assert response.status_code == 403
    assert b"BACKOFFICE_METRICS_IPS" in response.content
    assert b"backoffice_outbox" not in response.content


def test_a_proxy_of_ours_tells_who_asks(settings: Any) -> None:
    settings.BACKOFFICE_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.BACKOFFICE_METRICS_IPS = ["192.0.2.0/24"]

    assert read(HTTP_X_FORWARDED_FOR="192.0.2.9")
    refused = Client().get("/metrics", HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert refused.status_code == 403


def test_no_figure_names_a_person_and_the_queries_stay_as_many() -> None:
    counts = []
    for number in (1, 6):
        for _ in range(number):
            queue_person_push(person=PersonFactory(surname="Kanariegeel"))
        with CaptureQueriesContext(connection) as queries:
            text = Client().get("/metrics").content.decode()
        counts.append(len(queries))
        assert "Kanariegeel" not in text
        assert Message.objects.latest("pk").label not in text

    assert counts[0] == counts[1] < 12
