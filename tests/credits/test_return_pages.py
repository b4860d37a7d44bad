"""What the page of a credit tells about its returns and its calls."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message
from credits.models import CreditReturn
from credits.returns import new_reference, queue_return, withdraw_return
from credits.services import queue_credit_push, refresh_statuses
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
    SchoolFactory,
    UserFactory,
)
from tests.notifications.rows import specification
from tests.outbox.conftest import SCHOOL, gateway, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db

LIST = "/admin/credits/personcredit/"
RETURNS = "/admin/credits/creditreturn/"


@pytest.fixture(autouse=True)
def english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def manager() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(groups=["Accountmanager"]))
    return client


@pytest.fixture
def credit(gateway: Gateway) -> Any:
    school = SchoolFactory(organisation_id=SCHOOL["organisationID"])
    made = PersonCreditFactory(school_person__school=school)
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    made.refresh_from_db()
    return made


def status_page(client: Client, credit: Any) -> str:
    kind = credit._meta.model_name
    response = client.get(f"/admin/credits/{kind}/{credit.pk}/status/")
    assert response.status_code == 200
    return str(response.content.decode())


def give_back(credit: Any, amount: int = 1) -> CreditReturn:
    return queue_return(
        credit=credit, amount=amount, reference=new_reference(), reason="verhuisd", user=None
    )


def test_a_refused_return_leads_in_one_click_to_its_call_and_can_be_mended(
    manager: Client, credit: Any, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("fault", "returnCredit", code=5948)
    drain_once(gateway=gateway)

    page = status_page(manager, credit)
    attempt = Attempt.objects.get(message__operation="credit_return.push")

    assert f"/admin/outbox/attempt/{attempt.pk}/change/" in page
    assert f"{LIST}{credit.pk}/return/{back.pk}/again/" in page
    assert f"{LIST}{credit.pk}/return/{back.pk}/withdraw/" in page
    assert "5948" in page
    log = manager.get(f"/admin/outbox/attempt/{attempt.pk}/change/").content.decode()
    assert "returnCredit" in log
    assert back.reference in log


def test_a_failed_credit_leads_in_one_click_to_the_exact_call(
    manager: Client, credit: Any, gateway: Gateway, sandbox: SandboxServer
) -> None:
    sandbox.control.trouble("fault", "updatePersonCredit", code=5102)
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    attempt = Attempt.objects.filter(outcome="refused").get()

    url = f"/admin/outbox/attempt/{attempt.pk}/change/"
    form = manager.get(f"{LIST}{credit.pk}/change/").content.decode()

    assert url in status_page(manager, credit)
    assert url in form
    refused = form.index('class="pill bad"')
    assert refused < form.index("At Edu-iX</h2>")


def test_a_credit_that_waits_leads_to_the_call_of_what_it_waits_for(
    manager: Client, gateway: Gateway
) -> None:
    school = SchoolFactory(organisation_id=SCHOOL["organisationID"])
    made = PersonCreditFactory(
        school_person__school=school, school_person__person__postal_code="9999 XX"
    )
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    attempt = Attempt.objects.get(message__operation="person.push")

    page = status_page(manager, made)

    person = made.school_person.person_id
    assert f"/admin/outbox/attempt/{attempt.pk}/change/" in page
    assert f"/admin/persons/person/{person}/change/#id_postal_code" in page
    assert "Look what Edu-iX has" in page


def test_what_the_publisher_made_of_a_return_stands_on_the_page(
    manager: Client, credit: Any, gateway: Gateway
) -> None:
    give_back(credit)
    drain_once(gateway=gateway)
    assert "has not said yet" in status_page(manager, credit)

    specification(str(credit), None, state="Returned", correction=None)
    applied()
    confirmed = status_page(manager, credit)
    specification(str(credit), None, state="Returned", correction=309)
    applied()
    refused = status_page(manager, credit)

    assert "confirmed by the publisher" in confirmed
    assert "has not said yet" not in confirmed
    assert "not processed by the publisher (code 309)" in refused
    assert "return_not_processed" not in refused
    assert "confirmed by the publisher" not in refused


def applied() -> None:
    from notifications.models import Notification

    Notification.objects.update(verdict="applied", reason="return_not_processed:309")


def test_a_return_that_was_taken_back_stands_in_the_list_and_frees_the_credit(
    manager: Client, credit: Any, gateway: Gateway, sandbox: SandboxServer
) -> None:
    back = give_back(credit)
    sandbox.control.trouble("fault", "returnCredit", code=5948)
    drain_once(gateway=gateway)
    assert withdraw_return(back=back)

    page = status_page(manager, credit)
    listed = manager.get(RETURNS).content.decode()

    assert "Taken back" in page
    assert "Taken back" in listed
    assert f"{LIST}{credit.pk}/return/" in page
    assert manager.get(f"{RETURNS}{back.pk}/change/").status_code == 200


def test_a_schools_return_that_only_a_colleague_can_settle_says_what_to_do(
    manager: Client,
) -> None:
    pool = SchoolCreditFactory(amount=10, push_state="in_sync", registered_at=timezone.now())
    give_back(pool, 4)
    Message.objects.update(status="conflict", text="amount")
    CreditReturn.objects.update(push_state="conflict", push_text="amount")

    page = status_page(manager, pool)

    assert "fewer left than this gives back" in page
    assert "/withdraw/" in page
    assert "fewer left" in manager.get(RETURNS).content.decode()


@pytest.mark.parametrize(("length", "is_told"), [(30, True), (31, False)])
def test_a_number_that_edu_ix_can_never_tell_about_does_not_clear_by_itself(
    manager: Client, length: int, is_told: bool
) -> None:
    made = PersonCreditFactory(
        distributor_person_credit_id="C" * length,
        push_state="in_sync",
        registered_at=timezone.now(),
        school_person__person__user_id="u1",
    )
    refresh_statuses(type(made)._default_manager.all())

    page = status_page(manager, made)
    listed = manager.get(LIST).content.decode()

    assert ("cannot tell us" in page) is not is_told
    assert ("cannot tell us" in listed) is not is_told
    assert ("clears by itself" in listed) is is_told


def test_a_title_in_the_list_opens_the_verdict_and_not_the_form(
    manager: Client, credit: Any
) -> None:
    page = manager.get(LIST).content.decode()

    assert page.count(f'href="{LIST}{credit.pk}/status/"') >= 2  # the title and the status
    assert f"{LIST}{credit.pk}/change/" not in page
