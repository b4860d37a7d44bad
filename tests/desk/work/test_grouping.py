"""Work items: one for each cause, with its owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.translation import override

from backoffice.desk.work import LIST_OF, LISTS
from backoffice.desk.work_keys import key_for, read_key
from backoffice.desk.work_naming import counted_words
from backoffice.desk.work_rows import Scope, held_by, rows_of
from backoffice.explanations.explanation import OWNERS
from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import CreditReturn, PersonCredit
from credits.status import CreditStatus
from tests.desk.work.conftest import (
    AT_PUBLISHER,
    FAULT,
    NOW,
    PREMATCH,
    credit,
    items,
    one_of_each,
    only,
    place,
    refused,
)
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db


HOUR = timedelta(hours=1)


EAN, OTHER = "9789001234562", "9789006112234"


# --- grouping ------------------------------------------------------------------------------------


def test_four_hundred_faults_of_three_causes_are_three_items() -> None:
    pupil = place()
    causes = ((117, EAN), (117, OTHER), (204, EAN))
    PersonCredit.objects.bulk_create(
        PersonCreditFactory.build(
            school_person=pupil,
            publisher_error_code=code,
            ean=ean,
            specification_changed_at=NOW - timedelta(minutes=number % 30),
            **FAULT,
        )
        for number in range(400)
        for code, ean in (causes[number % 3],)
    )

    found = items()

    assert [item.credits for item in found] == [134, 133, 133]
    assert {item.key for item in found} == {
        str(key_for("fault", code=code, ean=ean, hour="2026-11-21 10")) for code, ean in causes
    }
    assert {item.pupils for item in found} == {1}


def test_the_same_fault_in_another_hour_is_another_item() -> None:
    for at in (NOW, NOW - HOUR, None):
        credit(publisher_error_code=117, specification_changed_at=at, **FAULT)

    assert len(items()) == 3


def test_persons_refused_for_one_code_with_and_without_its_sign_are_one_item() -> None:
    refused(code=-5022)
    refused(code=5022, push_changed_at=NOW - timedelta(minutes=20))
    refused(code=5022, push_changed_at=NOW - HOUR)

    first, second = items()

    assert (first.rows, second.rows) == (2, 1)
    assert first.since == NOW - timedelta(minutes=20)
    assert "2 persons refused" in first.sub


def test_refused_credits_are_told_apart_by_their_book() -> None:
    for ean in (EAN, EAN, OTHER):
        credit(ean=ean, status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-5107)

    assert [item.credits for item in items()] == [2, 1]


def test_credits_that_wait_count_with_the_refused_person() -> None:
    pupil = SchoolPersonFactory(person=refused(), push_state=PushState.WAITING)
    PersonCreditFactory.create_batch(
        3, school_person=pupil, status=CreditStatus.WAITING, push_state=PushState.WAITING
    )

    item = only()

    assert (item.rows, item.credits, item.pupils) == (1, 3, 1)
    assert "3 credits wait behind it" in item.sub
    assert held_by(read_key(item.key), Scope(NOW)).count() == 3


def test_numbers_in_a_line_are_written_as_elsewhere_on_the_page() -> None:
    with override("nl"):
        assert counted_words("person", 1001).startswith("1.001 ")


def test_credits_that_wait_for_something_unknown_are_an_item_of_their_own() -> None:
    credit(status=CreditStatus.WAITING, push_state=PushState.WAITING)

    item = only()

    assert (item.key, item.list, item.credits) == ("held", "mine", 1)


# --- owners --------------------------------------------------------------------------------------


OWNER_OF_STATUS = {
    CreditStatus.NOT_SENT: "wij",
    CreditStatus.SENDING: "niemand",
    CreditStatus.WAITING: "wij",
    CreditStatus.REFUSED: "wij",
    CreditStatus.UNCERTAIN: "niemand",
    CreditStatus.WAITING_FOR_PREMATCH: "school",
    CreditStatus.WAITING_FOR_PUBLISHER: "niemand",
    CreditStatus.PUBLISHER_FAULT: "uitgever",
    CreditStatus.NOT_YET_USABLE: None,
    CreditStatus.USABLE: None,
    CreditStatus.EXPIRED: None,
    CreditStatus.RETURNED: None,
}


PUSH_STATE_OF = {
    CreditStatus.NOT_SENT: PushState.CHANGED,
    CreditStatus.SENDING: PushState.SENDING,
    CreditStatus.WAITING: PushState.WAITING,
    CreditStatus.REFUSED: PushState.REFUSED,
    CreditStatus.UNCERTAIN: PushState.UNCERTAIN,
}


@pytest.mark.parametrize("status", CreditStatus)
@pytest.mark.parametrize("make", [PersonCreditFactory, SchoolCreditFactory])
def test_every_status_has_exactly_one_owner(status: CreditStatus, make: Any) -> None:
    columns = {"status": status, "push_state": PUSH_STATE_OF.get(status, PushState.IN_SYNC)}
    if make is PersonCreditFactory:
        columns["school_person"] = place()
    make(**columns, push_changed_at=NOW)

    found = items()

    wanted = OWNER_OF_STATUS[status]
    if make is SchoolCreditFactory and status == CreditStatus.WAITING_FOR_PREMATCH:
        wanted = None  # a school credit needs no prematch: the status does not exist for it
    assert [item.owner for item in found] == ([wanted] if wanted else [])


@pytest.mark.parametrize("state", PushState)
@pytest.mark.parametrize("make", [PersonFactory, SchoolPersonFactory])
def test_every_sync_state_of_persons_has_exactly_one_owner(state: PushState, make: Any) -> None:
    columns = {} if make is PersonFactory else {"person": PersonFactory(push_state="in_sync")}
    make(push_state=state, push_changed_at=NOW, **columns)

    owners = [item.owner for item in items()]

    calm = {PushState.IN_SYNC, PushState.DELETED}
    if make is PersonFactory:
        calm.add(PushState.WAITING)  # a person waits for nothing but itself
    assert len(owners) == (0 if state in calm else 1)
    assert set(owners) <= set(OWNERS)


def test_every_owner_has_a_list_and_every_item_stands_in_the_list_of_its_owner() -> None:
    one_of_each()

    found = items()

    assert set(LIST_OF) == set(OWNERS)
    assert set(LIST_OF.values()) == set(LISTS)
    assert {item.list for item in found} == set(LISTS)
    for item in found:
        assert item.list == LIST_OF[item.owner]
        assert item.title, item.key
        assert item.next_step, item.key
        assert item.url.startswith("/admin/"), item.key
        assert item.deed.label, item.key
        assert item.deed.do or item.deed.url.startswith("/admin/"), item.key


def test_what_was_refused_for_the_moment_is_ours_after_the_last_try() -> None:
    refused(code=-3)  # Edu-iX is busy: a code that passes by itself

    item = only()

    assert (item.owner, item.deed.do) == ("wij", "push")


def test_an_explanation_of_a_colleague_says_who_must_act() -> None:
    PublisherCode.objects.create(
        code=117, title_nl="Sluit", cause_nl="Op.", remedy_nl="Bel.", owner="school"
    )
    credit(publisher_error_code=117, **FAULT)

    item = only()

    assert (item.list, item.owner) == ("school", "school")


def test_an_unknown_code_of_a_publisher_asks_for_its_explanation() -> None:
    ProductFactory(ean=EAN, title="Getal & Ruimte", publisher="Noorderlicht")
    credit(publisher_error_code=117, specification_changed_at=NOW, **FAULT)

    item = only()

    assert item.title == "The publisher refuses this book"
    assert item.sub.startswith("Getal & Ruimte (9789001 23456 2) · Noorderlicht · 1 credit")
    assert item.deed.label == "Write the explanation"
    assert item.deed.url.startswith("/admin/explanations/publishercode/add/?code=117")
    assert (item.list, item.owner) == ("mine", "wij")  # as the answer about each of its pupils


def test_a_publisher_that_is_silent_for_longer_than_usual_must_act() -> None:
    credit(**AT_PUBLISHER, push_changed_at=NOW - timedelta(hours=2))
    late = credit(**AT_PUBLISHER, push_changed_at=NOW - timedelta(days=2))

    lists = {item.list: item for item in items()}

    assert set(lists) == {"itself", "publisher"}
    rows = rows_of(read_key(lists["publisher"].key), Scope(NOW))["person_credit"]
    assert list(rows) == [late]
    assert lists["publisher"].since == NOW - timedelta(days=2)


def test_a_publisher_that_always_answered_within_minutes_is_silent_after_hours() -> None:
    pupil = place()
    for _number in range(20):
        credit(
            school_person=pupil,
            status=CreditStatus.USABLE,
            specification_state="Specified",
            push_changed_at=NOW - timedelta(days=1),
            specification_changed_at=NOW - timedelta(days=1) + timedelta(minutes=3),
        )
    credit(**AT_PUBLISHER, push_changed_at=NOW - timedelta(hours=5))

    assert only().list == "publisher"


def test_a_publisher_waits_for_the_link_of_the_school_and_not_longer() -> None:
    linked = place(user_id="abc", user_id_changed_at=NOW - timedelta(hours=1))
    credit(school_person=linked, **AT_PUBLISHER, push_changed_at=NOW - timedelta(days=9))

    assert only().list == "itself"


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"stopped_at": NOW, "code": -2208}, "login"),
        ({"beat_at": NOW - timedelta(minutes=10)}, "standstill"),
        ({}, "sending"),
    ],
)
def test_what_is_under_way_is_ours_when_sending_stands_still(columns: Any, key: str) -> None:
    ServiceState.objects.filter(service=SERVICE).update(**columns)
    credit(status=CreditStatus.SENDING, push_state=PushState.QUEUED)

    item = only()

    assert item.key == key
    assert item.list == ("itself" if key == "sending" else "mine")


@pytest.mark.parametrize(
    ("columns", "minutes", "key", "which"),
    [
        ({}, 9, "sending", "itself"),
        ({}, 11, "stuck", "mine"),
        ({"failures": 3}, 11, "unreachable", "eduix"),
        ({"failures": 1}, 11, "stuck", "mine"),
    ],
)
def test_what_is_under_way_for_long_is_ours_unless_edu_ix_is_away(
    columns: Any, minutes: int, key: str, which: str
) -> None:
    """As the answer to "why no access?" says of each pupil."""
    ServiceState.objects.filter(service=SERVICE).update(**columns)
    since = NOW - timedelta(minutes=minutes)
    credit(status=CreditStatus.SENDING, push_state=PushState.QUEUED, push_changed_at=since)

    item = only()

    assert (item.key, item.list, item.deed.do) == (key, which, "" if key == "sending" else "resume")
    found = rows_of(read_key(item.key), Scope(NOW))
    assert found["person_credit"].count() == 1


def test_a_link_that_the_school_undid_is_the_schools_work_although_the_book_was_accepted() -> None:
    pupil = place(user_id="", eck_id="", user_id_changed_at=NOW - timedelta(days=1))
    accepted = PersonCreditFactory(
        school_person=pupil, push_state=PushState.IN_SYNC, specification_state="Specified"
    )
    PersonCredit.objects.filter(pk=accepted.pk).refresh_statuses()

    assert only().list == "school"


def test_rows_that_were_never_sent_are_one_item_for_each_school() -> None:
    school = SchoolFactory(name="De Brug")
    pupil = SchoolPersonFactory(school=school)  # neither person nor link was sent
    PersonCreditFactory.create_batch(2, school_person=pupil)
    SchoolCreditFactory(school=school)
    PersonFactory()

    first, second = items()

    assert first.title == "De Brug: not sent to Edu-iX yet"
    assert first.parts == {
        "person": 1,
        "schoolperson": 1,
        "person_credit": 2,
        "school_credit": 1,
    }
    assert (first.credits, first.pupils, first.deed.do) == (3, 1, "push")
    assert "at no school" in second.sub


def test_a_refused_return_is_not_forgotten() -> None:
    back = CreditReturn.objects.create(
        reference="R1", person_credit=credit(status=CreditStatus.USABLE), push_state="refused"
    )

    item = only()

    assert item.parts == {"credit_return": 1}
    assert list(rows_of(read_key(item.key), Scope(NOW))["credit_return"]) == [back]


def test_what_is_deleted_expired_or_withdrawn_is_no_work() -> None:
    gone = NOW.date() - timedelta(days=1)
    PersonFactory(push_state=PushState.DELETED)
    credit(credit_end_date=gone, publisher_error_code=117, **FAULT)
    credit(credit_end_date=gone, **PREMATCH)
    credit(credit_end_date=gone, **AT_PUBLISHER)
    CreditReturn.objects.create(
        reference="R1",
        person_credit=credit(status=CreditStatus.USABLE),
        push_state="refused",
        withdrawn_at=NOW,
    )

    assert items() == []
