"""What is gone there, or is only there."""

from __future__ import annotations

import pytest
from django.test import Client

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Drift, Question
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push
from tests.credits.comparing.conftest import changed, copied, removed
from tests.desk.compare.conftest import at_edu_ix, check, token_on, url
from tests.factories import PersonCreditFactory, PersonFactory
from tests.outbox.conftest import SCHOOL

pytestmark = pytest.mark.django_db


# --- gone ----------------------------------------------------------------------------------------


@pytest.fixture
def gone(credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer) -> Person:
    """A person with a school and a credit, all removed at Edu-iX, and asked about."""
    person = credit.school_person.person
    removed(sandbox, "personCredit", credit.distributor_person_credit_id)
    removed(sandbox, "schoolperson", credit.school_person.distributor_school_person_id)
    removed(sandbox, "person", person.distributor_person_id)
    check(person, gateway)
    return person


def test_a_missing_person_is_made_again_with_what_is_gone_below_it(
    client: Client, gone: Person, gateway: Gateway, sandbox: SandboxServer
) -> None:
    page = client.get(url(gone))
    assert "does not know it any more" in page.content.decode()

    client.post(f"{url(gone)}opnieuw/", {"token": token_on(page), "reason": "vergissing"})
    drain_once(gateway=gateway)

    assert at_edu_ix(gateway, gone) is not None
    assert [len(sandbox.control.rows(kind)) for kind in ("schoolperson", "personCredit")] == [1, 1]
    assert set(PersonCredit.objects.values_list("push_state", flat=True)) == {"in_sync"}
    assert not Message.objects.open().exists()
    check(gone, gateway)
    assert not Drift.objects.filter(what__in=Drift.OPEN).exists()


def test_a_missing_person_can_be_deleted_here_too(
    client: Client, gone: Person, gateway: Gateway
) -> None:
    another = PersonCreditFactory(school_person=SchoolPerson.objects.get(), ean="9789006234561")
    page = client.get(url(gone))

    answer = client.post(
        f"{url(gone)}verwijderd/", {"token": token_on(page), "reason": "van school"}
    )

    assert answer.status_code == 302
    for row in (gone, SchoolPerson.objects.get(), another):
        row.refresh_from_db()
        assert row.push_state == PushState.DELETED
    assert gone.history.first().history_change_reason == "van school"
    assert not Message.objects.open().exists()
    assert client.get(url(gone)).status_code == 404


def test_a_push_that_finds_its_row_gone_ends_in_the_same_choice(
    client: Client, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    removed(sandbox, "person", person.distributor_person_id)
    message = queue_person_push(person=person)
    Message.objects.filter(pk=message.pk).update(ask_first=True)
    drain_once(gateway=gateway)
    person.refresh_from_db()
    assert person.push_state == PushState.CONFLICT

    page = client.get(url(person))
    client.post(f"{url(person)}opnieuw/", {"token": token_on(page), "reason": "vergissing"})
    drain_once(gateway=gateway)

    person.refresh_from_db()
    assert person.push_state == PushState.IN_SYNC
    message.refresh_from_db()
    assert message.status == Message.Status.DONE


def test_what_hangs_under_a_missing_row_is_settled_after_it(client: Client, gone: Person) -> None:
    place = SchoolPerson.objects.get()

    text = client.get(url(place, "schoolperson")).content.decode()

    assert "What this hangs under is gone too." in text
    assert "Make it at Edu-iX again" not in text


# --- only there ----------------------------------------------------------------------------------


def test_a_credit_that_only_edu_ix_has_is_taken_over_as_equal(
    client: Client, credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    key = credit.distributor_person_credit_id
    copied(sandbox, "personCredit", key, "X1", distributorPersonCreditID="X1")
    check(credit.school_person.person, gateway)
    extra = Drift.objects.get()
    page = f"/admin/vergelijken/alleen-daar/{extra.pk}/"
    assert "X1" in client.get(page).content.decode()

    answer = client.post(f"{page}overnemen/", {"reason": "besteld via school"})
    drain_once(gateway=gateway)

    made = PersonCredit.objects.get(distributor_person_credit_id="X1")
    assert (made.push_state, made.school_person_id) == (PushState.IN_SYNC, credit.school_person_id)
    assert made.history.first().history_change_reason == "besteld via school"
    assert not Drift.objects.exists()
    assert "Taken over" in client.get(answer["Location"]).content.decode()


def test_taking_over_a_credit_brings_its_person_and_school(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    key = credit.distributor_person_credit_id
    for model in (Message, PersonCredit, SchoolPerson, Person, School):
        model.objects.all().delete()

    client.post("/admin/vragen/overnemen/", {"kind": "person_credit", "key": key})
    drain_once(gateway=gateway)

    made = PersonCredit.objects.select_related("school_person__person").get()
    assert made.push_state == PushState.IN_SYNC
    assert made.school_person.person.surname == "Berg"
    assert School.objects.get().organisation_id == SCHOOL["organisationID"]
    assert Question.objects.get().problem == ""


def test_what_our_rules_refuse_is_not_taken_over_by_half(
    client: Client, credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, postalCode="12345678")
    for model in (Message, PersonCredit, SchoolPerson, Person):
        model.objects.all().delete()

    client.post("/admin/vragen/overnemen/", {"kind": "person", "key": person.distributor_person_id})
    drain_once(gateway=gateway)

    assert not Person.objects.exists()
    assert Question.objects.get().problem
    assert Message.objects.get().status == Message.Status.DONE
