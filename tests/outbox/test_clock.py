"""A clock that was wrong and was put right: nothing waits until that time comes again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox import breaker, clock
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.settling import rescue
from backoffice.outbox.trying import claim_due
from persons.services import queue_person_push
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_what_was_asked_for_by_a_wrong_clock_goes_out(gateway: Gateway) -> None:
    with time_machine.travel(timezone.now() + DAY):
        queue_person_push(person=PersonFactory())
        breaker.note_unreachable()

    drain_once(gateway=gateway)

    assert Message.objects.get().status == Message.Status.DONE
    assert ServiceState.objects.get(service="edu-ix").pause_until is None


def test_a_lease_of_a_wrong_clock_is_asked_about(gateway: Gateway, sandbox: SandboxServer) -> None:
    queue_person_push(person=PersonFactory())
    claim_due(1)
    Message.objects.update(lease_until=timezone.now() + DAY)

    drain_once(gateway=gateway)

    assert Message.objects.get().status == Message.Status.DONE
    called = [row.operation for row in sandbox.control.ledger() if row.operation != "login"]
    assert called == ["getPerson", "createPerson"]


def test_a_lease_does_not_follow_the_clock_of_its_process(postgresql: None) -> None:
    queue_person_push(person=PersonFactory())
    with time_machine.travel(timezone.now() + DAY, tick=True):
        claim_due(1)
        rescued = rescue(clock.lease_now())

    lease = Message.objects.get().lease_until
    assert rescued == 0
    assert lease is not None
    assert timedelta() < lease - timezone.now() < timedelta(hours=1)


def test_what_is_put_off_by_a_right_clock_keeps_its_moment() -> None:
    queue_person_push(person=PersonFactory())
    later = timezone.now() + timedelta(minutes=18)
    Message.objects.update(due_at=later)

    assert clock.mend(timezone.now()) == 0
    assert Message.objects.get().due_at == later


def test_a_step_back_is_noticed_once_and_a_step_ahead_is_none() -> None:
    watch = clock.Watch()
    assert watch.was_put_back(), "at the first look nobody knows"
    with time_machine.travel(timezone.now() + DAY):
        assert not watch.was_put_back()

    looks = [watch.was_put_back() for _ in range(2)]

    assert looks == [True, False]
