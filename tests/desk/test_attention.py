"""Which credits need somebody."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.desk.attention import needs_attention, waits_for_school
from backoffice.outbox.models import PushState
from credits.filters import CreditGroupFilter
from credits.models import PersonCredit
from credits.status import CreditStatus
from tests.factories import PersonCreditFactory

TODAY = date(2026, 11, 21)
YESTERDAY = date(2026, 11, 20)

pytestmark = pytest.mark.django_db


def test_every_status_is_in_the_same_part_as_in_the_list() -> None:
    for status in CreditStatus:
        PersonCreditFactory(status=status)

    found = PersonCredit.objects.filter(needs_attention(TODAY)).values_list("status", flat=True)
    at_school = PersonCredit.objects.filter(waits_for_school(TODAY)).values_list(
        "status", flat=True
    )

    assert set(found) == set(CreditGroupFilter.groups["attention"].statuses)
    assert set(at_school) == set(CreditGroupFilter.groups["school"].statuses)


def test_an_expired_credit_with_a_fault_of_its_publisher_is_nobodys_work() -> None:
    PersonCreditFactory(status=CreditStatus.PUBLISHER_FAULT, credit_end_date=YESTERDAY)
    PersonCreditFactory(status=CreditStatus.WAITING_FOR_PREMATCH, credit_end_date=YESTERDAY)
    today = PersonCreditFactory(status=CreditStatus.PUBLISHER_FAULT, credit_end_date=TODAY)
    endless = PersonCreditFactory(status=CreditStatus.PUBLISHER_FAULT, credit_end_date=None)

    assert set(PersonCredit.objects.filter(needs_attention(TODAY))) == {today, endless}
    assert not PersonCredit.objects.filter(waits_for_school(TODAY)).exists()


def test_a_refused_credit_stays_work_after_its_last_day() -> None:
    refused = PersonCreditFactory(status=CreditStatus.REFUSED, credit_end_date=YESTERDAY)

    assert PersonCredit.objects.get(needs_attention(TODAY)) == refused


def test_a_deleted_row_needs_nobody() -> None:
    PersonCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.DELETED)

    assert not PersonCredit.objects.filter(needs_attention(TODAY)).exists()
