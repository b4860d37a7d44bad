"""A credit of a pupil is given back: there and here, once, whatever the line does."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.again import send_again
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState
from backoffice.outbox.services import has_open
from credits.models import CreditReturn, PersonCredit
from credits.returns import (
    CannotReturn,
    WhyNot,
    left_of,
    new_reference,
    withdraw_return,
)
from credits.services import queue_credit_push
from tests.credits.returns.conftest import drain_again, give_back, returns_applied
from tests.factories import (
    PersonCreditFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


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
