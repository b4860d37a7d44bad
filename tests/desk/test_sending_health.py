"""How sending goes, by operation: on the workbench and for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation
from prometheus_client.parser import text_string_to_metric_families

from backoffice.desk.sending_health import (
    Queue,
    of_all,
    pace_words,
    paces,
    queues,
    sending_lines,
    tries_since,
)
from backoffice.outbox.models import Attempt, Message
from tests.factories import UserFactory

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def message(operation: str, *, status: str = "queued", asked_at: datetime = NOW) -> Message:
    number = Message.objects.count()
    return Message.objects.create(
        operation=operation,
        subject=f"person:{number}",
        chain=f"person:{number}",
        status=status,
        due_at=asked_at,
        asked_at=asked_at,
    )


def tried(to: Message, outcome: str, *, at: datetime = NOW, code: int | None = None) -> None:
    fence = to.attempts.count()
    Attempt.objects.create(message=to, fence=fence, started_at=at, outcome=outcome, code=code)


def test_depth_and_age_are_told_by_operation_without_what_waits_for_a_colleague() -> None:
    message("person.push", asked_at=NOW - timedelta(minutes=9))
    message("person.push", asked_at=NOW - timedelta(minutes=2))
    message("person_credit.push", status="uncertain", asked_at=NOW - timedelta(minutes=4))
    message("school.fetch", status="refused")

    found = queues()

    assert found == {
        "person.push": Queue(2, NOW - timedelta(minutes=9)),
        "person_credit.push": Queue(1, NOW - timedelta(minutes=4)),
    }
    assert of_all(found.values()) == Queue(3, NOW - timedelta(minutes=9))
    assert of_all([]) == Queue()


def test_pace_and_the_part_refused_are_told_by_operation() -> None:
    person, credit = message("person.push"), message("person_credit.push")
    for outcome in ("accepted", "accepted", "accepted", "refused", "unreachable", "open"):
        tried(person, outcome)
    tried(credit, "conflict")
    tried(credit, "accepted", at=NOW - timedelta(minutes=6))

    found = paces(tries_since(NOW - timedelta(minutes=5)), timedelta(minutes=5))

    assert found["person.push"].per_minute == 1.0
    assert found["person.push"].refused == 0.25
    assert found["person_credit.push"].refused == 1.0
    assert found["person_credit.push"].per_minute == 0.2


def test_the_fullest_operation_stands_first_and_what_only_went_stands_too() -> None:
    went = message("school.fetch", status="done")
    for _ in range(30):
        tried(went, "accepted")
    for _ in range(2):
        message("person_credit.push", asked_at=NOW - timedelta(minutes=3))
    message("person.push")

    lines = sending_lines(queues(), NOW)

    assert [line.operation for line in lines] == [
        "person_credit.push",
        "person.push",
        "school.fetch",
    ]
    assert lines[0].text == "2 in the queue, oldest 3 min · 0 a minute"
    assert lines[2].text == "nothing in the queue · 2.0 a minute"


def test_what_goes_slowly_has_a_decimal() -> None:
    assert [pace_words(number) for number in (0, 0.26, 9.96, 120.6)] == ["0", "0.3", "10.0", "121"]


def test_the_workbench_shows_it_to_who_may_see_messages() -> None:
    message("person.push", asked_at=timezone.now() - timedelta(minutes=5))
    reader, other = Client(), Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))
    other.force_login(UserFactory())

    text = reader.get("/admin/").content.decode()

    assert 'id="sending"' in text
    assert "?operation=person.push" in text
    assert 'id="sending"' not in other.get("/admin/").content.decode()


def test_prometheus_reads_pace_and_the_part_refused() -> None:
    person = message("person.push")
    now = timezone.now()
    for outcome in ("accepted", "refused"):
        tried(person, outcome, at=now - timedelta(minutes=1))

    text = Client().get("/metrics").content.decode()

    found = {
        (sample.name, sample.labels.get("operation")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["backoffice_sending_per_minute", "person.push"] == 0.4
    assert found["backoffice_sending_refused_share", "person.push"] == 0.5
