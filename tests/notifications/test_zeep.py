"""A sender that knows nothing but the address of our WSDL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zeep
import zeep.exceptions
from pytest_django import Settings

from notifications.applying import apply_waiting
from notifications.models import Notification
from tests.factories import PersonCreditFactory, PersonFactory
from tests.notifications.conftest import PASSWORD, PATH, USER, Sender

LOGIN = {"loginHeader": {"username": USER, "password": PASSWORD}}


@pytest.fixture
def client(door: Sender, settings: Settings) -> Iterator[zeep.Client]:
    settings.BACKOFFICE_PUBLIC_URL = f"http://127.0.0.1:{door.port}"
    with zeep.Client(f"http://127.0.0.1:{door.port}{PATH}/wsdl") as client:
        yield client


def test_it_delivers_both_events_and_they_are_applied(client: zeep.Client) -> None:
    person = PersonFactory(distributor_person_id="K-3001")
    credit = PersonCreditFactory(distributor_person_credit_id="C-1001", push_state="in_sync")

    client.service.prematchChanged(
        distributorPersonID="K-3001", userID="elo-77", eckID="e" * 128, _soapheaders=LOGIN
    )
    client.service.specificationChanged(
        distributorCreditID="C-1001",
        state="Active",
        specification=[{"amount": 1, "responseID": "LIC-1", "errorCode": 117}, {"amount": 1}],
        correction=[],
        _soapheaders=LOGIN,
    )
    apply_waiting()

    person.refresh_from_db()
    credit.refresh_from_db()
    assert set(Notification.objects.values_list("verdict", flat=True)) == {"applied"}
    assert (person.user_id, person.eck_id) == ("elo-77", "e" * 128)
    assert (credit.specification_state, credit.publisher_error_code) == ("Specified", None)


def test_it_can_read_the_code_in_our_fault(client: zeep.Client) -> None:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        client.service.prematchChanged(
            distributorPersonID="K-3001",
            _soapheaders={"loginHeader": {"username": USER, "password": "wrong"}},
        )

    assert fault.value.detail.findtext("{*}Fault/{*}code") == "-2"
    assert Notification.objects.count() == 0
