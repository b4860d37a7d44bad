"""Texts of an organisation's own: written once, shown everywhere, and back again."""

from __future__ import annotations

import time
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.explanations import own_texts
from backoffice.explanations.models import OwnText, UnknownCode
from backoffice.explanations.publishers import note_unknown_code
from backoffice.explanations.services import all_explanations, explain
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/explanations/owntext/add/"
WRITTEN = {
    "title_nl": "Bel de school over deze achternaam",
    "cause_nl": "De naam past niet.\nMeestal staat er een titel bij.\nSoms twee namen.",
    "remedy_nl": "Bel de school.\nPas de naam aan.",
}
EMPTY = {"title_en": "", "cause_en": "", "remedy_en": ""}


@pytest.fixture
def chief() -> Client:
    client = Client()
    client.force_login(UserFactory(groups=["Beheerder"]))
    return client


@pytest.fixture
def account_manager() -> Client:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    return client


def write(reference: str, **texts: str) -> OwnText:
    return OwnText.objects.create(reference=reference, **(WRITTEN | texts))


def lookup(client: Client, query: str) -> str:
    return client.get(reverse("admin:explain"), {"q": query}).content.decode()


def test_a_text_written_in_the_browser_is_shown_from_then_on(chief: Client) -> None:
    answer = chief.post(ADD, {"reference": "-5022", **WRITTEN, **EMPTY})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert OwnText.objects.get().reference == "5022"
    page = lookup(chief, "5022")
    for part in ("Bel de school over deze achternaam", "Meestal staat er een titel bij."):
        assert part in page
    assert "De achternaam is te lang" not in page


def test_the_form_of_a_new_text_starts_as_the_programs_own(chief: Client) -> None:
    shipped = explain(5022, lang="nl")

    form = chief.get(ADD, {"reference": "5022"}).context["adminform"].form

    assert form.initial["title_nl"] == shipped.title
    assert form.initial["cause_nl"].splitlines() == [shipped.meaning, *shipped.causes]
    assert form.initial["remedy_nl"] == shipped.remedy
    assert form.initial["title_en"] == explain(5022, lang="en").title


def test_the_programs_text_stands_beside_and_comes_back_when_ours_is_deleted(
    chief: Client,
) -> None:
    row = write("own:not_sent")
    shipped = explain("own:not_sent", lang="nl")

    page = chief.get(f"/admin/explanations/owntext/{row.pk}/change/").content.decode()
    assert shipped.title in page
    assert f"/admin/explanations/owntext/{row.pk}/delete/" in page
    assert "Bel de school over" in lookup(chief, "own:not_sent")

    chief.post(f"/admin/explanations/owntext/{row.pk}/delete/", {"post": "yes"})
    assert shipped.title in lookup(chief, "own:not_sent")


def test_every_wording_is_kept_in_the_history(chief: Client) -> None:
    row = write("5022")
    chief.post(
        f"/admin/explanations/owntext/{row.pk}/change/",
        {**WRITTEN, **EMPTY, "title_nl": "Nieuwe titel"},
    )

    titles = list(row.history.values_list("title_nl", flat=True))
    page = chief.get(f"/admin/explanations/owntext/{row.pk}/history/")

    assert titles == ["Nieuwe titel", WRITTEN["title_nl"]]
    assert page.status_code == 200


def test_a_language_that_was_not_written_keeps_the_programs_text(chief: Client) -> None:
    write("5022")
    lookup(chief, "5022")  # a request notices it

    assert explain(5022, lang="nl").is_own
    assert explain(5022, lang="en").title == "The surname is too long: at most 50 characters"


def test_the_sign_an_alias_and_all_lists_show_it_too(chief: Client) -> None:
    write("5022")
    write("own:not_sent", title_nl="Nog versturen")
    lookup(chief, "5022")

    assert explain(-5022, lang="nl").title == WRITTEN["title_nl"]
    assert explain("own:local_only", lang="nl").title == "Nog versturen"
    own = [item.reference for item in all_explanations(lang="nl") if item.is_own]
    assert own == ["5022", "own:not_sent"]


def test_a_page_asks_once_whatever_the_number_of_explanations() -> None:
    write("5022")

    # The first request of a process reads the texts, the next ones only ask for the newest change.
    assert [queries_of(many) for many in (1, 1, 300, 0)] == [2, 1, 1, 0]


