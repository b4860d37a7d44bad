"""The wizards for another number, a merge, a deletion and another school."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from persons.models import PersonChange, SchoolPerson
from tests.factories import (
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.persons.given import known_credit, known_person, send
from tests.persons.wizards.conftest import address

pytestmark = pytest.mark.django_db


def hidden(page: str) -> dict[str, str]:
    """What the preview sends along with the yes."""
    form = page[page.rindex('<form method="post" class="card">') :]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: value for name, value in pairs if name != "csrfmiddlewaretoken"}


def say_yes(client: Client, url: str, asked: dict[str, Any]) -> Any:
    """From the form over the preview to the yes."""
    preview = client.post(url, asked)
    assert preview.status_code == 200
    return client.post(url, hidden(preview.content.decode()) | {"_yes": "1"})


# --- rename --------------------------------------------------------------------------------------


def test_a_number_is_changed_over_three_pages(manager: Client, gateway: Gateway) -> None:
    person = known_person(gateway, distributor_person_id="OUD-1")
    url = address("person_rename", person.pk)

    preview = manager.post(url, {"to_key": "NIEUW-1", "reason": "Nieuw systeem"})
    page = preview.content.decode()
    assert "updatePersonID" in page
    assert "NIEUW-1" in page
    assert not PersonChange.objects.exists()
    answer = manager.post(url, hidden(page) | {"_yes": "1"})

    change = PersonChange.objects.get()
    assert answer.url == address("personchange_change", change.pk)  # type: ignore[attr-defined]
    waiting = manager.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "hx-get" in waiting
    send(gateway)
    done = manager.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "hx-get" not in done
    assert 'class="pill ok"' in done
    history = manager.get(f"/admin/persons/person/{person.pk}/history/").content.decode()
    assert "Nieuw systeem" in history
    assert "anja" in history


def test_a_yes_sent_twice_asks_once(manager: Client, gateway: Gateway) -> None:
    credit = known_credit(gateway)
    gone, kept = credit.school_person.person, known_person(gateway)
    url = address("person_merge", gone.pk)
    asked = {"other": kept.pk, "keep": kept.pk, "reason": "Dubbel"}
    yes = hidden(manager.post(url, asked).content.decode()) | {"_yes": "1"}

    first = manager.post(url, yes)
    send(gateway)
    second = manager.post(url, yes)  # its person is deleted by now

    assert first.status_code == second.status_code == 302
    assert first.url == second.url  # type: ignore[attr-defined]
    assert PersonChange.objects.count() == 1


def test_a_yes_to_an_old_preview_shows_how_it_stands_now(manager: Client, gateway: Gateway) -> None:
    person = known_person(gateway)
    url = address("person_rename", person.pk)
    page = manager.post(url, {"to_key": "NIEUW", "reason": "Zo"}).content.decode()
    SchoolPersonFactory(person=person, school__name="Erbij gekomen")

    answer = manager.post(url, hidden(page) | {"_yes": "1"})

    shown = answer.content.decode()
    assert "errornote" in shown
    assert "Erbij gekomen" in shown
    assert not PersonChange.objects.exists()
    assert manager.post(url, hidden(shown) | {"_yes": "1"}).status_code == 302


def test_a_yes_without_a_preview_is_shown_one(manager: Client, gateway: Gateway) -> None:
    person = known_person(gateway)

    answer = manager.post(
        address("person_rename", person.pk), {"to_key": "N", "reason": "r", "_yes": "1"}
    )

    assert answer.status_code == 200
    assert not PersonChange.objects.exists()


def test_a_number_too_long_is_told_with_its_code_and_no_button(
    manager: Client, gateway: Gateway
) -> None:
    person = known_person(gateway)

    page = manager.post(
        address("person_rename", person.pk), {"to_key": "K" * 21, "reason": "r"}
    ).content.decode()

    assert "7342" in page
    assert 'name="_yes"' not in page


def test_a_number_that_is_too_long_already_is_told_before_the_form(
    manager: Client, gateway: Gateway
) -> None:
    person = known_person(gateway, distributor_person_id="K" * 21)

    page = manager.get(address("person_rename", person.pk)).content.decode()

    assert "7322" in page
    assert 'name="to_key"' not in page


def test_what_eduix_never_had_changes_at_once(manager: Client) -> None:
    person = PersonFactory(distributor_person_id="OUD")

    answer = say_yes(
        manager, address("person_rename", person.pk), {"to_key": "NIEUW", "reason": "Typefout"}
    )

    person.refresh_from_db()
    assert answer.url == f"/admin/persons/person/{person.pk}/change/"
    assert person.distributor_person_id == "NIEUW"


# --- merge ---------------------------------------------------------------------------------------


def test_who_looks_alike_is_offered_and_anybody_can_be_searched(manager: Client) -> None:
    person = PersonFactory(distributor_person_id="K-EEN")
    PersonFactory(distributor_person_id="K-TWEELING")
    PersonFactory(distributor_person_id="K-VREEMD", surname="Öztürk")
    PersonFactory(distributor_person_id="K-WEG", push_state="deleted")
    url = address("person_merge", person.pk)

    alike = manager.get(url).content.decode()
    searched = manager.get(url, {"q": "K-VREEMD"}).content.decode()

    assert "K-TWEELING" in alike
    assert "K-VREEMD" not in alike
    assert "K-WEG" not in alike
    assert "K-VREEMD" in searched


def test_both_stand_side_by_side_and_what_is_lost_is_named(
    manager: Client, gateway: Gateway
) -> None:
    credit = known_credit(gateway, school_person__person__email="verdwijnt@example.nl")
    kept = known_person(gateway)
    url = address("person_merge", credit.school_person.person_id)

    chosen = manager.get(url, {"other": kept.pk}).content.decode()
    page = manager.post(
        url, {"other": kept.pk, "keep": kept.pk, "reason": "Dubbel"}
    ).content.decode()

    assert "<mark>verdwijnt@example.nl</mark>" in chosen
    assert "mergePerson" in page
    assert credit.distributor_person_credit_id in page
    assert "verdwijnt@example.nl</li>" in page


@pytest.mark.parametrize("other", ["999999", "x", "", "9" * 30])
def test_an_unknown_other_is_asked_for_again(manager: Client, other: str) -> None:
    url = address("person_merge", PersonFactory().pk)

    assert manager.get(url, {"other": other}).status_code == 200
    answer = manager.post(url, {"other": other, "keep": other, "reason": "r", "_yes": "1"})
    assert answer.status_code == 200
    assert not PersonChange.objects.exists()


def test_a_merge_with_itself_is_refused_on_the_page(manager: Client) -> None:
    person = PersonFactory()
    url = address("person_merge", person.pk)

    assert 'role="alert"' in manager.get(url, {"other": person.pk}).content.decode()
    asked = {"other": person.pk, "keep": person.pk, "reason": "r", "_yes": "1"}
    assert 'role="alert"' in manager.post(url, asked).content.decode()
    assert not PersonChange.objects.exists()


# --- delete --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["person_remove", "schoolperson_remove"])
def test_a_credit_in_force_is_named_with_the_way_to_give_it_back(
    manager: Client, gateway: Gateway, name: str
) -> None:
    credit = known_credit(gateway)
    place = credit.school_person

    page = manager.get(
        address(name, place.pk if name == "schoolperson_remove" else place.person_id)
    ).content.decode()

    assert f"/personcredit/{credit.pk}/" in page
    assert 'name="reason"' not in page


def test_a_person_without_credits_is_deleted(manager: Client, gateway: Gateway) -> None:
    person = known_person(gateway)

    answer = say_yes(manager, address("person_remove", person.pk), {"reason": "Vergissing"})
    send(gateway)

    assert manager.get(answer.url).status_code == 200
    person.refresh_from_db()
    assert person.push_state == "deleted"
    assert manager.get(f"/admin/persons/person/{person.pk}/change/").status_code == 302


# --- another school ------------------------------------------------------------------------------


def test_a_move_takes_the_credits_along_and_its_reason_stays(
    manager: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = known_credit(gateway)
    place = credit.school_person
    there = SchoolFactory(organisation_id="onbekend-bij-edu-ix", name="Nieuwe School")
    url = address("schoolperson_move", place.pk)
    asked = {"school": there.pk, "student_number": "777", "reason": "Verhuisd"}

    page = manager.post(url, asked).content.decode()
    assert "updateSchoolperson" in page
    assert credit.distributor_person_credit_id in page
    yes = hidden(page) | {"_yes": "1"}
    answer = manager.post(url, yes)
    again = manager.post(url, yes)

    place = SchoolPerson.objects.get(pk=place.pk)
    assert (place.school, place.school_student_number) == (there, "777")
    assert "Verhuisd" in place.history.latest().history_change_reason
    assert answer.url == again.url  # type: ignore[attr-defined]
    assert "hx-get" in manager.get(answer.url).content.decode()  # type: ignore[attr-defined]
    send(gateway)
    refused = manager.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "6727" in refused
    assert "hx-get" not in refused


def test_the_same_school_is_no_move(manager: Client) -> None:
    place = SchoolPersonFactory()

    page = manager.post(
        address("schoolperson_move", place.pk),
        {"school": place.school_id, "student_number": "1", "reason": "r"},
    ).content.decode()

    assert 'role="alert"' in page
