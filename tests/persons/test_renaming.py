"""Another number for a person at Edu-iX, and then with us: over a real socket."""

from __future__ import annotations

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Message, PushState
from persons.changes import NotPossible, ask_again, withdraw
from persons.models import Person, PersonChange
from persons.senders import person_record
from persons.services import queue_person_push, save_person
from tests.factories import (
    PersonFactory,
    UserFactory,
)
from tests.persons.given import (
    applied,
    calls,
    known_person,
    rename,
    send,
)

pytestmark = pytest.mark.django_db


def at_eduix(gateway: Gateway, key: str) -> bool:
    return gateway.get_person(distributor_person_id=key) is not None


def test_a_number_changes_with_us_when_eduix_has_changed_it(gateway: Gateway) -> None:
    person = known_person(gateway, distributor_person_id="OUD-1")
    user = UserFactory(username="anja")

    change = rename(person, "NIEUW-1", user=user, reason="Nieuw klantsysteem")
    person.refresh_from_db()
    assert person.distributor_person_id == "OUD-1"
    message = send(gateway, change)

    person.refresh_from_db()
    assert message is not None
    assert message.status == "done"
    assert (person.distributor_person_id, person.push_state) == ("NIEUW-1", "in_sync")
    assert at_eduix(gateway, "NIEUW-1")
    assert not at_eduix(gateway, "OUD-1")
    newest = person.history.latest()
    assert "Nieuw klantsysteem" in newest.history_change_reason
    assert newest.history_user == user
    assert (newest.distributor_person_id, newest.prev_record.distributor_person_id) == (
        "NIEUW-1",
        "OUD-1",
    )


