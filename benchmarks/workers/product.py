"""The product's own drainer, with its durable outbox: rows in the database, sent and settled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402  models load only after Django is set up
from django.db import transaction  # noqa: E402

from backoffice.eduix.contract import endpoint_path  # noqa: E402
from backoffice.eduix.gateway import Gateway  # noqa: E402
from backoffice.jobs.queueing import Wanted, enqueue_many  # noqa: E402
from backoffice.outbox.delivery import Drainer  # noqa: E402
from backoffice.outbox.models import Attempt, Message, PushState, key_of  # noqa: E402
from backoffice.outbox.pushable import in_chunks  # noqa: E402
from backoffice.processor import keep_to_one  # noqa: E402
from benchmarks.workers.protocol import Sent, Stopwatch, answer_questions  # noqa: E402
from persons.models import Person  # noqa: E402
from persons.services import chain_of  # noqa: E402

_gateways: dict[int, Gateway] = {}


def answer(question: Mapping[str, Any]) -> object:
    """`prepare` persons, `drain` them, or `check` what stands in the database."""
    if question["do"] == "prepare":
        return {"prepared": prepare(question["count"], question["prefix"])}
    if question["do"] == "drain":
        return drain(question["count"], question["port"], question["connections"])
    return check()


def prepare(count: int, prefix: str) -> int:
    """New persons with a message each, as a bulk push leaves them.

    In the product's chunks: all at once would take more memory than what is measured.
    """
    return sum(_prepare(numbers, prefix) for numbers in in_chunks(list(range(count))))


def _prepare(numbers: list[int], prefix: str) -> int:
    with transaction.atomic():
        persons = Person.objects.bulk_create(
            Person(
                distributor_person_id=f"{prefix}{number:08d}",
                first_name="Sanne",
                preposition="van den",
                surname="Berg",
                date_of_birth=date(2012, 3, 4),
                gender="F",
                email="sanne@example.nl",
                postal_code="3011 AB",
                house_number=12,
                country_code="NL",
            )
            for number in numbers
        )
        wanted = [
            Wanted(
                operation="person.push",
                subject=key_of("person", person.pk),
                chain=chain_of(person.pk),
                label=person.distributor_person_id,
            )
            for person in persons
        ]
        return enqueue_many(wanted)


def drain(count: int, port: int, connections: int) -> Sent:
    """Send what waits; the time of one message runs from its claim until it is settled."""
    gateway = gateway_at(port)
    drainer = Drainer(connections=connections, gateway=gateway)
    known = Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    watch = Stopwatch()
    drainer.run(until=lambda: drainer.counts.sent >= count)
    watch.stop()
    spans = Attempt.objects.filter(pk__gt=known).values_list("started_at", "finished_at")
    milliseconds = [(end - start).total_seconds() * 1000 for start, end in spans if end]
    return watch.sent(drainer.counts.accepted, milliseconds)


def gateway_at(port: int) -> Gateway:
    """One gateway for each partner: its session and its connections are kept between runs."""
    if port not in _gateways:
        base = f"http://127.0.0.1:{port}"
        _gateways[port] = Gateway(
            SimpleNamespace(
                EDUIX_PROFILE_URL=base + endpoint_path("profile"),
                EDUIX_CREDIT_URL=base + endpoint_path("credit"),
                EDUIX_PROFILE_WSDL="",
                EDUIX_CREDIT_WSDL="",
                EDUIX_USERNAME=settings.EDUIX_USERNAME,
                EDUIX_PASSWORD=settings.EDUIX_PASSWORD,
                EDUIX_DISTRIBUTOR_ID=settings.EDUIX_DISTRIBUTOR_ID,
                EDUIX_SESSION_MINUTES=settings.EDUIX_SESSION_MINUTES,
            )
        )
    return _gateways[port]


def check() -> dict[str, int]:
    """What must be true afterwards: everything in sync, one accepted attempt a message."""
    return {
        "persons": Person.objects.count(),
        "in_sync": Person.objects.filter(push_state=PushState.IN_SYNC).count(),
        "done": Message.objects.filter(status=Message.Status.DONE).count(),
        "messages": Message.objects.count(),
        "accepted": Attempt.objects.filter(outcome=Attempt.Outcome.ACCEPTED).count(),
        "attempts": Attempt.objects.count(),
    }


if __name__ == "__main__":
    keep_to_one(may_share=True)  # as `manage.py deliver` does
    answer_questions(answer)
