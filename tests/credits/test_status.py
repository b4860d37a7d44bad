"""The status of a credit: complete, and the same in Python as in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import pytest

from backoffice.explanations import texts
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.services import explain
from backoffice.outbox.models import PushState
from credits.models import PersonCredit, SchoolCredit
from credits.services import facts_of
from credits.status import (
    FROM_PUSH_STATE,
    CreditFacts,
    CreditStatus,
    credit_status,
    status_on,
    stored_status,
)
from tests.factories import PersonCreditFactory, SchoolCreditFactory

TODAY = date(2026, 11, 21)
DAY = timedelta(days=1)
DATES = (TODAY - 90 * DAY, TODAY + 90 * DAY)
OWNERS = {"wij", "school", "uitgever", "Edu-iX", "leverancier", "niemand"}
FINE = {CreditStatus.USABLE, CreditStatus.NOT_YET_USABLE, CreditStatus.RETURNED}

PUSH_STATES = [state.value for state in PushState if state != PushState.DELETED]
SPECIFICATIONS = ["", "Specified", "Fault", "SomethingNew"]
CODES_OF_PUSHES = [None, 0, 6, -2606, 5022, 5029, 99999]
CODES_OF_PUBLISHERS = [None, 117, 118, -1]  # somebody has written what 118 means
# whether a publisher recognises the person, and whether the school undid its link
RECOGNISED = ((None, False), (True, False), (False, False), (False, True))
STARTS, ENDS = (-1, 0, 1), (None, -1, 0, 1)


def every_combination() -> Iterator[CreditFacts]:
    """All that can be told apart; dates lie the day before, on and after today."""
    for values in product(
        PUSH_STATES, SPECIFICATIONS, CODES_OF_PUBLISHERS, RECOGNISED, (True, False)
    ):
        push_state, specification, publisher_code, (recognisable, undone), returned = values
        for start, end, code in product(STARTS, ENDS, CODES_OF_PUSHES):
            yield CreditFacts(
                push_state=push_state,
                credit_start_date=TODAY + start * DAY,
                credit_end_date=None if end is None else TODAY + end * DAY,
                push_code=code,
                specification_state=specification,
                publisher_error_code=publisher_code,
                is_recognisable=recognisable,
                is_link_undone=undone,
                is_returned=returned,
            )


@pytest.mark.django_db  # a publisher's code is looked up in a table
def test_every_combination_has_a_status_an_owner_and_an_explanation_in_both_languages() -> None:
    PublisherCode.objects.create(
        code=118,
        title_nl="T",
        cause_nl="C.",
        remedy_nl="R.",
        title_en="T",
        cause_en="C.",
        remedy_en="R.",
    )
    told = set()

    for facts in every_combination():
        answer = credit_status(facts, TODAY)
        assert answer.status in CreditStatus
        assert answer.owner in OWNERS
        if answer.status not in FINE and answer.owner != "niemand":
            assert answer.actions or answer.clears_itself, facts
        told.add(answer.explanation)

    for reference, lang in product(sorted(told), texts.LANGUAGES):
        explanation = explain(reference, lang=lang)
        for part in (explanation.title, explanation.cause, explanation.remedy, explanation.passes):
            assert part.strip(), (reference, lang)
        nobody_wrote = {"5029", "99999", "publisher:117", "publisher:-1"}
        assert explanation.known == (reference not in nobody_wrote), reference


def test_only_what_is_sent_accepted_and_valid_today_is_called_usable() -> None:
    for facts in every_combination():
        end = facts.credit_end_date
        usable = (
            facts.push_state == "in_sync"
            and facts.specification_state == "Specified"
            and not facts.is_link_undone
            and not facts.is_returned
            and facts.credit_start_date <= TODAY
            and (end is None or end >= TODAY)
        )
        status = credit_status(facts, TODAY).status
        assert (status == CreditStatus.USABLE) == usable, facts


def test_the_stored_status_knows_no_dates_and_no_codes() -> None:
    found: dict[tuple[object, ...], set[CreditStatus]] = {}
    for facts in every_combination():
        recognised = (facts.is_recognisable, facts.is_link_undone)
        which = (facts.push_state, facts.specification_state, *recognised)
        stored = stored_status(facts)
        found.setdefault((*which, facts.is_returned), set()).add(stored)

    assert {len(statuses) for statuses in found.values()} == {1}
    everything = set().union(*found.values())
    assert everything == set(CreditStatus) - {CreditStatus.EXPIRED, CreditStatus.NOT_YET_USABLE}


def test_each_push_state_is_either_a_status_or_leaves_it_to_the_publisher() -> None:
    assert set(PushState) - set(FROM_PUSH_STATE) == {PushState.IN_SYNC, PushState.DELETED}


def test_an_expired_credit_is_nobodys_work_and_can_still_be_extended() -> None:
    facts = CreditFacts("in_sync", TODAY - 9 * DAY, TODAY - DAY, is_recognisable=True)

    answer = credit_status(facts, TODAY)

    assert (answer.owner, answer.clears_itself, answer.actions) == ("niemand", False, ("extend",))


def test_a_school_credit_of_which_nothing_is_left_says_so() -> None:
    credit = SchoolCreditFactory.build(amount=30, returned=30, push_state="in_sync")

    answer = credit_status(facts_of(credit), TODAY)

    assert answer.status == CreditStatus.RETURNED
    assert explain(answer.explanation, lang="nl").title.startswith("Er is niets over")
    for status in ("waiting", "usable", "expired", "returned"):
        words = explain(f"own:school_{status}", lang="nl")
        assert (words.owner, words.clears_itself) == (
            explain(f"own:{status}", lang="nl").owner,
            explain(f"own:{status}", lang="nl").clears_itself,
        )
        assert "persoon" not in f"{words.title} {words.cause} {words.remedy}"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"push_state": "local_only"}, "not_sent"),
        ({"push_state": "changed"}, "not_sent"),
        ({"push_state": "queued"}, "sending"),
        ({"push_state": "sending"}, "sending"),
        ({"push_state": "waiting"}, "waiting"),
        ({"push_state": "refused", "push_code": -5102}, "refused"),
        ({"push_state": "conflict"}, "refused"),
        ({"push_state": "uncertain"}, "uncertain"),
        ({"is_recognisable": False}, "waiting_for_prematch"),
        ({"is_recognisable": True}, "waiting_for_publisher"),
        ({"is_recognisable": None}, "waiting_for_publisher"),
        ({"specification_state": "Fault", "publisher_error_code": 117}, "publisher_fault"),
        ({"specification_state": "Specified"}, "usable"),
        (
            {"specification_state": "Specified", "credit_start_date": TODAY + DAY},
            "not_yet_usable",
        ),
        ({"specification_state": "Specified", "credit_end_date": TODAY - DAY}, "expired"),
        ({"specification_state": "Specified", "credit_end_date": TODAY}, "usable"),
        ({"push_state": "refused", "credit_end_date": TODAY - DAY}, "refused"),
        ({"specification_state": "Specified", "is_returned": True}, "returned"),
    ],
)
def test_the_status_says_what_holds_the_credit_up(changes: dict[str, object], status: str) -> None:
    values: dict[str, object] = {
        "push_state": "in_sync",
        "credit_start_date": TODAY - DAY,
        "credit_end_date": TODAY + DAY,
    }

    answer = credit_status(CreditFacts(**(values | changes)), TODAY)  # type: ignore[arg-type]

    assert answer.status == status


def test_a_conflict_shows_as_refused_with_the_words_differs() -> None:
    facts = CreditFacts("conflict", TODAY, None, push_code=None)

    answer = credit_status(facts, TODAY)

    assert (answer.status, answer.explanation, answer.owner) == (
        CreditStatus.REFUSED,
        "own:conflict",
        "wij",
    )


def is_shown(credit: PersonCredit | SchoolCredit, status: CreditStatus, day: date) -> bool:
    return credit_status(facts_of(credit), day).status == status


@pytest.mark.django_db
def test_the_stored_status_in_sql_is_the_one_in_python() -> None:
    combinations = product(
        [s.value for s in PushState if s != PushState.DELETED],
        ["", "Specified", "Fault", "SomethingNew"],
        ["Active", "Returned"],
        ["", "u-1"],
        ["", "e" * 128],
    )
    for number, (push_state, specification, state, user_id, eck_id) in enumerate(combinations):
        PersonCreditFactory(
            credit_start_date=DATES[0],
            credit_end_date=(None, TODAY - DAY, TODAY, DATES[1])[number % 4],
            push_state=push_state,
            specification_state=specification,
            person_product_state=state,
            school_person__person__user_id=user_id,
            school_person__person__eck_id=eck_id,
        )
    for push_state, specification, returned in product(
        ["in_sync", "refused"], SPECIFICATIONS, [0, 3, 30, 31]
    ):
        SchoolCreditFactory(
            push_state=push_state, specification_state=specification, returned=returned
        )

    PersonCredit.objects.all().refresh_statuses()
    SchoolCredit.objects.all().refresh_statuses()

    people = PersonCredit.objects.select_related("school_person__person")
    assert people.count() == 9 * 4 * 2 * 2 * 2
    everything: list[PersonCredit | SchoolCredit] = [
        *people.order_by("pk"),
        *SchoolCredit.objects.order_by("pk"),
    ]
    for credit in everything:
        assert credit.status == stored_status(facts_of(credit)).value
    for day, status in product((DATES[0] - DAY, TODAY, DATES[1]), CreditStatus):
        shown = [
            *PersonCredit.objects.with_status(status, day)
            .values_list("pk", flat=True)
            .order_by("pk"),
            *SchoolCredit.objects.with_status(status, day)
            .values_list("pk", flat=True)
            .order_by("pk"),
        ]
        right = [row.pk for row in everything if is_shown(row, status, day)]
        assert shown == right, (day, status)


@pytest.mark.django_db
def test_a_deleted_credit_is_found_by_no_status_on_any_day() -> None:
    PersonCreditFactory(push_state="deleted", specification_state="Specified", status="usable")
    SchoolCreditFactory(push_state="deleted", returned=30, status="returned")

    for model in (PersonCredit, SchoolCredit):
        model.objects.all().refresh_statuses()
        for status, day in product(CreditStatus, (TODAY - 400 * DAY, TODAY, TODAY + 400 * DAY)):
            assert not model.objects.with_status(status, day).exists()


@pytest.mark.django_db
def test_the_calendar_in_sql_is_the_one_in_python() -> None:
    for status in CreditStatus:
        for start, end in product([-5, 0, 5], [None, -1, 0, 1]):
            PersonCreditFactory(
                status=status,
                credit_start_date=TODAY + start * DAY,
                credit_end_date=None if end is None else TODAY + end * DAY,
            )

    shown = PersonCredit.objects.on(TODAY)

    assert shown.count() == 12 * 3 * 4
    for credit in shown:
        assert credit.shown_status == status_on(
            CreditStatus(credit.status),
            start=credit.credit_start_date,
            end=credit.credit_end_date,
            today=TODAY,
        )
    expired = PersonCredit.objects.with_status("expired", TODAY)
    assert expired.count() == sum(c.shown_status == "expired" for c in shown)