def test_edits_before_and_after_a_rename_go_out_with_the_right_number(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = known_person(gateway, distributor_person_id="OUD-2")
    person.surname = "Eerst"
    save_person(person=person, push=True)
    rename(person, "NIEUW-2")
    # its message waits behind the first edit; this edit waits in the same row of the outbox
    person = Person.objects.get(pk=person.pk)
    person.first_name = "Daarna"
    save_person(person=person, push=True)

    send(gateway)
    person = Person.objects.get(pk=person.pk)
    person.email = "na@example.nl"
    save_person(person=person, push=True)
    send(gateway)

    found = gateway.get_person(distributor_person_id="NIEUW-2")
    assert found is not None
    assert (found.person.surname, found.person.first_name, found.person.email) == (
        "Eerst",
        "Daarna",
        "na@example.nl",
    )
    assert not Message.objects.open().exists()
    assert applied(sandbox, "updatePerson", "updatePersonID") == [
        "updatePerson",
        "updatePersonID",
        "updatePerson",
    ]


@pytest.mark.parametrize("trouble", ["drop_reply", "cut", "unavailable"])
def test_a_lost_answer_to_a_rename_is_asked_for_and_it_happens_once(
    gateway: Gateway, sandbox: SandboxServer, trouble: str
) -> None:
    person = known_person(gateway, distributor_person_id="OUD-3")
    change = rename(person, "NIEUW-3")
    sandbox.control.trouble(trouble, "updatePersonID")

    message = send(gateway, change)
    assert message is not None
    assert message.status in {"uncertain", "queued"}
    person.refresh_from_db()
    assert person.distributor_person_id == "OUD-3"
    message = send(gateway, change)

    person.refresh_from_db()
    assert message is not None
    assert message.status == "done"
    assert person.distributor_person_id == "NIEUW-3"
    assert applied(sandbox, "updatePersonID") == ["updatePersonID"]


def test_a_number_that_somebody_has_at_eduix_is_not_even_tried(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    other = known_person(gateway, distributor_person_id="BEZET", surname="Anders")
    Person.objects.filter(pk=other.pk).update(push_state="deleted")  # with us it is free
    person = known_person(gateway, distributor_person_id="OUD-4")

    change = rename(person, "BEZET")
    message = send(gateway, change)

    person.refresh_from_db()
    assert message is not None
    assert message.status == "conflict"
    assert change.push_state == PushState.CONFLICT
    assert person.distributor_person_id == "OUD-4"
    assert calls(sandbox, "updatePersonID") == 0


def test_both_numbers_there_after_a_lost_answer_is_for_a_colleague(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = known_person(gateway, distributor_person_id="OUD-5")
    change = rename(person, "NIEUW-5")
    sandbox.control.trouble("cut", "updatePersonID")
    send(gateway, change)
    twin = PersonFactory(distributor_person_id="NIEUW-5", surname="Anders")
    gateway.create_person(person_record(twin))

    message = send(gateway, change)

    assert message is not None
    assert message.status == "conflict"
    assert applied(sandbox, "updatePersonID") == []
    assert Person.objects.get(pk=person.pk).distributor_person_id == "OUD-5"


def test_a_number_taken_with_us_meanwhile_waits_until_it_is_free(gateway: Gateway) -> None:
    person = known_person(gateway, distributor_person_id="OUD-6")
    change = rename(person, "NIEUW-6")
    quick = PersonFactory(distributor_person_id="NIEUW-6")  # an import, a moment later

    send(gateway, change)

    person.refresh_from_db()
    assert change.is_open
    assert change.push_state == PushState.CONFLICT
    assert person.distributor_person_id == "OUD-6"

    rename(quick, "ANDER-6")  # Edu-iX never had it: done at once
    ask_again(change=change, user=None)
    send(gateway, change)

    person.refresh_from_db()
    quick.refresh_from_db()
    assert (person.distributor_person_id, quick.distributor_person_id) == ("NIEUW-6", "ANDER-6")
    assert not change.is_open


def test_a_refused_rename_changes_nothing_and_can_be_withdrawn(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = known_person(gateway, distributor_person_id="OUD-7")
    change = rename(person, "NIEUW-7")
    sandbox.control.trouble("fault", "updatePersonID", code=7328)

    message = send(gateway, change)
    assert message is not None
    assert message.status == "refused"
    assert (change.push_state, abs(change.push_code or 0)) == ("refused", 7328)
    with pytest.raises(NotPossible):
        rename(person, "ANDERS-7")
    assert withdraw(change=change)

    person.refresh_from_db()
    change.refresh_from_db()
    assert person.distributor_person_id == "OUD-7"
    assert change.withdrawn_at is not None
    assert rename(person, "ANDERS-7").is_open


def test_a_person_that_eduix_never_had_is_renamed_at_once(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory(distributor_person_id="K" * 30)
    user = UserFactory()

    change = rename(person, "KORT", user=user)

    person.refresh_from_db()
    assert person.distributor_person_id == "KORT"
    assert person.history.latest().history_user == user
    assert not change.is_open
    assert not Message.objects.exists()
    assert sandbox.control.ledger() == []


def test_a_refused_person_goes_out_again_with_its_new_number(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory(distributor_person_id="FOUT")
    queue_person_push(person=person)
    sandbox.control.trouble("fault", "createPerson", code=3042)
    send(gateway)

    rename(person, "GOED")
    send(gateway)

    person.refresh_from_db()
    assert (person.distributor_person_id, person.push_state) == ("GOED", "in_sync")
    assert at_eduix(gateway, "GOED")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("K" * 21, "KORT", 7322), ("KORT", "K" * 21, 7342)],
)
def test_a_number_over_twenty_characters_is_refused_before_anything_is_sent(
    gateway: Gateway, sandbox: SandboxServer, old: str, new: str, code: int
) -> None:
    person = known_person(gateway, distributor_person_id=old)
    before = len(sandbox.control.ledger())

    with pytest.raises(NotPossible) as caught:
        rename(person, new)

    explanations = [one.explanation for one in caught.value.preview.obstacles]
    assert [one.number for one in explanations if one] == [code]
    assert not PersonChange.objects.exists()
    assert len(sandbox.control.ledger()) == before


@pytest.mark.parametrize("number", ["", "EIGEN", "ANDER"])
def test_no_number_the_same_number_and_anothers_number_are_refused(number: str) -> None:
    person = PersonFactory(distributor_person_id="EIGEN")
    PersonFactory(distributor_person_id="ANDER")

    with pytest.raises(NotPossible):
        rename(person, number)

    assert Person.objects.get(pk=person.pk).distributor_person_id == "EIGEN"
