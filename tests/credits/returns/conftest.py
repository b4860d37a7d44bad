"""What the tests of returns have in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from credits.models import CreditReturn, PersonCredit
from credits.returns import (
    new_reference,
    queue_return,
)
from credits.services import queue_credit_push
from persons.models import School
from tests.factories import (
    PersonCreditFactory,
    SchoolFactory,
)
from tests.outbox.conftest import SCHOOL, gateway, sandbox

__all__ = ["gateway", "sandbox"]


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def credit(school: School, gateway: Gateway) -> PersonCredit:
    """A person credit that Edu-iX has."""
    made: PersonCredit = at_edu_ix(PersonCreditFactory(school_person__school=school), gateway)
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
