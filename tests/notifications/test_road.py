"""The whole circle: we push, the sandbox calls us back at our door, and asks and answers settle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from backoffice.eduix.contract import endpoint_path
from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.explanations.models import UnknownCode
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message
from credits.models import PersonCredit
from credits.services import queue_credit_push
from notifications.applying import apply_waiting
from notifications.models import Notification
from persons.models import Person
from tests.factories import PersonCreditFactory, SchoolFactory
from tests.notifications.conftest import PASSWORD, USER, Sender
from tests.notifications.rows import due_now, specification, verdicts
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED, REFUSED = "9789001234562", "9789034234565"  # publishers of the sandbox, by prefix


@pytest.fixture(params=["4.0", "4.3"])
def partner(door: Sender, request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    """The sandbox, told where our door is."""
    with SandboxServer(
        schools=[SCHOOL | {"prematch": True}],
        pace=0.02,
        endpoint=f"http://127.0.0.1:{door.port}{endpoint_path('notification', request.param)}",
        notification_version=request.param,
        endpoint_username=USER,
        endpoint_password=PASSWORD,
    ) as server:
        yield server


@pytest.fixture
def gateway(partner: SandboxServer) -> Iterator[Gateway]:
    made = gateway_for(partner)
    yield made
    made.close()


def pushed(partner: SandboxServer, gateway: Gateway, *eans: str) -> list[PersonCredit]:
    """Credits that were sent, with all that the sandbox told about them afterwards."""
    school = SchoolFactory(organisation_id=SCHOOL["organisationID"])
    credits = [PersonCreditFactory(school_person__school=school, ean=ean) for ean in eans]
    for credit in credits:
        queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    assert partner.control.wait_until_quiet(20, hurry=True)
    apply_waiting()
    for credit in credits:
        credit.refresh_from_db()
    return credits


def test_what_edu_ix_tells_back_stands_with_person_and_credit(
    partner: SandboxServer, gateway: Gateway
) -> None:
    good, bad = pushed(partner, gateway, ACCEPTED, REFUSED)

    assert not Person.objects.filter(user_id="").exists()
    assert (good.status, good.publisher_error_code) == ("usable", None)
    assert (bad.status, bad.publisher_error_code) == ("publisher_fault", 117)
    assert {delivery.status for delivery in partner.control.deliveries()} == {200}
    assert set(Notification.objects.values_list("verdict", flat=True)) <= {"applied", "duplicate"}


def test_a_code_that_nobody_explained_waits_for_a_colleague(
    partner: SandboxServer, gateway: Gateway
) -> None:
    pushed(partner, gateway, REFUSED)

    noted = UnknownCode.objects.get(code=117)
    assert (noted.source, noted.count) == ("publisher", 1)
    assert REFUSED.startswith(noted.ean_prefix)


def test_an_old_fault_that_comes_late_is_settled_by_asking(
    partner: SandboxServer, gateway: Gateway
) -> None:
    (credit,) = pushed(partner, gateway, ACCEPTED)
    late = specification(credit.distributor_person_credit_id, 117)

    apply_waiting()
    drain_once(gateway=gateway)
    due_now()
    apply_waiting()

    credit.refresh_from_db()
    assert Message.objects.get(operation="person_credit.fetch").status == "done"
    assert verdicts(late) == ["superseded"]
    assert (credit.status, credit.publisher_error_code) == ("usable", None)


def test_a_fault_that_edu_ix_confirms_is_believed_with_its_code(
    partner: SandboxServer, gateway: Gateway
) -> None:
    (credit,) = pushed(partner, gateway, REFUSED)
    PersonCredit.objects.filter(pk=credit.pk).update(
        specification_state="Specified", publisher_error_code=None
    )
    fault = specification(credit.distributor_person_credit_id, 118)

    apply_waiting()
    drain_once(gateway=gateway)
    due_now()
    apply_waiting()

    credit.refresh_from_db()
    assert verdicts(fault) == ["applied"]
    assert (credit.specification_state, credit.publisher_error_code) == ("Fault", 118)
    assert credit.specification_state_date == timezone.localdate()
