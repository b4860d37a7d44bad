"""Order, repeats and pieces, where the sender tells numbers and moments (4.3)."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.explanations.models import UnknownCode
from backoffice.outbox.models import Message
from credits.models import PersonCredit, SchoolCredit
from notifications.applying import apply_waiting
from notifications.models import Notification
from notifications.services import replay
from tests.factories import PersonCreditFactory, SchoolCreditFactory
from tests.notifications.rows import (
    answered,
    due_now,
    in_pieces,
    piece,
    specification,
    verdicts,
)

pytestmark = pytest.mark.django_db(transaction=True)


def person_credit() -> PersonCredit:
    credit: PersonCredit = PersonCreditFactory(
        distributor_person_credit_id="C-1", push_state="in_sync"
    )
    return credit


def state_of(credit: PersonCredit | SchoolCredit) -> tuple[str, int | None]:
    credit.refresh_from_db()
    return credit.specification_state, credit.publisher_error_code


def test_a_specification_is_taken_over_with_its_own_day() -> None:
    credit = person_credit()
    row = in_pieces("C-1", piece(5, 117), single=False)

    apply_waiting()

    assert verdicts(row) == ["applied"]
    assert state_of(credit) == ("Fault", 117)
    assert str(credit.specification_state_date) == "2026-08-20"
    assert UnknownCode.objects.get().code == 117


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])))
@pytest.mark.parametrize("single", [True, False])
def test_in_any_order_the_newest_moment_decides(order: tuple[int, ...], single: bool) -> None:
    credit = person_credit()
    entries = [piece(3, 117), piece(5, 118), piece(9)]
    for place in order:
        upto = entries[place : place + 1] if single else entries[: place + 1]
        in_pieces("C-1", *upto, single=single)
        apply_waiting()

    assert state_of(credit) == ("Specified", None)
    assert not Message.objects.exists()  # nothing had to be asked
    assert set(Notification.objects.values_list("verdict", flat=True)) <= {"applied", "superseded"}


def test_the_same_number_again_is_a_duplicate_also_after_another() -> None:
    credit = person_credit()
    rows = [
        in_pieces("C-1", piece(number, code)) for number, code in ((5, 117), (9, None), (5, 117))
    ]

    apply_waiting()

    assert verdicts(*rows) == ["applied", "applied", "duplicate"]
    assert state_of(credit) == ("Specified", None)


def test_the_same_number_with_a_later_moment_is_news() -> None:
    credit = person_credit()
    rows = [in_pieces("C-1", piece(5, 117, minute=1)), in_pieces("C-1", piece(5, minute=2))]

    apply_waiting()

    assert verdicts(*rows) == ["applied", "applied"]
    assert state_of(credit) == ("Specified", None)


def test_an_older_whole_state_is_superseded() -> None:
    credit = person_credit()
    newer = in_pieces("C-1", piece(5, 117), piece(9), single=False)
    apply_waiting()
    older = in_pieces("C-1", piece(5, 117), single=False)

    apply_waiting()

    assert verdicts(newer, older) == ["applied", "superseded"]
    assert state_of(credit) == ("Specified", None)


def test_a_school_credit_adds_up_what_came_in_pieces() -> None:
    credit = SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    rows = [
        in_pieces("S-1", piece(7, 205, amount=5, request_id="Q")),
        in_pieces("S-1", piece(6, amount=3)),  # late
        in_pieces("S-1", piece(5, amount=20)),
    ]
    apply_waiting()
    credit.refresh_from_db()
    before = credit.specified, credit.specification_state, credit.publisher_error_code
    rows.append(in_pieces("S-1", piece(9, amount=5, request_id="Q")))  # the same request, mended

    apply_waiting()

    credit.refresh_from_db()
    assert verdicts(*rows) == ["applied"] * 4
    assert before == (23, "Fault", 205)
    assert (credit.specified, credit.specification_state) == (28, "Specified")


def test_a_whole_state_begins_anew_for_those_after_it() -> None:
    credit = SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    in_pieces("S-1", piece(5, amount=20))
    in_pieces("S-1", piece(7, amount=4), single=False)
    in_pieces("S-1", piece(8, amount=1))

    apply_waiting()

    credit.refresh_from_db()
    assert credit.specified == 5


def test_what_was_skipped_or_says_an_unknown_word_takes_nothing_away() -> None:
    credit = person_credit()
    in_pieces("C-1", piece(5))
    rows = [
        in_pieces("C-1", piece(6, state="skipped", request_id="", response_id="")),
        in_pieces("C-1", piece(7, state="no word of ours", response_id="")),
    ]

    apply_waiting()

    assert verdicts(*rows) == ["applied", "applied"]
    assert state_of(credit) == ("Specified", None)
    assert not Message.objects.exists()


def test_a_step_backwards_is_still_asked_about() -> None:
    credit = person_credit()
    in_pieces("C-1", piece(5))
    fault = in_pieces("C-1", piece(9, 117))
    apply_waiting()
    before = verdicts(fault), state_of(credit)
    answered("Active", "Fault")
    due_now()

    apply_waiting()

    assert before == (["waiting"], ("Specified", None))
    assert verdicts(fault) == ["applied"]
    assert state_of(credit) == ("Fault", 117)


def test_what_is_older_than_our_row_is_asked_about_also_when_it_is_a_step_forward() -> None:
    """A get told Fault this morning; a success of last summer comes only now."""
    credit = person_credit()
    PersonCredit.objects.update(
        specification_state="Fault", specification_changed_at=timezone.now()
    )
    late = in_pieces("C-1", piece(5))
    apply_waiting()
    before = verdicts(late), state_of(credit)
    answered("Active", "Fault")
    due_now()

    apply_waiting()

    assert before == (["waiting"], ("Fault", None))
    assert verdicts(late) == ["superseded"]
    assert state_of(credit) == ("Fault", None)


def test_a_later_one_of_40_counts_and_what_43_told_before_it_does_not_undo_it() -> None:
    credit = person_credit()
    first = in_pieces("C-1", piece(5, 117))
    old = specification("C-1", None)
    again = in_pieces("C-1", piece(5, 117))
    apply_waiting()
    before = verdicts(first, old, again), state_of(credit)
    answered("Active", "Specified")
    due_now()

    apply_waiting()

    assert before == (["applied", "applied", "waiting"], ("Specified", None))
    assert verdicts(again) == ["superseded"]
    assert state_of(credit) == ("Specified", None)


def test_both_versions_about_the_same_event_agree() -> None:
    credit = person_credit()
    rows = [specification("C-1", 117), in_pieces("C-1", piece(5, 117))]

    apply_waiting()

    assert verdicts(*rows) == ["applied", "applied"]
    assert state_of(credit) == ("Fault", 117)
    assert not Message.objects.exists()


def later(minutes: int) -> str:
    return (timezone.now() + timedelta(minutes=minutes)).isoformat(timespec="microseconds")


def test_a_clock_that_is_ahead_does_not_lock_out_what_follows() -> None:
    credit = person_credit()
    rows = [
        in_pieces("C-1", piece(5, 117, time_stamp=later(600))),
        in_pieces("C-1", piece(6, time_stamp=later(601))),
        specification("C-1", None, state="Returned"),
    ]

    apply_waiting()

    assert verdicts(*rows) == ["applied"] * 3
    credit.refresh_from_db()
    assert credit.person_product_state == "Returned"


def test_one_of_40_that_failed_gives_way_to_a_newer_one_of_43_only() -> None:
    credit = person_credit()
    failed = specification("C-1", 118)
    old_news = in_pieces("C-1", piece(5, 117))
    Notification.objects.filter(pk=failed.pk).update(
        verdict="failed", tries=1, due_at=timezone.now() + timedelta(hours=1)
    )
    apply_waiting()
    due_now()
    apply_waiting()
    after_old_news = verdicts(failed, old_news), state_of(credit)
    again = specification("C-1", 119)
    newer = in_pieces("C-1", piece(9, time_stamp=later(0)))
    Notification.objects.filter(pk=again.pk).update(
        verdict="failed", tries=1, due_at=timezone.now() + timedelta(hours=1)
    )
    apply_waiting()
    due_now()
    apply_waiting()

    assert after_old_news == (["applied", "applied"], ("Fault", 118))
    assert verdicts(again, newer) == ["superseded", "applied"]
    assert state_of(credit) == ("Specified", None)


def test_a_licence_block_is_kept_and_changes_nothing() -> None:
    credit = person_credit()
    in_pieces("C-1", piece(5))
    block = piece(1, 401) | {"block_type": "Block", "specification_id": "Q5", "state": "done"}
    rows = [
        in_pieces("C-1", single=single, license_block=[block]) for single in (False, True, False)
    ]

    apply_waiting()

    rows[0].refresh_from_db()
    assert verdicts(*rows) == ["applied", "duplicate", "duplicate"]
    assert rows[0].reason == "license_block"
    assert state_of(credit) == ("Specified", None)
    assert UnknownCode.objects.get().code == 401


def test_a_return_that_was_not_processed_is_told_once() -> None:
    person_credit()
    rows = [
        in_pieces("C-1", piece(5), correction=[piece(6, 309)]),
        in_pieces("C-1", piece(7)),
    ]

    apply_waiting()

    reasons = [Notification.objects.get(pk=row.pk).reason for row in rows]
    assert reasons == ["return_not_processed:309", ""]


def test_applying_all_again_ends_where_it_was() -> None:
    credit = person_credit()
    for number, code in ((5, 117), (9, None), (7, 118)):
        in_pieces("C-1", piece(number, code))
    apply_waiting()

    replay(notifications=Notification.objects.all())

    assert state_of(credit) == ("Specified", None)
