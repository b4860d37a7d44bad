"""A part of a school's credit is given back, and many at once."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.returns import (
    CannotReturn,
    WhyNot,
    new_reference,
    queue_returns,
)
from credits.services import refresh_statuses
from persons.models import School
from tests.at_once import at_once
from tests.credits.returns.conftest import at_edu_ix, drain_again, give_back, returns_applied
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
)
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(school: School, gateway: Gateway) -> SchoolCredit:
    """A school credit of ten that Edu-iX has."""
    made: SchoolCredit = at_edu_ix(SchoolCreditFactory(school=school, amount=10), gateway)
    return made


# --- a part of a school's credit -----------------------------------------------------------------


def test_three_of_ten_are_given_back_and_eight_more_are_refused_before_any_call(
    pool: SchoolCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    give_back(pool, 3)
    with pytest.raises(CannotReturn) as before_the_answer:
        give_back(pool, 8)
    drain_once(gateway=gateway)
    pool.refresh_from_db()
    calls = len(sandbox.control.ledger())

    with pytest.raises(CannotReturn) as after_it:
        give_back(pool, 8)

    assert (pool.returned, pool.status != "returned") == (3, True)
    assert before_the_answer.value.why == after_it.value.why == WhyNot.TOO_MANY
    assert len(sandbox.control.ledger()) == calls
    give_back(pool, 7)
    drain_once(gateway=gateway)
    pool.refresh_from_db()
    assert (pool.returned, pool.status) == (10, "returned")
    assert returns_applied(sandbox) == 2


@pytest.mark.parametrize("replayed", ["accepted", "exists"])
@pytest.mark.parametrize("kind", ["drop_reply", "cut", "truncated"])
def test_a_schools_return_counts_once_whatever_the_line_does(
    school: School, kind: str, replayed: Literal["accepted", "exists"]
) -> None:
    with SandboxServer(schools=[SCHOOL], pace=0.02, replayed_return=replayed) as server:
        gateway = gateway_for(server)
        pool = at_edu_ix(SchoolCreditFactory(school=school, amount=10), gateway)
        give_back(pool, 2)
        drain_once(gateway=gateway)
        back = give_back(pool, 3)
        server.control.trouble(kind, "returnCredit")

        drain_once(gateway=gateway)
        drain_again(gateway)

        pool.refresh_from_db()
        back.refresh_from_db()
        found = gateway.get_school_credit(distributor_school_credit_id=str(pool))
        gateway.close()
        assert found is not None
        assert (pool.returned, found.returned, back.returned_before) == (5, 5, 2)
        assert returns_applied(server) == 2


def test_an_answer_that_the_reference_was_used_is_settled_by_asking(school: School) -> None:
    with SandboxServer(schools=[SCHOOL], pace=0.02, replayed_return="exists") as server:
        gateway = gateway_for(server)
        pool = at_edu_ix(SchoolCreditFactory(school=school, amount=10), gateway)
        back = give_back(pool, 3)
        CreditReturn.objects.filter(pk=back.pk).update(returned_before=0)
        gateway.return_school_credit(
            distributor_school_credit_id=str(pool), amount=3, reference=back.reference
        )

        drain_once(gateway=gateway)

        gateway.close()
        back.refresh_from_db()
        pool.refresh_from_db()
        assert (back.push_state, pool.returned) == (PushState.IN_SYNC, 3)
        assert returns_applied(server) == 1


def test_a_reference_that_another_return_used_is_refused_and_not_believed(
    pool: SchoolCredit, school: School, gateway: Gateway
) -> None:
    other = at_edu_ix(SchoolCreditFactory(school=school, amount=10), gateway)
    back = give_back(pool, 3)
    gateway.return_school_credit(
        distributor_school_credit_id=str(other), amount=1, reference=back.reference
    )

    drain_once(gateway=gateway)

    back.refresh_from_db()
    pool.refresh_from_db()
    assert (back.push_state, abs(back.push_code or 0), pool.returned) == (PushState.REFUSED, 4, 0)


def test_a_count_that_does_not_tell_is_for_a_colleague(
    pool: SchoolCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(pool, 5)
    sandbox.control.trouble("cut", "returnCredit")
    drain_once(gateway=gateway)
    gateway.return_school_credit(
        distributor_school_credit_id=str(pool), amount=2, reference="elsewhere"
    )

    drain_again(gateway)

    back.refresh_from_db()
    pool.refresh_from_db()
    assert (back.push_state, back.push_text) == (PushState.CONFLICT, "returned")
    assert pool.returned == 2


def test_more_than_edu_ix_has_left_is_not_tried(
    pool: SchoolCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    gateway.return_school_credit(
        distributor_school_credit_id=str(pool), amount=6, reference="elsewhere"
    )
    back = give_back(pool, 5)

    drain_once(gateway=gateway)

    back.refresh_from_db()
    pool.refresh_from_db()
    assert (back.push_state, back.push_text, pool.returned) == (PushState.CONFLICT, "amount", 6)
    assert returns_applied(sandbox) == 1


@pytest.mark.parametrize(
    ("amount", "why"),
    [(0, WhyNot.NO_NUMBER), (-1, WhyNot.NO_NUMBER), (11, WhyNot.TOO_MANY), (10**30, "too_many")],
)
def test_a_number_that_makes_no_sense_is_refused_before_any_call(
    pool: SchoolCredit, amount: int, why: str
) -> None:
    Message.objects.all().delete()

    with pytest.raises(CannotReturn) as problem:
        give_back(pool, amount)

    assert problem.value.why == why
    assert not CreditReturn.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_at_the_same_moment_never_give_back_more_than_there_is() -> None:
    pool = SchoolCreditFactory(amount=10, push_state="in_sync", registered_at=timezone.now())

    problems = at_once(*(lambda: give_back(pool, 4) for _ in range(6)))

    assert CreditReturn.objects.count() == 2
    assert [type(problem) for problem in problems] == [CannotReturn] * 4


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_at_the_same_moment_give_a_credit_back_once() -> None:
    made = PersonCreditFactory(push_state="in_sync", registered_at=timezone.now())

    problems = at_once(*(lambda: give_back(made) for _ in range(5)))

    assert CreditReturn.objects.count() == Message.objects.count() == 1
    assert [type(problem) for problem in problems] == [CannotReturn] * 4


# --- many at once --------------------------------------------------------------------------------


def test_a_large_selection_is_asked_in_few_queries_and_once(
    django_assert_max_num_queries: Any,
) -> None:
    made = PersonCreditFactory.create_batch(40, push_state="in_sync", registered_at=timezone.now())
    PersonCredit.objects.filter(pk=made[0].pk).update(push_state="local_only", registered_at=None)
    refresh_statuses(PersonCredit.objects.all())
    pks, token = [credit.pk for credit in made], new_reference()

    with django_assert_max_num_queries(40):
        told = queue_returns(pks=pks, token=token, reason="fonds stopt")
    again = queue_returns(pks=pks, token=token, reason="fonds stopt")

    assert (told.queued, dict(told.skipped)) == (39, {WhyNot.NEVER_SENT: 1})
    assert (again.queued, CreditReturn.objects.count()) == (39, 39)
    assert Message.objects.filter(operation="credit_return.push").count() == 39
    assert set(CreditReturn.objects.values_list("push_state", flat=True)) == {"queued"}
    assert len(made[5].history.filter(history_change_reason__contains="fonds stopt")) == 1


def test_a_small_selection_counts_what_cannot_be_given_back(credit: PersonCredit) -> None:
    other = PersonCreditFactory()

    told = queue_returns(pks=[credit.pk, other.pk], token=new_reference(), reason="x")

    assert (told.queued, dict(told.skipped)) == (1, {WhyNot.NEVER_SENT: 1})


def test_a_return_that_an_older_backup_asks_for_again_counts_once(
    pool: SchoolCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(pool, 3)
    gateway.return_school_credit(
        distributor_school_credit_id=str(pool), amount=3, reference=back.reference
    )

    drain_once(gateway=gateway)

    pool.refresh_from_db()
    back.refresh_from_db()
    assert (pool.returned, back.returned_before) == (3, 0)
    assert back.push_state == PushState.IN_SYNC
    assert returns_applied(sandbox) == 1
