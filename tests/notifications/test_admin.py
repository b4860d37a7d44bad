"""What colleagues see of notifications, and applying them again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.explanations.models import PublisherCode
from notifications.applying import apply_waiting
from notifications.envelope import open_envelope, parse
from notifications.masking import masked_eck_id, pretty
from notifications.models import Notification, Refusal
from notifications.payload import read_content
from persons.models import Person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    UserFactory,
)
from tests.notifications.conftest import PASSWORD, envelope
from tests.notifications.rows import ECK_ID, prematch, specification, stored, verdicts

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/notification/"
REFUSALS = "/admin/notifications/refusal/"


def signed_in(*groups: str, **more: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(groups=list(groups), **more))
    return client


@pytest.fixture
def reader() -> Client:
    """A colleague who may look."""
    return signed_in("Meelezer")


@pytest.fixture
def keeper() -> Client:
    """A colleague who may apply again."""
    return signed_in("Beheerder")


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def replay(client: Client, *rows: Notification, **more: Any) -> str:
    data = {
        "action": "apply_again",
        "_selected_action": [row.pk for row in rows],
        "index": "0",
        **more,
    }
    response = client.post(LIST, data, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


# --- the list -----------------------------------------------------------------------------------


def some_of_everything(round_: int) -> None:
    key = f"{round_}"
    PersonFactory(distributor_person_id=f"K-{key}")
    PersonCreditFactory(distributor_person_credit_id=f"C-{key}")
    SchoolCreditFactory(distributor_school_credit_id=f"S-{key}")
    prematch(f"K-{key}", "elo", ECK_ID)
    prematch(f"unknown-{key}")
    specification(f"C-{key}", 117)
    specification(f"S-{key}", None)
    broken = specification(f"C-{key}", None)
    Notification.objects.filter(pk=broken.pk).update(verdict="dead", reason="broke")


def test_the_list_takes_as_many_queries_however_long_it_is(reader: Client) -> None:
    some_of_everything(0)
    page(reader, LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(reader, LIST)
    for round_ in range(1, 9):
        some_of_everything(round_)
    apply_waiting()

    with CaptureQueriesContext(connection) as many:
        page(reader, LIST)

    assert len(many) == len(few)
    assert len(many) <= 14


def test_the_list_links_to_whom_it_is_about(reader: Client) -> None:
    person = PersonFactory(distributor_person_id="K-1")
    credit = PersonCreditFactory(distributor_person_credit_id="C-1")
    prematch("K-1", "elo-77")
    specification("C-1", 117)
    prematch("nobody")

    text = page(reader, LIST)

    assert f'<a href="/admin/persons/person/{person.pk}/change/">{person.full_name}</a>' in text
    assert f'<a href="/admin/credits/personcredit/{credit.pk}/change/">' in text
    assert "elo-77" in text
    assert "117" in text


def test_the_list_says_what_a_code_of_a_publisher_means(reader: Client) -> None:
    PublisherCode.objects.create(
        code=117, title_nl="De druk is op", cause_nl="Op.", remedy_nl="Bel de uitgever."
    )
    PersonCreditFactory(distributor_person_credit_id="C-1")
    specification("C-1", 117)
    Notification.objects.update(verdict="applied")

    assert "code 117 · De druk is op" in page(reader, LIST)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"K-1", "K-2", "C-1"}),
        ("?kind=prematchChanged", {"K-1", "K-2"}),
        ("?verdict=dead", {"K-2"}),
        ("?group=attention", {"K-2"}),
        ("?group=waiting", {"K-1", "C-1"}),
        ("?since=today", {"K-1", "C-1"}),
        ("?since=month", {"K-1", "K-2", "C-1"}),
        ("?q=C-1", {"C-1"}),
        ("?q=nothing", set()),
    ],
)
def test_the_filters_narrow_the_list(reader: Client, query: str, expected: set[str]) -> None:
    prematch("K-1")
    old = prematch("K-2")
    specification("C-1", None)
    Notification.objects.filter(pk=old.pk).update(
        verdict="dead", received_at=timezone.now() - timedelta(days=9)
    )

    text = page(reader, LIST + query)

    assert set(re.findall(r'class="sub">([KC]-\d)<', text)) == expected


@pytest.mark.parametrize(
    "query", ["?credential__startswith=e", "?raw__contains=x", "?received_at__year=2026"]
)
def test_hidden_columns_cannot_be_asked_for(reader: Client, query: str) -> None:
    prematch("K-1")

    response = reader.get(LIST + query)

    assert response.status_code in (302, 400)


def test_strangers_and_people_without_the_right_see_nothing() -> None:
    row = prematch("K-1")

    for client, status in ((Client(), 302), (signed_in(), 403)):
        assert client.get(LIST).status_code == status
        assert client.get(f"{LIST}{row.pk}/change/").status_code == status


@pytest.mark.parametrize("address", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_one(reader: Client, address: str) -> None:
    row = prematch("K-1")

    assert reader.post(LIST + address.format(row.pk)).status_code == 403


def test_posting_to_the_page_of_one_changes_nothing(reader: Client) -> None:
    row = prematch("K-1")

    response = reader.post(f"{LIST}{row.pk}/change/", {"verdict": "applied"})

    assert response.status_code == 403
    assert verdicts(row) == ["waiting"]


# --- the page of one ----------------------------------------------------------------------------


def with_body(name: str, row: Notification) -> Notification:
    body = envelope(name).replace(PASSWORD.encode(), b"")
    Notification.objects.filter(pk=row.pk).update(raw=body, content_type="text/xml")
    return row


def test_the_page_shows_what_it_says_and_how_it_came_in(reader: Client) -> None:
    PersonFactory(distributor_person_id="K-3001")
    row = with_body("prematch_linked", prematch("K-3001", "elo-user-77", ECK_ID))
    apply_waiting()

    text = page(reader, f"{LIST}{row.pk}/change/")

    assert "elo-user-77" in text
    assert "n:prematchChangedRequest" in text
    assert row.raw_sha256 in text
    assert ECK_ID not in text
    assert f"…{ECK_ID[-6:]}" in text


def test_the_page_explains_the_code_of_the_publisher(reader: Client) -> None:
    PersonCreditFactory(distributor_person_credit_id="C-1", ean="9789001234562")
    ProductFactory(ean="9789001234562", publisher="Noorderlicht")
    row = specification("C-1", 117, correction=309)

    text = page(reader, f"{LIST}{row.pk}/change/")

    assert "117" in text
    assert "309" in text
    assert text.count('class="why"') >= 3


def told_in_pieces() -> Notification:
    content = read_content(*open_envelope(parse(envelope("specification_43")))[:3])
    assert content.invalid == ""
    row = stored(content.kind, content.subject, content.parsed)
    return with_body("specification_43", row)


def test_the_page_of_version_43_shows_each_entry(reader: Client) -> None:
    row = told_in_pieces()

    text = page(reader, f"{LIST}{row.pk}/change/")

    for word in ("4.3", "70001", " 2026, 09:12:00", "REQ-1", "elo-user-77", "Too late"):
        assert word in text
    for word in ("specified-in-some-word", "a word we never saw", "No request was sent.", "309"):
        assert word in text
    assert text.index("70000") < text.index("70001") < text.index("70002")


def test_the_list_tells_a_version_43_in_one_line(reader: Client) -> None:
    told_in_pieces()

    assert "a word we never saw" in page(reader, LIST)


@pytest.mark.parametrize("verdict", [value for value, _label in Notification.Verdict.choices])
def test_every_verdict_has_a_page_and_a_cell(reader: Client, verdict: str) -> None:
    row = prematch("K-1")
    Notification.objects.filter(pk=row.pk).update(
        verdict=verdict, reason="something-of-later", traceback="Traceback: x", flags=["odd"]
    )

    assert 'class="pill' in page(reader, LIST)
    assert "something-of-later" in page(reader, f"{LIST}{row.pk}/change/")


def test_one_that_could_not_be_read_still_has_a_page(reader: Client) -> None:
    row = prematch("")
    Notification.objects.filter(pk=row.pk).update(
        parsed={}, verdict="invalid", reason="missing:distributorPersonID", raw=b"\xff\xfe"
    )

    assert "distributorPersonID" in page(reader, f"{LIST}{row.pk}/change/")
    assert "distributorPersonID" in page(reader, LIST)


def test_what_the_sender_wrote_is_shown_as_text(reader: Client) -> None:
    row = prematch("<script>alert(1)</script>", "<img src=x onerror=alert(1)>")
    Notification.objects.filter(pk=row.pk).update(raw=b"<a>&lt;script&gt;alert(1)</a>")

    for text in (page(reader, LIST), page(reader, f"{LIST}{row.pk}/change/")):
        assert "<script>alert" not in text
        assert "<img src=x" not in text


# --- applying again -----------------------------------------------------------------------------


def test_applying_again_tells_the_real_result(keeper: Client) -> None:
    PersonFactory(distributor_person_id="K-1")
    found, unknown = prematch("K-1", "a"), prematch("K-2", "b")
    Notification.objects.update(verdict="dead", traceback="old", tries=5)

    text = replay(keeper, found, unknown)

    assert verdicts(found, unknown) == ["applied", "unmatched"]
    assert Person.objects.get(distributor_person_id="K-1").user_id == "a"
    assert re.search(r"<li[^>]*success[^>]*>.*1 ", text)
    assert re.search(r"<li[^>]*warning[^>]*>.*1 ", text)


def test_applying_again_needs_its_own_right(reader: Client) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    Notification.objects.update(verdict="dead")

    text = replay(reader, row)

    assert verdicts(row) == ["dead"]
    assert 'value="apply_again"' not in text
    assert 'value="apply_again"' not in page(reader, f"{LIST}{row.pk}/change/")


def test_what_was_blanked_has_no_button_to_apply_it_again(keeper: Client) -> None:
    row = prematch("K-1")
    url = f"{LIST}{row.pk}/change/"
    assert 'value="apply_again"' in page(keeper, url)

    Notification.objects.update(raw=b"", parsed={}, verdict="applied")

    assert 'value="apply_again"' not in page(keeper, url)


def test_a_get_applies_nothing(keeper: Client) -> None:
    row = prematch("K-1")
    Notification.objects.update(verdict="dead")

    keeper.get(LIST, {"action": "apply_again", "_selected_action": str(row.pk)})

    assert verdicts(row) == ["dead"]


# --- refused deliveries -------------------------------------------------------------------------


def test_the_list_of_refused_deliveries_explains_each() -> None:
    manager = signed_in(is_superuser=True)
    now = timezone.now().replace(second=0, microsecond=0)
    for reason, status, code in [("login", 500, 2), ("not_xml", 400, 0), ("database", 500, 3)]:
        Refusal.objects.create(
            minute=now, status=status, code=code, reason=reason, source="203.0.113.9", count=7
        )

    text = page(manager, REFUSALS)
    one_reason = page(manager, f"{REFUSALS}?reason=login&since=today")

    assert text.count("203.0.113.9") == 3
    assert text.count('class="pill bad"') == 3
    assert one_reason.count("203.0.113.9") == 1


def test_a_look_with_a_browser_is_no_fault_of_a_sender() -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    Refusal.objects.create(minute=now, status=405, code=0, reason="method", source="", count=1)

    assert '<span class="pill idle">405</span>' in page(signed_in(is_superuser=True), REFUSALS)


# --- masking ------------------------------------------------------------------------------------


def test_a_body_is_shown_indented_and_masked() -> None:
    text = pretty(envelope("prematch_linked"), "text/xml; charset=utf-8")

    assert PASSWORD not in text
    assert "c0ffee" not in text.replace(f"…{text.split('…')[1][:6]}", "")
    assert re.search(r"<n:eckID>….{6}</n:eckID>", text)
    assert text.startswith("<soap:Envelope")


def test_a_body_in_another_encoding_is_shown_too() -> None:
    body = envelope("specification_accepted").decode().encode("utf-16")

    assert "C-1001" in pretty(body, "text/xml")


@pytest.mark.parametrize("body", [b"", b"no xml", b"\xff\xfe\x00", b"<a>"])
def test_what_cannot_be_read_shows_as_nothing(body: bytes) -> None:
    assert pretty(body, "") == ""


def test_a_short_eck_id_shows_nothing_of_itself() -> None:
    assert masked_eck_id("123456") == "…"
    assert masked_eck_id("1234567") == "…234567"
