"""Many pushes at once are the same messages as one by one."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms.models import model_to_dict

from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.outbox.models import Message, PushState
from credits.bulk import person_credit_pushes, school_credit_pushes
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push
from persons.imports import person_push
from persons.models import Person, SchoolPerson
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db

MAY_DIFFER = ("id", "position", "due_at", "asked_at", "created_at", "priority")


def messages() -> list[dict[str, object]]:
    """All messages in the order in which they go, without what may differ."""
    return [
        {name: value for name, value in model_to_dict(each).items() if name not in MAY_DIFFER}
        for each in Message.objects.order_by("position")
    ]


def wanted_of_credits() -> list[Wanted]:
    return [
        *person_credit_pushes(PersonCredit.objects.all()),
        *school_credit_pushes(SchoolCredit.objects.all()),
    ]


def test_credits_in_bulk_queue_the_same_messages_as_one_by_one() -> None:
    credit = PersonCreditFactory()
    school_credit = SchoolCreditFactory()
    wanted = wanted_of_credits()
    queue_credit_push(credit=credit)
    queue_credit_push(credit=school_credit)
    one_by_one = messages()
    Message.objects.all().delete()
    for model in (Person, SchoolPerson, PersonCredit, SchoolCredit):
        model.objects.update(push_state=PushState.LOCAL_ONLY)

    queued = enqueue_many(wanted)

    assert messages() == one_by_one
    assert queued == 4
    assert {each.priority for each in Message.objects.all()} == {Message.Priority.BULK}


def test_the_rows_show_that_they_are_queued() -> None:
    credit = PersonCreditFactory()

    enqueue_many(wanted_of_credits())

    credit.refresh_from_db()
    assert credit.push_state == PushState.QUEUED
    assert credit.status == "sending"


def test_messages_keep_the_order_in_which_they_were_asked_for() -> None:
    PersonCreditFactory.create_batch(3)

    enqueue_many(wanted_of_credits())

    for chain in set(Message.objects.values_list("chain", flat=True)):
        found = Message.objects.filter(chain=chain).order_by("position")
        assert [each.operation for each in found] == [
            "person.push", "schoolperson.push", "person_credit.push",
        ]  # fmt: skip


def test_an_open_message_is_taken_up_and_not_doubled() -> None:
    person = PersonFactory()
    first = queue_person_push(person=person)
    Message.objects.filter(pk=first.pk).update(status=Message.Status.REFUSED, tries=3)

    enqueue_many([person_push(person), person_push(person)])

    message = Message.objects.get()
    assert message.pk == first.pk
    assert message.status == Message.Status.QUEUED
    assert message.tries == 0


def test_what_needs_a_refused_person_waits_and_names_the_cause() -> None:
    credit = PersonCreditFactory()
    person = credit.school_person.person
    cause = queue_person_push(person=person)
    Message.objects.filter(pk=cause.pk).update(status=Message.Status.REFUSED)
    Person.objects.update(push_state=PushState.REFUSED)

    enqueue_many(wanted_of_credits())

    waiting = Message.objects.exclude(pk=cause.pk)
    assert {each.status for each in waiting} == {Message.Status.WAITING}
    assert {each.waits_for_id for each in waiting} == {cause.pk}
    credit.refresh_from_db()
    assert credit.status == "waiting"


def test_many_messages_cost_a_handful_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    SchoolPersonFactory.create_batch(60)
    wanted = [person_push(person) for person in Person.objects.all()]

    with django_assert_max_num_queries(12):
        enqueue_many(wanted)

    assert Message.objects.count() == 60


def test_nothing_wanted_queues_nothing() -> None:
    assert enqueue_many([]) == 0
