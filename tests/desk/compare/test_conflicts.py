"""A conflict is settled field by field, by whom it concerns, with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Held, Message, PushState
from credits.services import queue_credit_push
from persons.models import Person, School
from persons.services import queue_person_push
from tests.desk.compare.conftest import at_edu_ix, check, token_on, url
from tests.factories import PersonCreditFactory, PersonFactory

pytestmark = pytest.mark.django_db


BLACK_ECK_ID = "a" * 122 + "b0b0b0"


def choose(client: Client, person: Person, **fields: str) -> Any:
    page = client.get(url(person))
    data = {"token": token_on(page), "reason": "school belde", **fields}
    return client.post(f"{url(person)}kiezen/", data)


def test_the_page_marks_what_differs_in_words_and_asks_nothing(
    client: Client, conflict: Person
) -> None:
    page = client.get(url(conflict))

    text = page.content.decode()
    assert "2 fields differ" in text
    assert text.count('<span class="pill bad">Differs</span>') == 3  # two fields, one verdict
    assert "Anders" in text
    assert "Berg" in text
    assert Message.objects.count() == 1


def test_theirs_for_all_makes_both_equal_and_ends_the_message(
    client: Client, conflict: Person, gateway: Gateway, sandbox: SandboxServer
) -> None:
    before = len(sandbox.control.ledger(applied=True))

    answer = choose(client, conflict, all="theirs")

    assert answer.status_code == 302
    conflict.refresh_from_db()
    assert (conflict.surname, conflict.postal_code) == ("Anders", "9711 AA")
    assert conflict.push_state == PushState.IN_SYNC
    assert conflict.registered_at is not None
    assert Message.objects.get().status == Message.Status.DONE
    drain_once(gateway=gateway)
    assert len(sandbox.control.ledger(applied=True)) == before
    history = conflict.history.first()
    assert history.history_change_reason == "school belde"


def test_ours_for_all_is_pushed_over_theirs_and_the_reason_is_kept(
    client: Client, conflict: Person, gateway: Gateway
) -> None:
    choose(client, conflict, all="ours")
    drain_once(gateway=gateway)

    conflict.refresh_from_db()
    assert conflict.push_state == PushState.IN_SYNC
    assert at_edu_ix(gateway, conflict).surname == "Berg"
    assert conflict.history.first().history_change_reason == "school belde"
    assert not Message.objects.open().exists()


def test_a_choice_per_field_ends_with_both_equal(
    client: Client, conflict: Person, gateway: Gateway
) -> None:
    choose(client, conflict, take_surname="theirs", take_postal_code="ours")
    drain_once(gateway=gateway)

    conflict.refresh_from_db()
    theirs = at_edu_ix(gateway, conflict)
    assert (conflict.surname, conflict.postal_code) == ("Anders", "3011 AB")
    assert (theirs.surname, theirs.postal_code) == ("Anders", "3011 AB")
    assert conflict.push_state == PushState.IN_SYNC


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_waited_for_a_conflict_goes_on(
    client: Client, conflict: Person, school: School, gateway: Gateway, side: str
) -> None:
    credit = PersonCreditFactory(school_person__person=conflict, school_person__school=school)
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    assert Message.objects.filter(status=Message.Status.WAITING).count() == 2

    choose(client, conflict, all=side)
    drain_once(gateway=gateway)

    credit.refresh_from_db()
    assert credit.push_state == PushState.IN_SYNC
    assert not Message.objects.open().exists()


def test_a_field_without_a_choice_is_named_and_nothing_is_done(
    client: Client, conflict: Person
) -> None:
    answer = choose(client, conflict, take_surname="theirs")

    assert answer.status_code == 422
    assert "Choose ours or theirs for: Postal code." in answer.content.decode()
    conflict.refresh_from_db()
    assert conflict.surname == "Berg"


def test_without_a_reason_nothing_is_done(client: Client, conflict: Person) -> None:
    answer = choose(client, conflict, all="theirs", reason=" ")

    assert answer.status_code == 422
    assert "Give the reason" in answer.content.decode()


def test_a_page_that_is_no_longer_true_does_nothing_and_is_shown_again(
    client: Client, conflict: Person
) -> None:
    token = token_on(client.get(url(conflict)))
    Person.objects.filter(pk=conflict.pk).update(first_name="Sara")

    answer = client.post(
        f"{url(conflict)}kiezen/", {"token": token, "reason": "x", "all": "theirs"}
    )

    assert answer.status_code == 409
    assert "Something changed since you saw this page" in answer.content.decode()
    conflict.refresh_from_db()
    assert conflict.surname == "Berg"
    assert conflict.push_state == PushState.CONFLICT


def test_what_our_rules_refuse_is_said_and_not_taken_over(client: Client, conflict: Person) -> None:
    held = Held.objects.get(subject=f"person:{conflict.pk}")
    held.values["surname"] = "x" * 60
    held.save()

    answer = choose(client, conflict, all="theirs")

    assert answer.status_code == 422
    assert "Surname:" in answer.content.decode()
    conflict.refresh_from_db()
    assert (conflict.surname, conflict.postal_code) == ("Berg", "3011 AB")


def test_an_eck_id_is_never_shown_whole(client: Client, gateway: Gateway) -> None:
    person = PersonFactory(eck_id=BLACK_ECK_ID)
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    Person.objects.filter(pk=person.pk).update(eck_id="c" * 128)
    check(person, gateway)

    text = client.get(url(person)).content.decode()

    assert "…b0b0b0" in text
    assert "…cccccc" in text
    assert BLACK_ECK_ID not in text
    assert "c" * 20 not in text
