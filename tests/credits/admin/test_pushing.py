"""Pushing credits from their lists, one, some and all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from backoffice.outbox.models import Message
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push
from tests.credits.admin.conftest import (
    PERSON_CREDITS,
    SCHOOL_CREDITS,
    in_sync,
    page_of,
    put,
)
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine("2026-11-21T10:00:00+01:00"),
]


def test_push_skips_what_needs_no_sending_and_says_why(manager: Client) -> None:
    due = PersonCreditFactory.create_batch(2)
    faulty = in_sync(PersonCreditFactory(), specification_state="Fault", publisher_error_code=1)
    equal = in_sync(PersonCreditFactory())
    returned = in_sync(PersonCreditFactory(), person_product_state="Returned")
    sending = put(PersonCreditFactory(), push_state="sending")
    rows = [*due, faulty, equal, returned, sending]

    response = manager.post(
        PERSON_CREDITS,
        {"action": "push_to_eduix", "_selected_action": [row.pk for row in rows]},
        follow=True,
    )

    pushed = Message.objects.filter(operation="person_credit.push").values_list(
        "subject", flat=True
    )
    assert set(pushed) == {f"person_credit:{row.pk}" for row in (*due, faulty)}
    told = str(next(iter(response.context["messages"])))
    assert "3" in told


def test_pushing_school_credits_needs_their_own_permission(manager: Client) -> None:
    from django.contrib.auth.models import Group, Permission

    Group.objects.get(name="Accountmanager").permissions.remove(
        Permission.objects.get(codename="push_schoolcredit")
    )
    credit = SchoolCreditFactory()
    PersonCreditFactory()

    manager.post(SCHOOL_CREDITS, {"action": "push_to_eduix", "_selected_action": [credit.pk]})

    assert not Message.objects.exists()
    assert "push_to_eduix" not in page_of(manager, SCHOOL_CREDITS)
    assert "push_to_eduix" in page_of(manager, PERSON_CREDITS)


def test_a_push_of_all_pages_queues_all_of_them(manager: Client) -> None:
    place = SchoolPersonFactory()
    credits = PersonCreditFactory.create_batch(120, school_person=place)

    manager.post(
        PERSON_CREDITS,
        {
            "action": "push_to_eduix",
            "_selected_action": [credits[0].pk],
            "select_across": "1",
            "index": "0",
        },
    )

    assert Message.objects.filter(operation="person_credit.push").count() == 120
    assert SchoolCredit.objects.count() == 0


def test_a_large_push_queues_just_what_single_pushes_would(manager: Client) -> None:
    equal = SchoolPersonFactory(push_state="in_sync", person__push_state="in_sync")
    changed = SchoolPersonFactory(push_state="in_sync", person__push_state="changed")
    new = [PersonCreditFactory() for _number in range(20)]
    rows = [
        *new,
        PersonCreditFactory(school_person=equal),
        PersonCreditFactory(school_person=changed),
        PersonCreditFactory(school_person=changed),
    ]
    refused = PersonCreditFactory(school_person=equal)
    queue_credit_push(credit=refused)
    Message.objects.update(status="refused")
    put(refused, push_state="refused")
    rows.append(refused)
    asked = {"action": "push_to_eduix", "_selected_action": [row.pk for row in rows]}

    manager.post(PERSON_CREDITS, asked)

    at_once = chains()
    assert len(rows) > 20
    assert sum(map(len, at_once.values())) == 3 * 20 + 1 + 4 + 1
    for messages in at_once.values():
        assert messages == sorted(messages, key=lambda message: FIRST.index(message[0]))
    single = one_by_one(rows)
    assert {chain: set(rows) for chain, rows in at_once.items()} == {
        chain: set(rows) for chain, rows in single.items()
    }


FIRST = ["person.push", "schoolperson.push", "person_credit.push"]


def chains() -> dict[str, list[tuple[str, str, str]]]:
    """The open messages in the order in which they go out, by chain."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for message in Message.objects.open().order_by("position"):
        found.setdefault(message.chain, []).append(
            (message.operation, message.subject, message.requires)
        )
    return found


def one_by_one(rows: list[PersonCredit]) -> dict[str, list[tuple[str, str, str]]]:
    """The same after pushing each row by itself, from the state before."""
    from persons.models import Person, SchoolPerson

    Message.objects.all().delete()
    equal = {row.school_person_id for row in rows[20:]}
    Person.objects.filter(school_persons__in=equal).update(push_state="in_sync")
    SchoolPerson.objects.filter(pk__in=equal).update(push_state="in_sync")
    Person.objects.filter(school_persons=rows[21].school_person_id).update(push_state="changed")
    Person.objects.exclude(school_persons__in=equal).update(push_state="local_only")
    SchoolPerson.objects.exclude(pk__in=equal).update(push_state="local_only")
    for row in rows:
        queue_credit_push(credit=PersonCredit.objects.get(pk=row.pk))
    return chains()


def test_a_push_that_meets_another_goes_on_one_by_one(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = SchoolPersonFactory()
    rows = PersonCreditFactory.create_batch(25, school_person=place)

    def another_was_first(*args: Any, **kwargs: Any) -> int:
        raise IntegrityError("somebody queued one of these")

    monkeypatch.setattr("credits.admin.enqueue_many", another_was_first)
    manager.post(
        PERSON_CREDITS,
        {"action": "push_to_eduix", "_selected_action": [row.pk for row in rows]},
    )

    queued = Message.objects.filter(operation="person_credit.push")
    assert queued.count() == 25
    assert set(queued.values_list("priority", flat=True)) == {Message.Priority.BULK}
