"""The look-up page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backoffice.explanations.models import PublisherCode, UnknownCode
from backoffice.explanations.publishers import note_unknown_code

pytestmark = pytest.mark.django_db

PAYLOAD = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture
def address() -> str:
    return reverse("admin:explain")


@pytest.fixture
def staff() -> Client:
    """Any colleague, without a single right of their own."""
    user = get_user_model().objects.create_user("collega", password="x" * 12, is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def body_of(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def test_a_code_is_explained_in_the_language_of_the_screen(staff: Client, address: str) -> None:
    body = body_of(staff.get(address, {"q": "5022"}))

    assert "De achternaam is te lang: hoogstens 50 tekens" in body
    assert "Kort een dubbele achternaam in" in body
    assert "5022" in body


def test_a_pasted_message_is_explained_and_stays_in_the_box(staff: Client, address: str) -> None:
    pasted = "<detail><Fault><code>-4962</code></Fault></detail>"

    body = body_of(staff.post(address, {"pasted": pasted}))

    assert "De postcode is te lang: hoogstens 10 tekens" in body
    assert "&lt;code&gt;-4962&lt;/code&gt;" in body


def test_nothing_asked_shows_what_one_can_browse(staff: Client, address: str) -> None:
    response = staff.get(address)

    assert response.status_code == 200
    assert "?about=person#browse" in body_of(response)
    assert response.context["found"] == []


def test_browsing_lists_the_fields_and_links_to_each_explanation(
    staff: Client, address: str
) -> None:
    body = body_of(staff.get(address, {"about": "person", "field": "5020"}))

    assert "person -&gt; surname" in body
    assert f'{address}?q=5022"' in body
    assert f'{address}?q=4862"' not in body


def test_a_subject_without_a_field_shows_its_first_field(staff: Client, address: str) -> None:
    response = staff.get(address, {"about": "person", "field": "nonsense"})

    assert response.context["section"] == response.context["sections"][0]


def test_what_is_not_known_is_told_kindly(staff: Client, address: str) -> None:
    response = staff.get(address, {"q": "kwartetspel"})

    assert response.status_code == 200
    assert response.context["found"] == response.context["similar"] == []
    assert 'class="card empty"' in body_of(response)


def test_words_show_explanations_that_hold_them(staff: Client, address: str) -> None:
    response = staff.get(address, {"q": "postcode te lang"})

    assert response.context["similar"][0].code == 4962


def test_an_unknown_subject_is_told_kindly(staff: Client, address: str) -> None:
    assert staff.get(address, {"about": "vliegtuig"}).status_code == 200


@pytest.mark.parametrize("where", ["q", "about", "pasted"])
def test_html_that_somebody_types_stays_text(staff: Client, address: str, where: str) -> None:
    values = {where: PAYLOAD}

    response = staff.post(address, values) if where == "pasted" else staff.get(address, values)

    assert response.status_code == 200
    assert "<script>alert" not in body_of(response)
    assert "<img src=x" not in body_of(response)


def test_html_in_a_publishers_text_stays_text(staff: Client, address: str) -> None:
    PublisherCode.objects.create(
        code=117, title_nl=PAYLOAD, cause_nl=PAYLOAD, remedy_nl=f"{PAYLOAD}\n{PAYLOAD}"
    )

    bodies = [
        body_of(staff.get(address, {"q": "publisher:117"})),
        body_of(staff.get(address, {"about": "publisher"})),
        body_of(staff.get(address, {"q": "alert(1)"})),
    ]

    for body in bodies:
        assert "&lt;script&gt;alert(1)" in body
        assert "<script>alert" not in body
        assert "<img src=x" not in body


def test_huge_input_is_cut_and_answered(staff: Client, address: str) -> None:
    response = staff.post(address, {"pasted": "code 5022 " + "x" * 1_000_000})

    assert response.status_code == 200
    assert len(response.content) < 300_000
    assert "De achternaam is te lang" in body_of(response)


def test_the_page_has_no_inline_script_or_style(staff: Client, address: str) -> None:
    body = body_of(staff.get(address, {"q": "5022", "about": "person"}))

    assert not re.search(r"<script(?![^>]*\bsrc=)", body)
    assert not re.search(r"<style|\sstyle=|\son\w+=", body)


def test_who_may_write_gets_the_form_for_an_unknown_publishers_code(
    staff: Client, admin_client: Client, address: str
) -> None:
    form = f"{reverse('admin:explanations_publishercode_add')}?code=118"

    assert form in body_of(admin_client.get(address, {"q": "publisher:118"}))
    assert form not in body_of(staff.get(address, {"q": "publisher:118"}))


def test_looking_up_writes_nothing(staff: Client, address: str) -> None:
    staff.get(address, {"q": "publisher:118"})
    staff.post(address, {"pasted": "<errorCode>118</errorCode>"})

    assert not UnknownCode.objects.exists()


def test_the_number_of_unknown_codes_is_shown_to_who_may_see_them(
    staff: Client, admin_client: Client, address: str
) -> None:
    note_unknown_code(code=118)

    assert admin_client.get(address).context["unknown_count"] == 1
    assert staff.get(address).context["unknown_count"] == 0


def test_other_methods_are_refused(staff: Client, address: str) -> None:
    assert staff.put(address).status_code == 405
    assert staff.delete(address).status_code == 405


def test_a_post_without_a_token_is_refused(address: str) -> None:
    user = get_user_model().objects.create_user("collega", password="x" * 12, is_staff=True)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(address, {"pasted": "5022"}).status_code == 403


def test_strangers_and_accounts_without_access_are_sent_away(client: Client, address: str) -> None:
    assert client.get(address).status_code == 302

    user = get_user_model().objects.create_user("leerling", password="x" * 12)
    client.force_login(user)
    assert client.get(address).status_code in (302, 403)
    assert "achternaam" not in body_of(client.get(address, {"q": "5022"}))


def test_the_page_takes_a_fixed_number_of_queries(
    staff: Client, address: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        staff.get(address, {"q": "5022", "about": "person"})
