"""The rules by which a notification is taken over into our columns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.explanations.models import UnknownCode
from backoffice.outbox.models import Message
from credits.models import PersonCredit
from notifications.applying import MAX_TRIES, apply_waiting
from notifications.models import Notification
from persons.models import Person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)
from tests.notifications.rows import (
    ECK_ID,
    answered,
    due_now,
    prematch,
    specification,
    verdicts,
)

pytestmark = pytest.mark.django_db(transaction=True)


# --- persons ------------------------------------------------------------------------------------


def test_a_prematch_is_taken_over() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    notification = prematch("K-1", "elo-1", ECK_ID)

    handled = apply_waiting()

    person.refresh_from_db()
    notification.refresh_from_db()
    assert handled == 1
    assert (person.user_id, person.eck_id) == ("elo-1", ECK_ID)
    assert person.user_id_changed_at == notification.received_at
    assert (notification.verdict, notification.tries) == ("applied", 1)
    assert notification.applied_at is not None


def test_it_goes_to_who_has_the_number_now() -> None:
    deleted = PersonFactory(distributor_person_id="K-1", push_state="deleted", surname="Aap")
    person = PersonFactory(distributor_person_id="K-1", surname="Zee")
    prematch("K-1", "elo-1")

    apply_waiting()

    person.refresh_from_db()
    deleted.refresh_from_db()
    assert (person.user_id, deleted.user_id) == ("elo-1", "")


def test_an_absent_user_id_unlinks_and_an_absent_eck_id_stays() -> None:
    person = PersonFactory(distributor_person_id="K-1", user_id="elo-1", eck_id=ECK_ID)
    prematch("K-1", "")

    apply_waiting()

    person.refresh_from_db()
    assert (person.user_id, person.eck_id) == ("", ECK_ID)


def test_an_eck_id_of_another_length_is_not_taken_over() -> None:
    person = PersonFactory(distributor_person_id="K-1", eck_id=ECK_ID)
    notification = prematch("K-1", "elo-1", "short")

    apply_waiting()

    person.refresh_from_db()
    assert (person.user_id, person.eck_id) == ("elo-1", ECK_ID)
    assert verdicts(notification) == ["applied"]


def test_a_prematch_lets_credits_stop_waiting_for_it() -> None:
    school_person = SchoolPersonFactory(person__distributor_person_id="K-1")
    credit = PersonCreditFactory(
        school_person=school_person, push_state="in_sync", status="waiting_for_prematch"
    )
    prematch("K-1", "elo-1")

    apply_waiting()

    credit.refresh_from_db()
    assert credit.status == "waiting_for_publisher"


def test_no_history_row_tells_of_a_notification() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    before = person.history.count()
    prematch("K-1", "elo-1", ECK_ID)

    apply_waiting()

    assert person.history.count() == before


# --- credits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "state", "code", "status"),
    [
        ((None,), "Specified", None, "usable"),
        ((117,), "Fault", 117, "publisher_fault"),
        ((117, None), "Specified", None, "usable"),
    ],
)
def test_a_specification_is_taken_over(
    codes: tuple[int | None, ...], state: str, code: int | None, status: str
) -> None:
    credit = PersonCreditFactory(distributor_person_credit_id="C-1", push_state="in_sync")
    notification = specification("C-1", *codes)

    apply_waiting()

    credit.refresh_from_db()
    assert (credit.specification_state, credit.publisher_error_code) == (state, code)
    assert (credit.publisher_response_id, credit.status) == ("R", status)
    assert credit.specification_changed_at == notification.received_at
    assert credit.specification_state_date == timezone.localdate(notification.received_at)


def test_a_school_credit_adds_up_what_was_specified() -> None:
    credit = SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    specification("S-1", None, 205, None)

    apply_waiting()

    credit.refresh_from_db()
    assert (credit.specified, credit.specification_state) == (2, "Fault")
    assert credit.publisher_error_code == 205


def test_a_return_is_taken_over_and_its_failure_is_told() -> None:
    credit = PersonCreditFactory(
        distributor_person_credit_id="C-1", specification_state="Specified"
    )
    notification = specification("C-1", None, state="Returned", correction=309)

    apply_waiting()

    credit.refresh_from_db()
    notification.refresh_from_db()
    assert (credit.person_product_state, credit.specification_state) == ("Returned", "Specified")
    assert (notification.verdict, notification.reason) == ("applied", "return_not_processed:309")


def test_codes_that_nobody_explained_are_counted_once_each() -> None:
    PersonCreditFactory(distributor_person_credit_id="C-1", ean="9789001234562")
    specification("C-1", 116, 117, state="Returned", correction=309)

    apply_waiting()

    noted = UnknownCode.objects.values_list("code", "count").order_by("code")
    assert list(noted) == [(116, 1), (117, 1), (309, 1)]


def test_a_number_of_both_kinds_goes_to_the_person_credit() -> None:
    person_credit = PersonCreditFactory(distributor_person_credit_id="X-1")
    school_credit = SchoolCreditFactory(distributor_school_credit_id="X-1")
    notification = specification("X-1", None)

    apply_waiting()

    person_credit.refresh_from_db()
    school_credit.refresh_from_db()
    notification.refresh_from_db()
    assert person_credit.specification_state == "Specified"
    assert school_credit.specification_state == ""
    assert notification.flags == ["both_credits"]


def test_an_unknown_state_leaves_ours_as_it_is() -> None:
    credit = PersonCreditFactory(distributor_person_credit_id="C-1")
    specification("C-1", None, state="Blocked")

    apply_waiting()

    credit.refresh_from_db()
    assert (credit.person_product_state, credit.specification_state) == ("Active", "Specified")


# --- the same again, and order ------------------------------------------------------------------


def test_the_same_five_times_is_applied_once() -> None:
    PersonCreditFactory(distributor_person_credit_id="C-1")
    rows = [specification("C-1", None) for _ in range(5)]

    apply_waiting()

    assert verdicts(*rows) == ["applied", *["duplicate"] * 4]


def test_a_b_a_is_three_events() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    rows = [prematch("K-1", user_id) for user_id in ("a", "b", "a")]

    apply_waiting()

    person.refresh_from_db()
    assert verdicts(*rows) == ["applied"] * 3
    assert person.user_id == "a"


def test_the_same_again_counts_when_our_row_says_otherwise_by_now() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    prematch("K-1", "a")
    apply_waiting()
    Person.objects.update(user_id="")
    again = prematch("K-1", "a")

    apply_waiting()

    person.refresh_from_db()
    assert verdicts(again) == ["applied"]
    assert person.user_id == "a"


def test_kinds_and_subjects_do_not_mix() -> None:
    PersonFactory(distributor_person_id="X-1")
    PersonFactory(distributor_person_id="X-2")
    PersonCreditFactory(distributor_person_credit_id="X-1")
    rows = [prematch("X-1", "a"), specification("X-1", None), prematch("X-2", "a")]

    apply_waiting()

    assert verdicts(*rows) == ["applied"] * 3


def test_one_that_comes_late_never_overwrites_a_newer_one() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    late, newer = prematch("K-1", "old"), prematch("K-1", "new")
    Notification.objects.filter(pk=late.pk).update(
        verdict="failed", tries=1, due_at=timezone.now() + timedelta(hours=1)
    )
    apply_waiting()
    due_now()

    apply_waiting()

    person.refresh_from_db()
    assert verdicts(late, newer) == ["superseded", "applied"]
    assert person.user_id == "new"


def test_one_that_comes_late_never_overwrites_a_newer_duplicate() -> None:
    person = PersonFactory(distributor_person_id="K-1")
    first = prematch("K-1", "a")
    apply_waiting()
    late, newer = prematch("K-1", "b"), prematch("K-1", "a")
    Notification.objects.filter(pk=late.pk).update(
        verdict="failed", tries=1, due_at=timezone.now() + timedelta(hours=1)
    )
    apply_waiting()
    due_now()

    apply_waiting()

    person.refresh_from_db()
    assert verdicts(first, late, newer) == ["applied", "superseded", "duplicate"]
    assert person.user_id == "a"


# --- steps backwards ----------------------------------------------------------------------------


def specified_credit() -> PersonCredit:
    credit: PersonCredit = PersonCreditFactory(
        distributor_person_credit_id="C-1", push_state="in_sync"
    )
    specification("C-1", None)
    apply_waiting()
    credit.refresh_from_db()
    assert credit.specification_state == "Specified"
    return credit


def test_a_step_backwards_asks_first() -> None:
    credit = specified_credit()
    fault = specification("C-1", 117)

    apply_waiting()

    credit.refresh_from_db()
    fault.refresh_from_db()
    asked = Message.objects.get()
    assert (asked.operation, asked.subject) == ("person_credit.fetch", f"person_credit:{credit.pk}")
    assert (fault.verdict, fault.reason, fault.tries) == ("waiting", "asked", 0)
    assert credit.specification_state == "Specified"


def test_a_step_backwards_that_is_confirmed_is_applied_with_its_code() -> None:
    credit = specified_credit()
    fault = specification("C-1", 117)
    apply_waiting()
    answered("Active", "Fault")
    due_now()

    apply_waiting()

    credit.refresh_from_db()
    assert verdicts(fault) == ["applied"]
    assert (credit.specification_state, credit.publisher_error_code) == ("Fault", 117)


def test_a_step_backwards_that_is_not_confirmed_is_superseded() -> None:
    credit = specified_credit()
    fault = specification("C-1", 117)
    apply_waiting()
    answered("Active", "Specified")
    due_now()

    apply_waiting()

    credit.refresh_from_db()
    fault.refresh_from_db()
    assert (fault.verdict, fault.reason) == ("superseded", "not_confirmed")
    assert credit.specification_state == "Specified"


def test_while_the_question_is_open_the_notification_waits_for_ever() -> None:
    specified_credit()
    fault = specification("C-1", 117)

    for _ in range(MAX_TRIES + 3):
        apply_waiting()
        due_now()

    fault.refresh_from_db()
    assert (fault.verdict, fault.tries) == ("waiting", 0)
    assert Message.objects.count() == 1


def test_a_newer_one_does_not_wait_for_the_question() -> None:
    credit = specified_credit()
    fault = specification("C-1", 117)
    apply_waiting()
    returned = specification("C-1", None, state="Returned")

    apply_waiting()
    due_now()
    apply_waiting()

    credit.refresh_from_db()
    assert verdicts(fault, returned) == ["superseded", "applied"]
    assert credit.person_product_state == "Returned"


def test_returned_becomes_active_only_when_edu_ix_says_so() -> None:
    credit = specified_credit()
    specification("C-1", None, state="Returned")
    apply_waiting()
    active = specification("C-1", None, state="Active")
    apply_waiting()
    credit.refresh_from_db()
    before = credit.person_product_state
    answered("Active", "Specified")
    due_now()

    apply_waiting()

    credit.refresh_from_db()
    assert (before, credit.person_product_state) == ("Returned", "Active")
    assert verdicts(active) == ["applied"]


def test_a_question_that_failed_is_asked_again_and_given_up_in_the_end() -> None:
    specified_credit()
    fault = specification("C-1", 117)

    for _ in range(30):
        apply_waiting()
        Message.objects.update(status=Message.Status.REFUSED)
        due_now()

    fault.refresh_from_db()
    assert (fault.verdict, fault.tries) == ("dead", MAX_TRIES)
    assert "FetchFailed" in fault.traceback
