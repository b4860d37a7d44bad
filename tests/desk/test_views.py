"""Pages of the desk: they work, refuse the wrong method, and refuse the stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone, translation

from backoffice.explanations.services import explain
from backoffice.outbox.models import ServiceState
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)

PAGES = ("/admin/", "/admin/zoeken/?q=5022", "/admin/beheer/", "/admin/uitleg/")
SignIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_the_login_page(client: Client, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("page", PAGES)
def test_a_colleague_who_is_no_staff_is_refused(signed_in: SignIn, page: str) -> None:
    response = signed_in(is_staff=False).get(page)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("page", ["/admin/", "/admin/beheer/"])
def test_a_page_that_only_shows_takes_no_post(manager: Client, page: str) -> None:
    assert manager.post(page).status_code == 405


# --- home ---------------------------------------------------------------------------------------


def test_the_workbench_greets_and_tells_how_it_stands(manager: Client) -> None:
    text = manager.get("/admin/").content.decode()

    assert "Fatima" in text
    assert 'aria-current="page"' in text


def test_an_empty_house_offers_the_import_to_those_who_may(
    manager: Client, signed_in: SignIn
) -> None:
    assert "/admin/importeren/" in manager.get("/admin/").content.decode()

    reader = signed_in("persons.view_person").get("/admin/").content.decode()

    assert "/admin/importeren/" not in reader


# --- sending that stands still ------------------------------------------------------------------


def test_the_alarm_has_a_button_that_lets_sending_go_on(manager: Client) -> None:
    state = ServiceState.objects.create(
        service="edu-ix", stopped_at=timezone.now(), code=-2208, login_tries=3
    )
    assert "/admin/weer-sturen/" in manager.get("/admin/").content.decode()

    response = manager.post("/admin/weer-sturen/")

    state.refresh_from_db()
    assert response["Location"] == "/admin/"
    assert state.stopped_at is None
    assert "/admin/weer-sturen/" not in manager.get("/admin/").content.decode()


def test_the_list_of_sending_has_the_same_alarm_and_the_button_returns_to_it(
    manager: Client,
) -> None:
    sending = "/admin/outbox/message/"
    assert "/admin/weer-sturen/" not in manager.get(sending).content.decode()
    now = timezone.now()
    state = ServiceState.objects.create(
        service="edu-ix", failures=4, unreachable_since=now, pause_until=now
    )
    text = manager.get(sending).content.decode()

    response = manager.post("/admin/weer-sturen/", {"back": "sending"})

    state.refresh_from_db()
    assert "/admin/weer-sturen/" in text
    assert f"{timezone.localtime(now):%H:%M:%S}" in text
    assert response["Location"] == sending
    assert state.pause_until is None


def test_the_alarm_is_a_sentence_with_steps(manager: Client) -> None:
    ServiceState.objects.create(service="edu-ix", stopped_at=timezone.now(), code=-2208)

    text = manager.get("/admin/").content.decode()

    assert f"<b>{explain(-2208).title}.</b> " in text
    assert '<ol class="steps"><li>' in text


def test_only_who_may_send_again_may_lift_the_stop(signed_in: SignIn) -> None:
    ServiceState.objects.create(service="edu-ix", stopped_at=timezone.now())
    reader = signed_in("outbox.view_message")

    assert "/admin/weer-sturen/" not in reader.get("/admin/").content.decode()
    assert reader.post("/admin/weer-sturen/").status_code == 403
    assert ServiceState.objects.get().stopped_at is not None


def test_a_link_or_a_stranger_lifts_no_stop(client: Client, manager: Client) -> None:
    ServiceState.objects.create(service="edu-ix", stopped_at=timezone.now())

    assert manager.get("/admin/weer-sturen/").status_code == 405
    assert client.post("/admin/weer-sturen/").status_code == 302
    assert ServiceState.objects.get().stopped_at is not None


# --- search -------------------------------------------------------------------------------------


def test_the_search_box_posts_so_that_names_stay_out_of_logs(manager: Client) -> None:
    response = manager.post("/admin/zoeken/", {"q": "Van den Berg"})

    assert response.status_code == 302
    assert response["Location"] == "/admin/persons/person/?q=Van+den+Berg"


def test_an_empty_search_stays_at_the_workbench(manager: Client) -> None:
    assert manager.get("/admin/zoeken/?q=+")["Location"] == "/admin/"


def test_a_fault_code_leads_to_its_explanation(manager: Client) -> None:
    assert manager.get("/admin/zoeken/?q=5022")["Location"] == "/admin/uitleg/?q=5022"


def test_a_number_that_is_two_things_is_a_choice(manager: Client) -> None:
    link = SchoolPersonFactory(school_student_number="5022")

    response = manager.get("/admin/zoeken/?q=5022")

    text = response.content.decode()
    assert response.status_code == 200
    assert f"/admin/persons/person/{link.person_id}/change/" in text
    assert "/admin/uitleg/?q=5022" in text


def test_a_long_message_is_explained_without_standing_in_an_address(manager: Client) -> None:
    message = "Beste collega, " + "wij kregen dit terug. " * 15 + "<faultcode>ns1:5022</faultcode>"

    response = manager.post("/admin/zoeken/", {"q": message})

    assert response.status_code == 200
    assert "5022" in response.content.decode()


def test_a_name_finds_nothing_for_somebody_who_may_see_no_persons(signed_in: SignIn) -> None:
    response = signed_in().get("/admin/zoeken/?q=Jansen")

    assert response.status_code == 200
    assert "/admin/persons/" not in response.content.decode()


def test_what_people_type_is_shown_as_text(signed_in: SignIn) -> None:
    response = signed_in().get("/admin/zoeken/", {"q": "<script>alert(1)</script>"})

    assert "<script>alert" not in response.content.decode()


def test_search_takes_no_other_method(manager: Client) -> None:
    assert manager.put("/admin/zoeken/").status_code == 405


# --- the list of lists --------------------------------------------------------------------------


def test_settings_list_what_has_no_place_in_the_menu(manager: Client) -> None:
    text = manager.get("/admin/beheer/").content.decode()

    assert "/admin/auth/user/" in text
    assert "/admin/credits/product/" in text
    assert 'class="models"' in text


def test_settings_show_only_what_one_may_open(signed_in: SignIn) -> None:
    text = signed_in("credits.view_product").get("/admin/beheer/").content.decode()

    assert "/admin/credits/product/" in text
    assert "/admin/auth/user/" not in text


def test_settings_are_refused_to_somebody_who_may_open_none_of_them(signed_in: SignIn) -> None:
    assert signed_in("persons.view_person").get("/admin/beheer/").status_code == 403


# --- language -----------------------------------------------------------------------------------


def test_english_is_chosen_in_our_own_menu_and_remembered(manager: Client) -> None:
    response = manager.post("/admin/taal/", {"language": "en", "next": "/admin/uitleg/"})

    assert response["Location"] == "/admin/uitleg/"
    assert response.cookies["django_language"].value == "en"
    assert response.cookies["django_language"]["httponly"]
    assert 'lang="en"' in manager.get("/admin/").content.decode()


def test_a_stranger_chooses_a_language_on_the_login_page(client: Client) -> None:
    client.post("/admin/taal/", {"language": "en", "next": "/admin/login/"})

    assert '<html lang="en">' in client.get("/admin/login/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_the_way_back_stays_on_this_site(manager: Client, target: str) -> None:
    response = manager.post("/admin/taal/", {"language": "nl", "next": target})

    assert response["Location"] == "/admin/"


def test_a_language_that_we_do_not_speak_changes_nothing(manager: Client) -> None:
    response = manager.post("/admin/taal/", {"language": "fy"})

    assert response.status_code == 302
    assert "django_language" not in response.cookies


def test_a_link_cannot_change_the_language(manager: Client) -> None:
    assert manager.get("/admin/taal/?language=en").status_code == 405


def test_the_choice_of_a_language_needs_our_own_form() -> None:
    assert Client(enforce_csrf_checks=True).post("/admin/taal/").status_code == 403


# --- what exact searches find -------------------------------------------------------------------


def test_keys_of_persons_and_credits_are_found_at_once(manager: Client) -> None:
    person = PersonFactory(distributor_person_id="KLANT-7", eck_id="https://ketenid.nl/x")
    PersonCreditFactory(distributor_person_credit_id="CR-9", ean="9789006112234")
    SchoolCreditFactory(distributor_school_credit_id="SC-9", ean="9789001554431")

    def target(text: str) -> str:
        with translation.override("nl"):
            return manager.get("/admin/zoeken/", {"q": text})["Location"]

    assert target("KLANT-7") == f"/admin/persons/person/{person.pk}/change/"
    assert target("https://ketenid.nl/x") == f"/admin/persons/person/{person.pk}/change/"
    assert target("CR-9") == "/admin/credits/personcredit/?q=CR-9"
    assert target("SC-9") == "/admin/credits/schoolcredit/?q=SC-9"
    assert target("9789006 11223 4") == "/admin/credits/personcredit/?q=9789006112234"
    assert target("978-90-01-55443-1") == "/admin/credits/schoolcredit/?q=9789001554431"
