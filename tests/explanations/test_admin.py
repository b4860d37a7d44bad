"""The two tables in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backoffice.explanations.models import PublisherCode, UnknownCode
from backoffice.explanations.publishers import note_unknown_code
from backoffice.explanations.services import explain

pytestmark = pytest.mark.django_db

PAYLOAD = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def reader() -> Client:
    """Staff who may look at both tables and write nothing."""
    user = get_user_model().objects.create_user("meelezer", password="x" * 12, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[
        "view_publishercode", "view_unknowncode"
    ]))  # fmt: skip
    client = Client()
    client.force_login(user)
    return client


def test_a_code_that_came_in_twice_stands_in_the_list_with_its_count(admin_client: Client) -> None:
    note_unknown_code(code=117, ean="9789001234567")
    note_unknown_code(code=117, ean="9789001234567")

    page = admin_client.get(reverse("admin:explanations_unknowncode_changelist"))

    assert page.status_code == 200
    [row] = page.context["cl"].result_list
    assert (row.code, row.count) == (117, 2)
    assert "?code=117&amp;ean_prefix=9789001" in page.content.decode()


def test_the_link_opens_the_form_filled_in(admin_client: Client) -> None:
    address = reverse("admin:explanations_publishercode_add")

    page = admin_client.get(address, {"code": "117", "ean_prefix": "9789001"})

    form = page.context["adminform"].form
    assert form.initial["code"] == "117"
    assert form.initial["ean_prefix"] == "9789001"


def test_saving_the_explanation_shows_it_everywhere_and_clears_the_list(
    admin_client: Client,
) -> None:
    note_unknown_code(code=117, ean="9789001234567")
    written = {
        "code": "117",
        "ean_prefix": "9789001",
        "publisher": "",
        "title_nl": "Het artikel is uitverkocht",
        "cause_nl": "De uitgever levert het niet meer.",
        "remedy_nl": "Kies een ander artikel.",
        "title_en": "",
        "cause_en": "",
        "remedy_en": "",
        "owner": "uitgever",
    }

    answer = admin_client.post(reverse("admin:explanations_publishercode_add"), written)

    assert answer.status_code == 302
    assert explain("publisher:117", ean="9789001234567").title == "Het artikel is uitverkocht"
    assert not UnknownCode.objects.exists()


def test_unknown_codes_can_only_be_looked_at(admin_client: Client) -> None:
    note_unknown_code(code=117)
    row = UnknownCode.objects.get()

    assert admin_client.get(reverse("admin:explanations_unknowncode_add")).status_code == 403
    for page in ("change", "delete"):
        address = reverse(f"admin:explanations_unknowncode_{page}", args=[row.pk])
        assert admin_client.post(address, {"post": "yes", "count": "9"}).status_code == 403
    assert UnknownCode.objects.get().count == 1


def test_a_code_of_edu_ix_itself_offers_no_form(admin_client: Client) -> None:
    note_unknown_code(code=9999, source="eduix")

    page = admin_client.get(reverse("admin:explanations_unknowncode_changelist"))

    assert reverse("admin:explanations_publishercode_add") not in page.content.decode()


def test_who_may_not_write_sees_no_button(reader: Client) -> None:
    note_unknown_code(code=117)

    page = reader.get(reverse("admin:explanations_unknowncode_changelist"))

    assert page.status_code == 200
    assert reverse("admin:explanations_publishercode_add") not in page.content.decode()
    assert reader.get(reverse("admin:explanations_publishercode_add")).status_code == 403


def test_html_in_a_text_stays_text_on_list_form_and_history(admin_client: Client) -> None:
    row = PublisherCode.objects.create(
        code=117, publisher=PAYLOAD, title_nl=PAYLOAD, cause_nl=PAYLOAD, remedy_nl=PAYLOAD
    )
    note_unknown_code(code=118, publisher=PAYLOAD)

    addresses = [
        reverse("admin:explanations_publishercode_changelist"),
        reverse("admin:explanations_publishercode_change", args=[row.pk]),
        reverse("admin:explanations_publishercode_history", args=[row.pk]),
        reverse("admin:explanations_unknowncode_changelist"),
    ]

    for address in addresses:
        body = admin_client.get(address).content.decode()
        assert "<script>alert" not in body, address
        assert "<img src=x" not in body, address


def test_hidden_columns_cannot_be_asked_letter_by_letter(admin_client: Client) -> None:
    PublisherCode.objects.create(code=117, title_nl="T", cause_nl="geheim", remedy_nl="R.")
    address = reverse("admin:explanations_publishercode_changelist")

    refused = admin_client.get(address, {"cause_nl__startswith": "g"})

    assert refused.status_code in (302, 400)
    assert admin_client.get(address, {"owner__exact": "uitgever"}).status_code == 200


def test_the_lists_take_a_fixed_number_of_queries(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("admin:explanations_unknowncode_changelist")
    note_unknown_code(code=1)
    admin_client.get(address)
    with CaptureQueriesContext(connection) as one:
        admin_client.get(address)
    for code in range(2, 30):
        note_unknown_code(code=code)

    with django_assert_num_queries(len(one)):
        admin_client.get(address)
