"""What is deleted at Edu-iX, and then with us: over a real socket."""

from __future__ import annotations

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit
from persons.changes import NotPossible
from persons.models import Person, PersonChange
from persons.previews import preview_delete, preview_rename
from tests.factories import (
    PersonCreditFactory,
)
from tests.persons.given import (
    applied,
    calls,
    delete,
    delete_from_school,
    known_credit,
    known_person,
    rename,
    send,
)

pytestmark = pytest.mark.django_db


def at_eduix(gateway: Gateway, key: str) -> bool:
    return gateway.get_person(distributor_person_id=key) is not None


def returned(credit: PersonCredit, gateway: Gateway) -> None:
    gateway.return_person_credit(
        distributor_person_credit_id=credit.distributor_person_credit_id, reference=f"R{credit.pk}"
    )
    PersonCredit.objects.filter(pk=credit.pk).update(person_product_state="Returned")


def test_a_person_with_a_credit_in_force_stays(gateway: Gateway, sandbox: SandboxServer) -> None:
    credit = known_credit(gateway)

    with pytest.raises(NotPossible):
        delete(credit.school_person.person)
    with pytest.raises(NotPossible):
        delete_from_school(credit.school_person)

    assert calls(sandbox, "deletePerson") == 0


def test_a_deleted_person_goes_with_its_schools_and_returned_credits(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = known_credit(gateway)
    person = credit.school_person.person
    returned(credit, gateway)
    never_sent = PersonCreditFactory(school_person=credit.school_person, ean="9789006234561")

    change = delete(person, reason="Testaccount")
    assert Person.objects.get(pk=person.pk).push_state == "in_sync"
    send(gateway, change)

    for row in (person, credit, credit.school_person, never_sent):
        row.refresh_from_db()
        assert row.push_state == PushState.DELETED
    assert "Testaccount" in person.history.latest().history_change_reason
    assert "Testaccount" in credit.school_person.history.latest().history_change_reason
    assert not at_eduix(gateway, person.distributor_person_id)
    assert not Message.objects.open().exists()


def test_a_place_at_a_school_goes_alone(gateway: Gateway) -> None:
    credit = known_credit(gateway)
    returned(credit, gateway)
    place = credit.school_person

    change = delete_from_school(place)
    send(gateway, change)

    place.refresh_from_db()
    credit.refresh_from_db()
    assert (place.push_state, credit.push_state) == ("deleted", "deleted")
    assert place.person.push_state == "in_sync"
    assert at_eduix(gateway, place.person.distributor_person_id)
    key = place.distributor_school_person_id
    assert gateway.get_school_person(distributor_school_person_id=key) is None


@pytest.mark.parametrize("trouble", ["drop_reply", "cut"])
@pytest.mark.parametrize("operation", ["deletePerson", "deleteSchoolperson"])
def test_a_lost_answer_to_a_deletion_is_asked_for(
    gateway: Gateway, sandbox: SandboxServer, trouble: str, operation: str
) -> None:
    credit = known_credit(gateway)
    returned(credit, gateway)
    place = credit.school_person
    change = delete(place.person) if operation == "deletePerson" else delete_from_school(place)
    sandbox.control.trouble(trouble, operation)

    send(gateway, change)
    assert change.is_open
    message = send(gateway, change)

    assert message is not None
    assert message.status == "done"
    assert applied(sandbox, operation) == [operation]
    place.refresh_from_db()
    assert place.push_state == PushState.DELETED


def test_what_eduix_does_not_know_is_deleted_here_too(gateway: Gateway) -> None:
    person = known_person(gateway)
    gateway.delete_person(distributor_person_id=person.distributor_person_id)

    message = send(gateway, change := delete(person))

    assert message is not None
    assert message.status == "done"
    assert change.applied_at is not None


def test_a_credit_that_eduix_holds_in_force_keeps_the_person(gateway: Gateway) -> None:
    credit = known_credit(gateway)
    PersonCredit.objects.filter(pk=credit.pk).update(person_product_state="Returned")

    change = delete(credit.school_person.person)
    message = send(gateway, change)

    assert message is not None
    assert (message.status, abs(message.code or 0)) == ("refused", 9)
    assert Person.objects.get().push_state == "in_sync"


def test_a_person_that_eduix_never_had_is_deleted_at_once(sandbox: SandboxServer) -> None:
    credit = PersonCreditFactory()

    change = delete(credit.school_person.person)

    assert not change.is_open
    credit.refresh_from_db()
    assert credit.push_state == "deleted"
    assert not Message.objects.exists()


def test_the_number_of_who_was_deleted_is_free_for_somebody_new(gateway: Gateway) -> None:
    person = known_person(gateway, distributor_person_id="VRIJ")
    other = known_person(gateway, distributor_person_id="ANDER")
    send(gateway, delete(person))

    new = known_person(gateway, distributor_person_id="VRIJ", surname="Nieuw")
    send(gateway, delete(new))
    send(gateway, change := rename(other, "VRIJ"))

    assert not change.is_open
    rows = Person.objects.filter(distributor_person_id="VRIJ")
    assert rows.count() == 3
    assert rows.exclude(push_state="deleted").get() == other


def test_previews_change_nothing_and_lock_nothing(gateway: Gateway) -> None:
    credit = known_credit(gateway)
    person = credit.school_person.person

    preview = preview_delete(person)

    assert [one.key for one in preview.credits] == [credit.distributor_person_credit_id]
    assert preview.credits[0].blocks_deletion
    assert preview_rename(person, "NIEUW").calls[0].values == (
        ("fromDistributorPersonID", person.distributor_person_id),
        ("toDistributorPersonID", "NIEUW"),
    )
    assert not PersonChange.objects.exists()