def queries_of(many: int) -> int:
    """How many queries a page with this many explanations takes."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(explain(5022, lang="nl").title for _turn in range(many))

    with CaptureQueriesContext(connection) as queries:
        own_texts.OwnTextsMiddleware(view)(RequestFactory().get("/admin/"))
    return len(queries)


def test_another_process_shows_a_change_within_ten_seconds(monkeypatch: Any) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    own_texts.forget_texts()
    before = explain(5022, lang="nl").title
    write("5022")

    clock[0] += own_texts.SECONDS / 2
    halfway = explain(5022, lang="nl").title
    clock[0] += own_texts.SECONDS
    after = explain(5022, lang="nl").title

    assert before == halfway != after == WRITTEN["title_nl"]


def test_a_number_of_edu_ix_without_words_is_written_from_the_queue(chief: Client) -> None:
    note_unknown_code(code=2041, source=UnknownCode.Source.EDUIX)
    note_unknown_code(code=2041, source=UnknownCode.Source.EDUIX)
    queue = chief.get("/admin/explanations/unknowncode/").content.decode()
    assert f"{ADD}?reference=2041" in queue
    assert ">2041<" in queue
    assert "2.041" not in queue

    chief.post(ADD, {"reference": "2041", **WRITTEN, **EMPTY})

    assert not UnknownCode.objects.exists()
    assert WRITTEN["title_nl"] in lookup(chief, "2041")
    assert explain(2041, lang="nl").known


@pytest.mark.parametrize(
    ("reference", "changed", "told"),
    [
        ("publisher:117", {}, "Publishers"),
        ("own:does_not_exist", {}, "is no code or state"),
        ("zomaar iets", {}, "is no code or state"),
        ("5022", {"title_nl": "<b>Let op</b>"}, "Write plain text"),
        ("5022", {"cause_nl": ""}, "Fill this in as well"),
        ("5022", {"title_nl": "", "cause_nl": "", "remedy_nl": ""}, "Write a text in"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_with_the_reason(
    chief: Client, reference: str, changed: dict[str, str], told: str
) -> None:
    chief.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    answer = chief.post(ADD, {"reference": reference, **WRITTEN, **EMPTY, **changed})

    assert not OwnText.objects.exists()
    assert told in unescape(answer.content.decode())


def test_a_second_text_for_the_same_code_is_refused(chief: Client) -> None:
    write("5022")

    answer = chief.post(ADD, {"reference": "-5022", **WRITTEN, **EMPTY})

    assert answer.status_code == 200
    assert OwnText.objects.count() == 1


def test_who_may_only_read_them_cannot_write_one(account_manager: Client) -> None:
    row = write("5022")

    assert account_manager.get("/admin/explanations/owntext/").status_code == 200
    assert account_manager.get(ADD).status_code == 403
    changed = account_manager.post(
        f"/admin/explanations/owntext/{row.pk}/change/", {**WRITTEN, **EMPTY}
    )
    assert changed.status_code == 403
    version = row.history.get().pk
    again = account_manager.post(
        f"/admin/explanations/owntext/{row.pk}/history/{version}/", {**WRITTEN, **EMPTY}
    )
    assert again.status_code == 403
    assert "/owntext/add/" not in lookup(account_manager, "6322")
    assert f"{ADD}?reference=6322" in lookup_of_chief("6322")


def lookup_of_chief(query: str) -> str:
    client = Client()
    client.force_login(UserFactory(groups=["Beheerder"]))
    return lookup(client, query)


def test_nothing_is_lost_before_the_tables_are_there(monkeypatch: Any) -> None:
    own_texts.forget_texts()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE explanations_historicalowntext RENAME TO elsewhere")

    assert explain("own:sending", lang="nl").title == "Onderweg naar Edu-iX"


def test_html_that_came_in_past_the_form_is_shown_as_text(chief: Client) -> None:
    payload = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    row = write("5022", title_nl=payload, cause_nl=f"{payload}\nVaak {payload}", remedy_nl=payload)
    own_texts.forget_texts()

    for address in (
        reverse("admin:explain") + "?q=5022",
        "/admin/explanations/owntext/",
        f"/admin/explanations/owntext/{row.pk}/change/",
    ):
        body = chief.get(address).content.decode()
        assert "<script>alert" not in body, address
        assert "<img src=x" not in body, address
        assert "&lt;script&gt;alert" in body, address
