"""Giving credits back at Edu-iX: once, whatever the line does, and never more than there is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.again import send_again
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState
from backoffice.outbox.services import has_open
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.returns import (
    CannotReturn,
    WhyNot,
    left_of,
    new_reference,
    queue_return,
    queue_returns,
    withdraw_return,
)
from credits.services import queue_credit_push, refresh_statuses
from persons.models import School
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
    SchoolFactory,
    UserFactory,
)
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0.02) as server:
        yield server


@pytest.fixture
def gateway(sandbox: SandboxServer) -> Iterator[Gateway]:
    made = gateway_for(sandbox)
    yield made
    made.close()


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def credit(school: School, gateway: Gateway) -> PersonCredit:
    """A person credit that Edu-iX has."""
    made: PersonCredit = at_edu_ix(PersonCreditFactory(school_person__school=school), gateway)
    return made


@pytest.fixture
def pool(school: School, gateway: Gateway) -> SchoolCredit:
    """A school credit of ten that Edu-iX has."""
    made: SchoolCredit = at_edu_ix(SchoolCreditFactory(school=school, amount=10), gateway)
    return made


def at_edu_ix(credit: Any, gateway: Gateway) -> Any:
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    credit.refresh_from_db()
    assert credit.push_state == PushState.IN_SYNC
    return credit


def give_back(credit: Any, amount: int = 1, **more: Any) -> CreditReturn:
    values = {"reference": new_reference(), "reason": "verhuisd"}
    return queue_return(credit=credit, amount=amount, **(values | more))


def drain_again(gateway: Gateway) -> None:
    """The next turn, without its wait."""
    Message.objects.update(due_at=timezone.now())
    drain_once(gateway=gateway)


def returns_applied(sandbox: SandboxServer) -> int:
    return len(sandbox.control.ledger(operation="returnCredit", applied=True))


# --- a pupil's credit ----------------------------------------------------------------------------


def test_a_credit_that_is_given_back_is_returned_there_and_here(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    user = UserFactory()
    back = give_back(credit, user=user)

    drain_once(gateway=gateway)

    credit.refresh_from_db()
    back.refresh_from_db()
    found = gateway.get_person_credit(distributor_person_credit_id=str(credit))
    assert found is not None
    assert found.credit.person_product_state == "Returned"
    assert (credit.person_product_state, credit.status) == ("Returned", "returned")
    assert (back.push_state, back.is_open) == (PushState.IN_SYNC, False)
    assert returns_applied(sandbox) == 1
    reasons = [
        (row.history_change_reason.endswith(": verhuisd"), row.history_user_id)
        for row in credit.history.exclude(history_change_reason=None)
    ]
    assert reasons == [(True, user.pk), (True, user.pk)]  # asked, and done


def test_a_lost_answer_is_asked_for_and_the_credit_is_given_back_once(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("drop_reply", "returnCredit")

    drain_once(gateway=gateway)
    credit.refresh_from_db()
    assert credit.person_product_state == "Active"
    drain_again(gateway)

    credit.refresh_from_db()
    back.refresh_from_db()
    assert (credit.status, back.push_state) == ("returned", PushState.IN_SYNC)
    assert len(sandbox.control.ledger(operation="returnCredit")) == 1
    assert returns_applied(sandbox) == 1


@pytest.mark.parametrize("kind", ["cut", "unavailable", "html", "empty"])
def test_a_call_that_never_arrived_is_made_again_with_the_same_reference(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer, kind: str
) -> None:
    back = give_back(credit)
    sandbox.control.trouble(kind, "returnCredit")

    drain_once(gateway=gateway)
    drain_again(gateway)

    credit.refresh_from_db()
    assert credit.status == "returned"
    assert returns_applied(sandbox) == 1
    sent = "".join(str(calls) for calls in Attempt.objects.values_list("calls", flat=True))
    assert sent.count(back.reference) >= 2


def test_an_answer_that_hangs_is_settled_by_asking(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    give_back(credit)
    sandbox.control.trouble("hang", "returnCredit", seconds=0.3, after=True)

    drain_once(gateway=gateway)
    assert Message.objects.get(operation="credit_return.push").status == "uncertain"
    drain_again(gateway)

    credit.refresh_from_db()
    assert credit.status == "returned"
    assert returns_applied(sandbox) == 1


def test_a_refused_return_leaves_the_credit_and_can_be_sent_again(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("fault", "returnCredit", code=5948)

    drain_once(gateway=gateway)
    credit.refresh_from_db()
    back.refresh_from_db()
    assert (back.push_state, abs(back.push_code or 0)) == (PushState.REFUSED, 5948)
    assert credit.person_product_state == "Active"
    send_again(message=Message.objects.get(operation="credit_return.push"))
    drain_once(gateway=gateway)

    credit.refresh_from_db()
    assert credit.status == "returned"
    assert returns_applied(sandbox) == 1


def test_a_refused_return_can_be_taken_back_and_asked_anew(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("fault", "returnCredit", code=5948)
    drain_once(gateway=gateway)

    assert withdraw_return(back=back)
    assert not has_open(operation="credit_return.push", subject=f"credit_return:{back.pk}")
    assert left_of(credit) == 1
    give_back(credit, reason="toch wel")
    drain_once(gateway=gateway)

    credit.refresh_from_db()
    assert credit.status == "returned"
    assert returns_applied(sandbox) == 1
    assert not withdraw_return(back=CreditReturn.objects.order_by("pk").last() or back)


def test_a_credit_that_was_given_back_elsewhere_is_settled_and_not_refused(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    gateway.return_person_credit(distributor_person_credit_id=str(credit), reference="elsewhere")

    give_back(credit)
    drain_once(gateway=gateway)

    credit.refresh_from_db()
    assert credit.status == "returned"
    assert returns_applied(sandbox) == 1


def test_a_credit_that_vanished_there_is_for_a_colleague(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("cut", "returnCredit")
    drain_once(gateway=gateway)
    sandbox.control.reset()

    drain_again(gateway)

    back.refresh_from_db()
    assert back.push_state == PushState.CONFLICT
    assert withdraw_return(back=back)


def test_a_return_goes_after_the_change_that_was_refused_before_it(
    credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    sandbox.control.trouble("fault", "updatePersonCredit", code=5102)
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)

    back = give_back(credit)
    drain_once(gateway=gateway)

    assert CreditReturn.objects.get(pk=back.pk).push_state == PushState.WAITING
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    credit.refresh_from_db()
    assert (credit.person_product_state, returns_applied(sandbox)) == ("Returned", 1)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"push_state": "local_only", "registered_at": None}, WhyNot.NEVER_SENT),
        ({"push_state": "queued", "registered_at": None}, WhyNot.ON_ITS_WAY),
        ({"push_state": "refused", "registered_at": None}, WhyNot.NEVER_TAKEN),
        ({"push_state": "conflict"}, WhyNot.CONFLICT),
        ({"push_state": "deleted"}, WhyNot.DELETED),
        ({"person_product_state": "Returned"}, WhyNot.RETURNED),
    ],
)
def test_what_cannot_be_given_back_says_why_and_sends_nothing(
    columns: dict[str, Any], why: WhyNot
) -> None:
    made = PersonCreditFactory(push_state="in_sync", registered_at=timezone.now())
    PersonCredit.objects.filter(pk=made.pk).update(**columns)

    with pytest.raises(CannotReturn) as problem:
        give_back(made)

    assert problem.value.why == why
    assert str(problem.value)
    assert not CreditReturn.objects.exists()
    assert not Message.objects.exists()


def test_the_same_page_sent_twice_asks_once(credit: PersonCredit) -> None:
    reference = new_reference()

    first = give_back(credit, reference=reference)
    second = give_back(credit, reference=reference)

    assert first.pk == second.pk
    with pytest.raises(CannotReturn) as problem:
        give_back(credit)
    assert problem.value.why == WhyNot.RETURN_OPEN


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

    problems = together(*(lambda: give_back(pool, 4) for _ in range(6)))

    assert CreditReturn.objects.count() == 2
    assert [type(problem) for problem in problems] == [CannotReturn] * 4


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_at_the_same_moment_give_a_credit_back_once() -> None:
    made = PersonCreditFactory(push_state="in_sync", registered_at=timezone.now())

    problems = together(*(lambda: give_back(made) for _ in range(5)))

    assert CreditReturn.objects.count() == Message.objects.count() == 1
    assert [type(problem) for problem in problems] == [CannotReturn] * 4


def together(*actions: Callable[[], object]) -> list[BaseException]:
    """Run each in a thread of its own; returns what they raised."""
    problems: list[BaseException] = []
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        start.wait()
        try:
            action()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


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
