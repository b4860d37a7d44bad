"""Two colleagues at the same moment, and two workers beside each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Message
from backoffice.outbox.settling import rescue
from backoffice.outbox.trying import claim_due
from persons.changes import NotPossible
from persons.models import Person, PersonChange
from persons.services import save_person
from tests.at_once import at_once
from tests.factories import PersonFactory, SchoolPersonFactory
from tests.persons.given import known_person, merge, rename, send

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_into_b_and_b_into_a_at_the_same_moment_is_one_merge(gateway: Gateway) -> None:
    for _ in range(5):
        first, second = known_person(gateway), known_person(gateway)

        problems = at_once(
            lambda a=first, b=second: merge(a, b),  # type: ignore[misc]
            lambda a=first, b=second: merge(b, a),  # type: ignore[misc]
        )

        assert [type(problem) for problem in problems] == [NotPossible]
        change = PersonChange.objects.get()
        send(gateway, change)
        assert change.applied_at is not None
        left = Person.objects.exclude(push_state="deleted").filter(pk__in=(first.pk, second.pk))
        assert left.count() == 1
        PersonChange.objects.all().delete()


def test_one_page_sent_twice_at_the_same_moment_asks_once(gateway: Gateway) -> None:
    person = known_person(gateway)

    problems = at_once(*[lambda: rename(person, "NIEUW", token="een")] * 4)

    assert problems == []
    assert PersonChange.objects.count() == 1
    assert Message.objects.filter(operation="person.rename").count() == 1


def test_the_same_number_for_two_persons_at_the_same_moment_is_never_twice_with_us(
    gateway: Gateway,
) -> None:
    first, second = PersonFactory(), PersonFactory()

    problems = at_once(lambda: rename(first, "EEN"), lambda: rename(second, "EEN"))

    assert len(problems) == 1
    assert Person.objects.filter(distributor_person_id="EEN").count() == 1


def test_a_merge_holds_both_chains_and_each_keeps_its_order(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    pairs = [(known_person(gateway), known_person(gateway)) for _ in range(6)]
    sandbox.control.trouble("delay", "mergePerson", times=100, seconds=0.05)
    for gone, kept in pairs:
        for person in (gone, kept):
            person.first_name = "Voor"
            save_person(person=person, push=True)
        merge(gone, kept)
        late = Person.objects.get(pk=kept.pk)
        late.first_name = "Na"
        save_person(person=late, push=True)

    Drainer(connections=8, gateway=gateway).run(
        until=lambda: not Message.objects.active().exists(), seconds=30
    )

    assert not Message.objects.open().exists()
    journal = sandbox.control.ledger(applied=True)
    for gone, kept in pairs:
        merged = next(
            row.number
            for row in journal
            if row.operation == "mergePerson" and row.subject.endswith(gone.distributor_person_id)
        )
        edits = {
            key: [
                row.number
                for row in journal
                if row.operation == "updatePerson" and row.subject.endswith(key)
            ]
            for key in (gone.distributor_person_id, kept.distributor_person_id)
        }
        assert max(edits[gone.distributor_person_id]) < merged
        assert edits[kept.distributor_person_id]
        found = gateway.get_person(distributor_person_id=kept.distributor_person_id)
        assert found is not None
        assert found.person.first_name == "Na"


def test_a_worker_that_vanished_during_a_merge_is_asked_after(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    place = SchoolPersonFactory(person=known_person(gateway))
    gone, kept = place.person, known_person(gateway)
    change = merge(gone, kept)
    [message] = claim_due(1)
    gateway.merge_person(
        from_id=gone.distributor_person_id, to_id=kept.distributor_person_id
    )  # it left, and the worker was killed before it could write that down
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert rescue(timezone.now()) == 1

    send(gateway, change)

    place.refresh_from_db()
    assert change.applied_at is not None
    assert place.person == kept
    assert len(sandbox.control.ledger(operation="mergePerson")) == 1
