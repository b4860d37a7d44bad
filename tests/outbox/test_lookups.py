"""`one_of`: the same rows as `in`, with all values in one parameter."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.outbox.models import Message
from persons.models import Person
from tests.outbox.test_together import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys() -> list[int]:
    queued(5)
    return list(Message.objects.order_by("pk").values_list("pk", flat=True))


def test_whole_numbers(keys: list[int]) -> None:
    found = Message.objects.filter(pk__one_of=[*keys[1:3], 10**15]).order_by("pk")

    assert list(found.values_list("pk", flat=True)) == keys[1:3]


@pytest.mark.parametrize(
    "odd", ["person:1", 'a"b', "a\\b", "{a,b}", "'; drop table x", "é\n", "", "%s", "NULL"]
)
def test_texts_of_any_kind(keys: list[int], odd: str) -> None:
    Message.objects.filter(pk=keys[0]).update(chain=odd)

    found = Message.objects.filter(chain__one_of=[odd, "another"])

    assert list(found.values_list("pk", flat=True)) == [keys[0]]


def test_nothing_is_one_of_none(keys: list[int]) -> None:
    assert not Message.objects.filter(pk__one_of=[]).exists()
    assert not Message.objects.filter(chain__one_of=()).exists()


def test_changes_and_the_rows_that_are_left_out(keys: list[int]) -> None:
    persons = list(Person.objects.order_by("pk").values_list("pk", flat=True))

    changed = Person.objects.exclude(pk=persons[0]).filter(pk__one_of=persons[:2])

    assert changed.update(push_text="x") == 1
    assert list(Person.objects.filter(push_text="x").values_list("pk", flat=True)) == [persons[1]]


def test_tens_of_thousands_are_one_parameter(keys: list[int]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        found = list(Message.objects.filter(pk__one_of=range(40_000_000, 40_060_000)))

    assert found == []
    assert len(seen) == 1


@pytest.mark.parametrize("wrong", [["x"], [None]])
def test_what_is_no_number_never_reaches_the_database(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Message.objects.filter(pk__one_of=wrong).exists()
