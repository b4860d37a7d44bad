"""Two persons become one at Edu-iX, and then with us: over a real socket."""

from __future__ import annotations

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit
from credits.services import queue_credit_push, save_credit
from persons.changes import ChangedMeanwhile, NotPossible
from persons.models import Person, PersonChange, SchoolPerson
from persons.previews import preview_merge
from persons.services import queue_person_push, record_prematch, save_person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolPersonFactory,
    UserFactory,
)
from tests.persons.given import (
    applied,
    calls,
    delete,
    known_credit,
    known_person,
    merge,
    rename,
    send,
    the_school,
)

pytestmark = pytest.mark.django_db


def at_eduix(gateway: Gateway, key: str) -> bool:
    return gateway.get_person(distributor_person_id=key) is not None


def test_a_merge_moves_schools_and_credits_here_and_there(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = known_credit(gateway, school_person__person__user_id="portaal-1")
    gone, place = credit.school_person.person, credit.school_person
    kept = known_person(gateway)
    user = UserFactory()

    change = merge(gone, kept, user=user, reason="Twee keer ingevoerd")
    place.refresh_from_db()
    assert place.person == gone
    send(gateway, change)

    place.refresh_from_db()
    gone.refresh_from_db()
    assert place.person == kept
    assert gone.push_state == PushState.DELETED
    assert not change.is_open
    there = gateway.get_person_credits(distributor_person_id=kept.distributor_person_id)
    assert [one.credit.distributor_person_credit_id for one in there] == [
        credit.distributor_person_credit_id
    ]
    assert not at_eduix(gateway, gone.distributor_person_id)
    for row in (gone, kept, place):
        newest = row.history.latest()
        assert "Twee keer ingevoerd" in newest.history_change_reason
        assert newest.history_user == user


def test_the_link_of_the_portal_that_moved_along_is_fetched(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = known_credit(gateway)
    gone, kept = credit.school_person.person, known_person(gateway)
    linked = sandbox.control.link(gone.distributor_person_id)
    credit.refresh_from_db()
    assert credit.status == "waiting_for_prematch"

    change = merge(gone, kept)
    send(gateway, change)
    send(gateway)

    kept.refresh_from_db()
    credit.refresh_from_db()
    assert kept.user_id == linked
    assert credit.status != "waiting_for_prematch"


@pytest.mark.parametrize("trouble", ["drop_reply", "cut"])
def test_a_lost_answer_to_a_merge_is_asked_for_and_it_happens_once(
    gateway: Gateway, sandbox: SandboxServer, trouble: str
) -> None:
    credit = known_credit(gateway)
    gone, kept = credit.school_person.person, known_person(gateway)
    change = merge(gone, kept)
    sandbox.control.trouble(trouble, "mergePerson")

    send(gateway, change)
    assert change.is_open
    message = send(gateway, change)

    assert message is not None
    assert message.status == "done"
    assert applied(sandbox, "mergePerson") == ["mergePerson"]
    assert SchoolPerson.objects.get().person == kept


def test_a_refused_credit_moves_along_and_goes_out_afterwards(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = known_credit(gateway)
    place = credit.school_person
    gone, kept = place.person, known_person(gateway)
    late = PersonCreditFactory(school_person=place, ean="9789006234561")
    queue_credit_push(credit=late)
    sandbox.control.trouble("fault", "createPersonCredit", code=5087)
    send(gateway)
    late.refresh_from_db()
    assert late.push_state == "refused"

    send(gateway, merge(gone, kept))

    waiting = Message.objects.get(subject=f"person_credit:{late.pk}")
    assert waiting.chain == f"person:{kept.pk}"
    assert waiting.status == "refused"
    late = PersonCredit.objects.get(pk=late.pk)
    late.credit_end_date = None
    save_credit(credit=late)
    send(gateway)

    late.refresh_from_db()
    assert late.push_state == "in_sync"
    there = gateway.get_person_credits(distributor_person_id=kept.distributor_person_id)
    assert len(there) == 2
    assert not Message.objects.open().exists()


def test_what_waits_for_the_refused_one_goes_on_with_the_one_that_stays(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    gone, kept = known_person(gateway), known_person(gateway)
    gone.surname = "Gewijzigd"
    save_person(person=gone, push=True)
    credit = PersonCreditFactory(school_person__person=gone, school_person__school=the_school())
    queue_credit_push(credit=credit)
    sandbox.control.trouble("fault", "updatePerson", code=4967)
    send(gateway)
    credit.refresh_from_db()
    assert credit.push_state == "waiting"

    change = merge(gone, kept)
    send(gateway, change)
    send(gateway)

    credit.refresh_from_db()
    assert credit.push_state == "in_sync"
    edit = Message.objects.filter(operation="person.push", subject=f"person:{gone.pk}").last()
    assert edit is not None
    assert edit.status == "cancelled"
    place = gateway.get_school_person(
        distributor_school_person_id=credit.school_person.distributor_school_person_id
    )
    assert place is not None
    assert place.distributor_person_id == kept.distributor_person_id


def test_an_edit_of_the_one_that_ends_does_not_bring_it_back(gateway: Gateway) -> None:
    gone, kept = known_person(gateway), known_person(gateway)
    change = merge(gone, kept)
    gone = Person.objects.get(pk=gone.pk)
    gone.surname = "Te laat"
    save_person(person=gone, push=True)
    record_prematch(person=gone, user_id="laat", eck_id=None, at=change.created_at)

    send(gateway, change)
    queue_person_push(person=gone)  # a page that was still open
    send(gateway)

    gone.refresh_from_db()
    assert gone.push_state == PushState.DELETED
    assert not at_eduix(gateway, gone.distributor_person_id)
    assert not Message.objects.open().exists()


def test_two_requests_that_cross_are_one_request_and_one_refusal(gateway: Gateway) -> None:
    first, second = known_person(gateway), known_person(gateway)
    third = known_person(gateway)

    change = merge(first, second)

    with pytest.raises(NotPossible):
        merge(second, first)
    with pytest.raises(NotPossible):
        merge(third, first)
    with pytest.raises(NotPossible):
        delete(second)
    with pytest.raises(NotPossible):
        rename(second, "NIEUW")
    assert merge(first, second).pk == change.pk
    assert PersonChange.objects.get() == change


def test_the_same_page_sent_twice_asks_once_even_when_it_is_done(gateway: Gateway) -> None:
    gone, kept = known_person(gateway), known_person(gateway)
    change = merge(gone, kept, token="bladzijde")
    send(gateway, change)

    again = merge(gone, kept, token="bladzijde")

    assert again.pk == change.pk
    assert Message.objects.filter(operation="person.merge").count() == 1


def test_a_person_is_not_merged_with_itself(gateway: Gateway, sandbox: SandboxServer) -> None:
    person = known_person(gateway)
    before = len(sandbox.control.ledger())

    with pytest.raises(NotPossible, match=r"itself|zichzelf"):
        merge(person, person)

    send(gateway)
    assert len(sandbox.control.ledger()) == before


@pytest.mark.parametrize("code", [4742, 4762])
def test_a_merge_with_a_number_over_twenty_is_refused_before_anything_is_sent(
    gateway: Gateway, code: int
) -> None:
    long, short = known_person(gateway, distributor_person_id="K" * 21), known_person(gateway)

    with pytest.raises(NotPossible) as caught:
        merge(*((long, short) if code == 4742 else (short, long)))

    [obstacle] = caught.value.preview.obstacles
    assert obstacle.explanation is not None
    assert obstacle.explanation.number == code


def test_whom_eduix_has_is_not_merged_into_whom_it_lacks(gateway: Gateway) -> None:
    with pytest.raises(NotPossible):
        merge(known_person(gateway), PersonFactory())


def test_whom_eduix_never_had_is_merged_at_once(gateway: Gateway, sandbox: SandboxServer) -> None:
    kept = known_person(gateway)
    credit = PersonCreditFactory(
        school_person__school=the_school(), school_person__person__distributor_person_id="K" * 30
    )
    queue_credit_push(credit=credit)
    sandbox.control.trouble("fault", "createPerson", code=4967)
    send(gateway)

    change = merge(credit.school_person.person, kept)

    assert not change.is_open
    assert calls(sandbox, "mergePerson") == 0
    assert Person.objects.get(distributor_person_id="K" * 30).push_state == "deleted"
    send(gateway)
    credit.refresh_from_db()
    assert credit.push_state == "in_sync"
    there = gateway.get_person_credits(distributor_person_id=kept.distributor_person_id)
    assert len(there) == 1


def test_whom_eduix_may_have_waits_for_the_answer(gateway: Gateway, sandbox: SandboxServer) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    sandbox.control.trouble("drop_reply", "createPerson")
    send(gateway)

    with pytest.raises(NotPossible):
        delete(person)
    with pytest.raises(NotPossible):
        rename(person, "NIEUW")


def test_facts_that_changed_since_the_preview_are_shown_again(gateway: Gateway) -> None:
    gone, kept = known_person(gateway), known_person(gateway)
    facts = preview_merge(gone, kept).facts
    SchoolPersonFactory(person=gone)

    with pytest.raises(ChangedMeanwhile) as caught:
        merge(gone, kept, facts=facts)

    assert len(caught.value.preview.places) == 1
    assert not PersonChange.objects.exists()
    assert merge(gone, kept, facts=caught.value.preview.facts).is_open
