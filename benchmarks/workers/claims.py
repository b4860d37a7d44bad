"""A process that claims from the outbox of its database, and counts how long each claim takes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.db import connection  # noqa: E402  Django has to be set up first
from django.db.models import F  # noqa: E402

from backoffice.outbox.models import Attempt, Message  # noqa: E402
from backoffice.outbox.trying import claim_due  # noqa: E402
from benchmarks.load import percentile  # noqa: E402
from benchmarks.workers.protocol import answer_questions  # noqa: E402

# Persons of the same numbers: a claim shows on its row that it is being sent.
PERSON = {
    "id": "n",
    "distributor_person_id": "'K-' || n",
    "first_name": "'Sanne'",
    "surname": "'Berg'",
    "person_state": "'A'",
    "postal_code": "'3011 AB'",
    "country_code": "'NL'",
    "push_state": "'queued'",
    "created_at": "now()",
}
MESSAGE = {
    "operation": "'person.push'",
    "subject": "'person:' || n",
    "label": "'K-' || n",
    "chain": "'person:' || n",
    "position": "n",
    "priority": "10",
    "status": "'queued'",
    "due_at": "now()",
    "created_at": "now()",
    "asked_at": "now()",
}
EMPTY = {"text": "''", "character varying": "''", "integer": "0", "boolean": "false"}


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """One step."""
    if question["do"] == "fill":
        return fill(question["count"])
    if question["do"] == "claim_and_put_back":
        return claim_and_put_back(question["limit"], question["times"])
    if question["do"] == "claim_all":
        return claim_all(question["limit"])
    return check()


def fill(count: int) -> dict[str, Any]:
    """So many persons, each with a message that is due; nothing else, and no statistics of it."""
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = 0")
        cursor.execute("truncate outbox_attempt, outbox_message, persons_person cascade")
        for table, values in (("persons_person", PERSON), ("outbox_message", MESSAGE)):
            columns = _empty_columns(table) | values
            cursor.execute(
                f"insert into {table} ({', '.join(columns)}) select {', '.join(columns.values())}"  # noqa: S608  our own names
                f" from generate_series(1, {int(count)}) as n"
            )
    return {"filled": count}


def _empty_columns(table: str) -> dict[str, str]:
    """Columns that must hold something, with nothing in them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select column_name, data_type from information_schema.columns where table_name = %s"
            " and is_nullable = 'NO' and column_default is null and is_identity = 'NO'",
            [table],
        )
        return {name: EMPTY[kind] for name, kind in cursor.fetchall() if kind in EMPTY}


def claim_and_put_back(limit: int, times: int) -> dict[str, Any]:
    """Claim so many, so often; between two, outside the watch, they wait again."""
    took, cpu, taken = [], 0.0, 0
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        claimed = claim_due(limit)
        took.append(time.perf_counter() - begun)
        cpu += time.process_time() - used
        taken += len(claimed)
        keys = [message.pk for message in claimed]
        Attempt.objects.filter(message__in=keys).delete()
        Message.objects.filter(pk__in=keys).update(
            status=Message.Status.QUEUED, fence=F("fence") + 1, lease_until=None
        )
    return {
        "messages": taken,
        "seconds": sum(took),
        "p50_ms": percentile(took, 0.5) * 1e3,
        "p99_ms": percentile(took, 0.99) * 1e3,
        "cpu_seconds": cpu,
    }


def claim_all(limit: int) -> dict[str, Any]:
    """Claim until nothing is left."""
    took: list[float] = []
    taken, used, first = 0, time.process_time(), time.time()
    last = first
    while True:
        begun = time.perf_counter()
        claimed = claim_due(limit)
        if not claimed:
            break
        took.append(time.perf_counter() - begun)
        taken, last = taken + len(claimed), time.time()
    return {
        "messages": taken,
        "begun": first,
        "ended": last,
        "p50_ms": percentile(took, 0.5) * 1e3,
        "p99_ms": percentile(took, 0.99) * 1e3,
        "cpu_seconds": time.process_time() - used,
    }


def check() -> dict[str, int]:
    """Each message must have been taken once, with one try that was written down before."""
    return {
        "sending": Message.objects.filter(status=Message.Status.SENDING, fence=1).count(),
        "attempts": Attempt.objects.filter(fence=1).count(),
        "different": Attempt.objects.values("message").distinct().count(),
    }


if __name__ == "__main__":
    answer_questions(answer)
