"""The status of a credit: complete, and the same in Python as in SQL."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.explanations.services import explain
from backoffice.outbox.models import PushState
from credits.models import PersonCredit, SchoolCredit
from credits.services import facts_of
from credits.status import CreditFacts, CreditStatus, credit_status, status_on, stored_status
from tests.factories import PersonCreditFactory, SchoolCreditFactory

TODAY = date(2026, 11, 21)
DAY = timedelta(days=1)
OWNERS = {"wij", "school", "uitgever", "Edu-iX", "leverancier", "niemand"}
FINE = {CreditStatus.USABLE, CreditStatus.NOT_YET_USABLE, CreditStatus.RETURNED}

facts = st.builds(
    CreditFacts,
    push_state=st.sampled_from([s.value for s in PushState if s != PushState.DELETED]),
    push_code=st.sampled_from([None, 5022, -2606, 6, -9]),
    credit_start_date=st.dates(TODAY - 400 * DAY, TODAY + 400 * DAY),
    credit_end_date=st.none() | st.dates(TODAY - 400 * DAY, TODAY + 400 * DAY),
    specification_state=st.sampled_from(["", "Specified", "Fault", "SomethingNew"]),
    publisher_error_code=st.sampled_from([None, 117]),
    is_recognisable=st.sampled_from([None, True, False]),
    is_returned=st.booleans(),
)


@pytest.mark.django_db  # a publisher's code is looked up in a table
@given(facts)
def test_every_combination_has_a_status_an_owner_and_an_explanation(facts: CreditFacts) -> None:
    answer = credit_status(facts, TODAY)

    assert answer.status in CreditStatus
    assert answer.owner in OWNERS
    assert explain(answer.explanation, lang="nl").title
    if answer.status not in FINE and answer.owner != "niemand":
        assert answer.actions or answer.clears_itself


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


@pytest.mark.django_db
def test_the_stored_status_in_sql_is_the_one_in_python() -> None:
    combinations = product(
        [s.value for s in PushState if s != PushState.DELETED],
        ["", "Specified", "Fault", "SomethingNew"],
        ["Active", "Returned"],
        ["", "u-1"],
        ["", "e" * 128],
    )
    for push_state, specification, state, user_id, eck_id in combinations:
        PersonCreditFactory(
            push_state=push_state,
            specification_state=specification,
            person_product_state=state,
            school_person__person__user_id=user_id,
            school_person__person__eck_id=eck_id,
        )
    for push_state, specification, returned in product(
        ["in_sync", "refused"], ["", "Specified", "Fault"], [0, 3, 30]
    ):
        SchoolCreditFactory(
            push_state=push_state, specification_state=specification, returned=returned
        )

    PersonCredit.objects.all().refresh_statuses()
    SchoolCredit.objects.all().refresh_statuses()

    people = PersonCredit.objects.select_related("school_person__person")
    assert people.count() == 9 * 4 * 2 * 2 * 2
    everything: list[PersonCredit | SchoolCredit] = [*people, *SchoolCredit.objects.all()]
    for credit in everything:
        assert credit.status == stored_status(facts_of(credit)).value


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
