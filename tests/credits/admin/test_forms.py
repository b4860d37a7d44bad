"""Forms of credits, pushing them, and who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backoffice.outbox.models import Message, PushState
from credits.models import CreditReturn, PersonCredit
from credits.services import queue_credit_push
from credits.status import CreditStatus
from tests.credits.admin.conftest import (
    PERSON_CREDITS,
    PRODUCTS,
    RETURNS,
    SCHOOL_CREDITS,
    in_sync,
    page_of,
    put,
    signed_in,
)
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine("2026-11-21T10:00:00+01:00"),
]


@pytest.fixture
def reader() -> Client:
    return signed_in("Meelezer")


# --- rights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PERSON_CREDITS, SCHOOL_CREDITS, PRODUCTS, RETURNS])
def test_strangers_and_colleagues_without_a_group_see_nothing(path: str) -> None:
    assert Client().get(path).status_code == 302
    assert signed_in().get(path).status_code == 403


@pytest.mark.parametrize("path", [PERSON_CREDITS, SCHOOL_CREDITS])
def test_a_reader_sees_the_list_without_the_action(reader: Client, path: str) -> None:
    PersonCreditFactory()
    SchoolCreditFactory()

    assert "push_to_eduix" not in page_of(reader, path)


def test_a_reader_changes_and_pushes_nothing(reader: Client) -> None:
    credit = PersonCreditFactory()
    path = f"{PERSON_CREDITS}{credit.pk}/change/"

    page = page_of(reader, path)
    answer = reader.post(path, form_of(credit, ean="9789006234561"))
    reader.post(PERSON_CREDITS, {"action": "push_to_eduix", "_selected_action": [credit.pk]})

    assert 'name="_push"' not in page
    assert answer.status_code == 403
    assert not Message.objects.exists()
    credit.refresh_from_db()
    assert credit.ean == "9789001234562"


def test_returns_are_to_look_at_only() -> None:
    chief = signed_in("Beheerder")
    credit = PersonCreditFactory()
    row = CreditReturn.objects.create(reference="R1", person_credit=credit)

    assert chief.get(f"{RETURNS}add/").status_code == 403
    assert chief.post(f"{RETURNS}{row.pk}/change/", {"amount": 9}).status_code == 403
    assert chief.get(f"{RETURNS}{row.pk}/change/").status_code == 200


# --- forms ----------------------------------------------------------------------------------------


def form_of(credit: PersonCredit, **changes: Any) -> dict[str, Any]:
    values = {
        "school_person": credit.school_person_id,
        "ean": credit.ean,
        "school_year": credit.school_year,
        "credit_start_date": credit.credit_start_date.isoformat(),
        "credit_end_date": "" if credit.credit_end_date is None else str(credit.credit_end_date),
        "distributor_person_credit_id": credit.distributor_person_credit_id,
    }
    return values | changes


def test_a_refused_credit_goes_out_again_when_it_is_saved(manager: Client) -> None:
    credit = PersonCreditFactory()
    message = queue_credit_push(credit=credit)
    Message.objects.exclude(pk=message.pk).delete()
    Message.objects.filter(pk=message.pk).update(status="refused", code=5107)
    put(credit, push_state="refused", push_code=5107)

    manager.post(f"{PERSON_CREDITS}{credit.pk}/change/", form_of(credit, ean="978-90-06-23456-1"))

    message.refresh_from_db()
    credit.refresh_from_db()
    assert credit.ean == "9789006234561"
    assert message.status == Message.Status.QUEUED
    assert credit.push_state == PushState.QUEUED
    assert credit.status == CreditStatus.SENDING


def test_saving_and_pushing_takes_person_and_school_along(manager: Client) -> None:
    place = SchoolPersonFactory()
    new = PersonCreditFactory.build(school_person=place)

    manager.post(f"{PERSON_CREDITS}add/", form_of(new, _push="1"))

    operations = Message.objects.order_by("position").values_list("operation", flat=True)
    assert list(operations) == ["person.push", "schoolperson.push", "person_credit.push"]


def test_wrong_halves_of_a_school_year_are_told_at_the_field(manager: Client) -> None:
    credit = PersonCreditFactory()

    response = manager.post(
        f"{PERSON_CREDITS}{credit.pk}/change/", form_of(credit, school_year="2628")
    )

    assert list(response.context["adminform"].form.errors) == ["school_year"]


def test_whose_credit_it_is_stands_fast_once_edu_ix_knows_it(manager: Client) -> None:
    credit = in_sync(PersonCreditFactory())
    other = SchoolPersonFactory()

    manager.post(
        f"{PERSON_CREDITS}{credit.pk}/change/",
        form_of(credit, school_person=other.pk, distributor_person_credit_id="C-other"),
    )

    before = credit.distributor_person_credit_id, credit.school_person_id
    credit.refresh_from_db()
    assert (credit.distributor_person_credit_id, credit.school_person_id) == before
    assert credit.push_state == PushState.IN_SYNC or credit.push_state == PushState.CHANGED


def test_the_form_of_a_school_credit_saves_through_its_service(manager: Client) -> None:
    credit = in_sync(SchoolCreditFactory(amount=30))
    values = {
        "ean": credit.ean,
        "amount": "40",
        "school_year": credit.school_year,
        "credit_start_date": "2026-08-01",
        "credit_end_date": "2027-07-31",
        "contact_name": credit.contact_name,
        "contact_email": credit.contact_email,
    }

    manager.post(f"{SCHOOL_CREDITS}{credit.pk}/change/", values)

    credit.refresh_from_db()
    assert (credit.amount, credit.push_state) == (40, PushState.CHANGED)
    assert credit.status == CreditStatus.NOT_SENT
