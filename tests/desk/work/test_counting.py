"""What items count, for whom, under which key, and in how many queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from backoffice.desk.work_keys import FAMILIES, UnknownKey, hour_words, read_key
from backoffice.desk.work_rows import Scope, rows_of
from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import PushState
from credits.models import PersonCredit
from persons.models import Person
from tests.desk.work.conftest import (
    AT_PUBLISHER,
    FAULT,
    NOW,
    PREMATCH,
    credit,
    items,
    one_of_each,
    only,
    refused,
)
from tests.factories import (
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


# --- sums ----------------------------------------------------------------------------------------


def test_every_item_counts_exactly_the_rows_that_its_list_and_its_button_find() -> None:
    one_of_each()
    one_of_each()

    for item in items():
        rows = {
            kind: found.count() for kind, found in rows_of(read_key(item.key), Scope(NOW)).items()
        }
        parts = {kind: number for kind, number in item.parts.items() if kind != "held"}
        assert {kind: number for kind, number in rows.items() if number} == parts, item.key


# --- one account manager -------------------------------------------------------------------------


def test_an_account_manager_sees_the_own_schools_and_what_is_at_no_school() -> None:
    fatima, joost = UserFactory(), UserFactory()
    ours, theirs = SchoolFactory(account_manager=fatima), SchoolFactory(account_manager=joost)
    for school in (ours, theirs, theirs):
        credit(school, publisher_error_code=117, specification_changed_at=NOW, **FAULT)
        credit(school, **PREMATCH)
        refused(SchoolPersonFactory, school=school, person=PersonFactory(push_state="in_sync"))
        person = refused(code=5020)
        SchoolPersonFactory(person=person, school=school, push_state=PushState.IN_SYNC)
    refused(code=5022)

    def rows(user: Any) -> dict[str, int]:
        return {item.key: item.rows for item in items(account_manager=user)}

    assert set(rows(fatima)) < set(rows(None))  # the other school's pupils wait for that school
    assert sorted(rows(fatima).values()) == [1, 1, 1, 1, 1]
    assert sorted(rows(joost).values()) == [1, 2, 2, 2, 2]
    assert sorted(rows(None).values()) == [1, 1, 2, 3, 3, 3]


def test_rows_of_one_account_manager_are_those_that_were_counted() -> None:
    fatima = UserFactory()
    one_of_each()
    for row in Person.objects.all():
        SchoolPersonFactory(
            person=row, school=SchoolFactory(account_manager=fatima), push_state="in_sync"
        )

    for item in items(account_manager=fatima):
        rows = rows_of(read_key(item.key), Scope(NOW, fatima))
        assert sum(found.count() for found in rows.values()) == item.rows, item.key


# --- keys ----------------------------------------------------------------------------------------


def test_keys_stay_when_rows_come_and_go() -> None:
    credit(publisher_error_code=117, specification_changed_at=NOW, **FAULT)
    before = only()

    PersonCredit.objects.all().delete()
    credit(publisher_error_code=117, specification_changed_at=NOW, **FAULT)

    assert only().key == before.key
    assert only().max_pk > before.max_pk


def test_every_key_is_read_back_as_it_was() -> None:
    one_of_each()

    for item in items():
        assert str(read_key(item.key)) == item.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "refused",
        "refused:person:1:2",
        "refused:school:5022::",
        "refused:person:5022::2026-13-45%2010",
        "refused:person:5022::2026-11-21 10",
        "refused:person:٣::",
        "prematch:one",
        "prematch:99999999999999999999",
        "unsent:in_sync:1",
        "notification:applied",
        f"publisher:{'9' * 31}",
        "publisher:%00",
        "held:",
    ],
)
def test_a_key_that_no_item_can_have_is_refused(text: str) -> None:
    with pytest.raises(UnknownKey):
        read_key(text)


def test_an_hour_is_told_in_utc_whatever_the_zone_of_the_screen() -> None:
    assert hour_words(timezone.localtime(NOW)) == "2026-11-21 10"
    assert set(FAMILIES["fault"]) == {"code", "ean", "hour"}


# --- queries -------------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_depend_on_the_items(
    django_assert_num_queries: Any,
) -> None:
    one_of_each()
    with django_assert_num_queries(36):
        few = items()
    for number in range(1, 6):
        refused(code=5000 + 20 * number)
        credit(ean=f"978900123456{number}", publisher_error_code=200 + number, **FAULT)
        credit(**PREMATCH)
        credit(ean=f"978900123456{number}", **AT_PUBLISHER, push_changed_at=NOW)
    PublisherCode.objects.create(code=201, title_nl="Op", cause_nl="Op.", remedy_nl="Bel.")

    with django_assert_num_queries(36):
        many = items()

    assert len(many) >= len(few) + 15
