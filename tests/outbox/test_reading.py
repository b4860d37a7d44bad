"""What is read for many messages at once is what a row's own record says."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.outbox.models import Message, key_of
from backoffice.outbox.registry import senders
from credits.senders import person_credit_record, school_credit_record
from credits.services import queue_credit_push
from persons.senders import person_record, school_person_record
from tests.factories import PersonCreditFactory, PersonFactory, SchoolCreditFactory

pytestmark = pytest.mark.django_db


def test_each_kind_is_read_as_its_record_says() -> None:
    credit = PersonCreditFactory()
    place, pool = credit.school_person, SchoolCreditFactory()
    queue_credit_push(credit=credit)
    queue_credit_push(credit=pool)
    expected = {
        key_of("person", place.person.pk): person_record(place.person),
        key_of("schoolperson", place.pk): school_person_record(place),
        key_of("person_credit", credit.pk): person_credit_record(credit),
        key_of("school_credit", pool.pk): school_credit_record(pool),
    }

    for message in Message.objects.all():
        prepared: Any = senders[message.operation].prepare(message)
        assert prepared.record == expected.pop(message.subject)
        assert prepared.record.digest() == prepared.digest
        assert not prepared.is_registered
    assert expected == {}


def test_a_row_that_is_gone_has_nothing_left_to_send() -> None:
    person = PersonFactory()
    message = Message(operation="person.push", subject=key_of("person", person.pk))
    person.delete()

    assert senders["person.push"].prepare(message) is None
