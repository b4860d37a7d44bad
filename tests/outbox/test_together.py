"""Many messages at once: claimed, prepared and settled together, and yet each for itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import PersonRecord
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.outbox import services
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Attempt, Message, PushState, along_indexes, key_of
from backoffice.outbox.registry import senders
from backoffice.outbox.services import lock_chain
from backoffice.outbox.settling import ACCEPTED, Result, Tried, settle_accepted
from backoffice.outbox.trying import UNREAD, attempt, claim_due, prepare_together
from persons.models import Person
from persons.services import chain_of, queue_person_push, save_person
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)


def queued(number: int) -> list[Person]:
    people: list[Person] = PersonFactory.create_batch(number)
    for person in people:
        queue_person_push(person=person)
    return people


def accepted(message: Message) -> Tried:
    return Tried(message, ACCEPTED, [])


def test_what_was_accepted_together_is_written_down_for_each() -> None:
    people = queued(5)
    claimed = claim_due(10)

    settle_accepted([accepted(message) for message in claimed])

    assert set(Message.objects.values_list("status", "tries", "lease_until")) == {("done", 0, None)}
    assert Attempt.objects.filter(outcome="accepted", finished_at__isnull=False).count() == 5
    for person in people:
        person.refresh_from_db()
        assert person.push_state == PushState.IN_SYNC
        assert person.registered_at is not None


def test_the_number_of_statements_does_not_grow_with_the_messages() -> None:
    counts = []
    for number in (2, 20):
        queued(number)
        claimed = claim_due(number)
        with CaptureQueriesContext(connection) as queries:
            settle_accepted([accepted(message) for message in claimed])
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_row_that_changed_meanwhile_goes_out_once_more() -> None:
    [changed, other] = queued(2)
    claimed = claim_due(2)
    changed.surname = "Anders"
    save_person(person=changed, push=True)

    settle_accepted([accepted(message) for message in claimed])

    status = dict(Message.objects.values_list("subject", "status"))
    assert status == {key_of("person", changed.pk): "queued", key_of("person", other.pk): "done"}
    changed.refresh_from_db()
    assert changed.push_state == PushState.QUEUED
    assert changed.registered_at is not None


def test_a_late_worker_overwrites_nothing_and_keeps_nobody_up() -> None:
    queued(2)
    late, other = claim_due(2)
    Message.objects.filter(pk=late.pk).update(fence=late.fence + 1)

    settle_accepted([accepted(message) for message in (late, other)])

    assert Message.objects.get(pk=late.pk).status == "sending"
    assert Message.objects.get(pk=other.pk).status == "done"


def test_what_tells_our_request_apart_is_kept_before_the_call() -> None:
    queued(3)
    claimed = claim_due(3)

    prepared = prepare_together(claimed)

    kept = dict(Message.objects.values_list("pk", "sent_digest"))
    assert kept == {pk: found.record.digest() for pk, found in prepared.items()}


def test_a_digest_is_not_written_by_who_has_lost_the_message() -> None:
    queued(1)
    [message] = claim_due(1)
    Message.objects.update(fence=message.fence + 1)

    prepare_together([message])

    assert Message.objects.get().sent_digest == ""


def test_a_row_that_cannot_be_read_costs_only_its_own_message(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = queued(3)
    broken, key = people[1].pk, people[1].distributor_person_id
    sender: Any = senders["person.push"]

    def failing(**values: Any) -> Any:
        if values["distributor_person_id"] == key:
            raise ValueError(key)
        return PersonRecord(**values)

    monkeypatch.setattr(type(sender), "record", staticmethod(failing))
    monkeypatch.setattr("backoffice.outbox.push.fields", lambda _record: fields(PersonRecord))
    drainer = Drainer(connections=2, gateway=gateway)

    drainer.run(until=lambda: drainer.is_idle and drainer.counts.sent >= 3, seconds=20)

    status = dict(Message.objects.values_list("subject", "status"))
    assert status.pop(key_of("person", broken)) == "uncertain"
    assert set(status.values()) == {"done"}


def test_when_one_cannot_be_settled_the_others_are(
    gateway: Gateway, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together it fails, then each goes alone."""
    queued(4)
    sender: Any = senders["person.push"]
    mark, seen = sender.mark, []

    def failing(subjects: list[str], state: PushState, **others: Any) -> None:
        if state == PushState.IN_SYNC and len(subjects) > 1:
            seen.append(len(subjects))
            raise ValueError("together")
        mark(subjects, state, **others)

    monkeypatch.setattr(sender, "mark", failing)
    claimed = claim_due(4)
    drainer = Drainer(connections=1, gateway=gateway)
    drainer._in_flight = drainer._ending = 4

    drainer._settle_all([accepted(message) for message in claimed])

    assert seen == [4]
    assert set(Message.objects.values_list("status", flat=True)) == {"done"}
    assert drainer.is_idle
    assert drainer.counts.accepted == 4


