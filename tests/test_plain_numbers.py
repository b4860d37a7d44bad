"""A number that is a name has no separators, whoever looks at it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from backoffice.explanations.models import PublisherCode
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["may only look", "may change"])
def client(request: pytest.FixtureRequest) -> Client:
    user = UserFactory()
    permissions = Permission.objects.all()
    if request.param == "may only look":
        permissions = permissions.filter(codename__startswith="view_")
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("row", "number"),
    [
        (lambda: PersonFactory(house_number=1250), "1250"),
        (lambda: SchoolFactory(house_number=1250), "1250"),
        (PersonCreditFactory, "2627"),
        (SchoolCreditFactory, "2627"),
        (lambda: PublisherCode.objects.create(code=1117, title_nl="Uitverkocht"), "1117"),
    ],
    ids=["person", "school", "person credit", "school credit", "publisher's code"],
)
def test_a_form_writes_a_number_as_it_is(client: Client, row: object, number: str) -> None:
    made = row()  # type: ignore[operator]

    page = client.get(
        reverse(f"admin:{made._meta.app_label}_{made._meta.model_name}_change", args=[made.pk])
    ).content.decode()

    values = " ".join(re.findall(r'value="([^"]*)"', page))
    assert number in f"{strip_tags(page)} {values}"
    assert not re.search(r"\b[12][.,]\d{3}\b", strip_tags(page))


def test_an_amount_keeps_its_separators(client: Client) -> None:
    credit = SchoolCreditFactory(amount=1250)

    page = client.get(reverse("admin:credits_schoolcredit_changelist")).content.decode()

    assert str(credit.distributor_school_credit_id) in page
    assert "1.250" in strip_tags(page)