def test_many_go_out_over_many_connections_exactly_once(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    people = queued(60)
    drainer = Drainer(connections=6, gateway=gateway)

    drainer.run(until=lambda: drainer.is_idle and drainer.counts.sent >= 60, seconds=60)

    assert set(Message.objects.values_list("status", flat=True)) == {"done"}
    assert Attempt.objects.filter(outcome="accepted").count() == 60
    created = [row for row in sandbox.control.ledger() if row.operation == "createPerson"]
    assert len(created) == len({row.subject for row in created}) == len(people)
    calls = Counter(len(attempt.calls) for attempt in Attempt.objects.all())
    assert calls == {1: 59, 2: 1}  # whoever came first logged in for all


def test_while_the_lease_is_new_no_statement_stands_between_two_calls(gateway: Gateway) -> None:
    queued(2)
    claimed = claim_due(2)
    prepared = prepare_together(claimed)
    attempt(claimed[0], gateway, prepared[claimed[0].pk])  # logs in

    with CaptureQueriesContext(connection) as queries:
        tried = attempt(claimed[1], gateway, prepared[claimed[1].pk])

    assert tried is not None
    assert tried.result == ACCEPTED
    assert len(queries) == 0


def test_with_a_lease_that_ends_soon_the_fence_is_asked(
    gateway: Gateway, sandbox: SandboxServer, settings: Any
) -> None:
    settings.EDUIX_LEASE_SECONDS = 5
    queued(1)
    [message] = claim_due(1)
    prepared = prepare_together([message])
    Message.objects.update(fence=message.fence + 1)
    calls = len(sandbox.control.ledger())

    assert attempt(message, gateway, prepared[message.pk]) is None
    assert len(sandbox.control.ledger()) == calls


def test_a_message_that_is_not_prepared_is_read_when_it_is_sent(gateway: Gateway) -> None:
    [person] = queued(1)
    [message] = claim_due(1)

    tried = attempt(message, gateway, UNREAD)

    assert tried is not None
    assert isinstance(tried.result, Result)
    assert gateway.get_person(distributor_person_id=person.distributor_person_id) is not None


# --- what only PostgreSQL can get wrong ----------------------------------------------------------


def bulk(number: int) -> None:
    people = Person.objects.bulk_create([PersonFactory.build() for _ in range(number)])
    enqueue_many(
        [
            Wanted("person.push", key_of("person", one.pk), chain_of(one.pk), str(one))
            for one in people
        ]
    )


@contextmanager
def few_locks(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(services, "MOST_LOCKS", 3)
    yield


def locks() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select mode, count(*) from pg_locks where locktype = 'advisory'"
            " and pid = pg_backend_pid() group by mode order by mode"
        )
        return list(cursor.fetchall())


def test_very_many_chains_take_one_lock(postgresql: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with few_locks(monkeypatch), transaction.atomic():
        lock_chain("a", "b", "c")
        assert locks() == [("ExclusiveLock", 3), ("ShareLock", 1)]
    with few_locks(monkeypatch), transaction.atomic():
        lock_chain("a", "b", "c", "d")
        assert locks() == [("ExclusiveLock", 1)]


def visited(plan: dict[str, Any]) -> float:
    """Rows that a plan touched, whether it kept them or not."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return float(own * plan["Actual Loops"]) + sum(visited(part) for part in plan.get("Plans", ()))


@contextmanager
def by_sorting(using: str) -> Any:
    """What the planner may choose by statistics of before; it does not do so each time."""
    with connection.cursor() as cursor:
        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"set local enable_{way} = off")
    yield


@pytest.mark.parametrize("using", [along_indexes, by_sorting], ids=["claim", "control"])
def test_a_claim_looks_at_few_rows_of_a_long_queue(
    postgresql: None, using: Callable[[str], Any]
) -> None:
    """Whatever the statistics know of the queue; the control shows that it would be noticed."""
    bulk(900)
    bulk(900)
    heads = Message.objects.due(timezone.now()).order_by("priority", "position")[:20]
    with transaction.atomic(), using("default"):
        plan = heads.explain(format="json", analyze=True)

    rows = visited(json.loads(plan)[0]["Plan"])
    assert (rows < 400) == (using is along_indexes)
