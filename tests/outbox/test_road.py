"""From local rows to Edu-iX and back, over a real socket."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.explanations.models import UnknownCode
from backoffice.outbox import delivery
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState
from backoffice.outbox.service_models import ServiceState
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_fetch, queue_credit_push, save_credit
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push, queue_school_fetch, save_person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
)
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


def test_a_credit_takes_its_person_and_school_person_along(
    school: School, gateway: Gateway, sandbox: SandboxServer
) -> None:
    credit = PersonCreditFactory(school_person__school=school)

    queue_credit_push(credit=credit)
    counts = drain_once(gateway=gateway)

    assert (counts.accepted, counts.refused) == (3, 0)
    credit.refresh_from_db()
    assert credit.push_state == PushState.IN_SYNC
    assert credit.registered_at is not None
    assert credit.status == "waiting_for_prematch"
    assert Person.objects.get().push_state == PushState.IN_SYNC
    assert SchoolPerson.objects.get().push_state == PushState.IN_SYNC
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied == ["createPerson", "createSchoolperson", "createPersonCredit"]


def test_one_refused_person_holds_the_credits_and_mending_it_sends_all(
    school: School, gateway: Gateway
) -> None:
    person = PersonFactory(postal_code="9999 XX")
    credits = [
        PersonCreditFactory(school_person__school=school, school_person__person=person, ean=ean)
        for ean in ("9789001234562", "9789006234561")
    ]
    for credit in credits:
        queue_credit_push(credit=credit)

    drain_once(gateway=gateway)

    person.refresh_from_db()
    assert person.push_state == PushState.REFUSED
    assert person.push_code in (4967, -4967)
    root = Message.objects.get(status=Message.Status.REFUSED)
    waiting = Message.objects.filter(status=Message.Status.WAITING)
    assert {message.waits_for_id for message in waiting} == {root.pk}
    assert waiting.count() == 4
    assert set(PersonCredit.objects.values_list("status", flat=True)) == {"waiting"}

    person.postal_code = "3011 AB"
    message = save_person(person=person)
    counts = drain_once(gateway=gateway)

    assert message is not None
    assert message.pk == root.pk
    assert counts.accepted == 5
    assert not Message.objects.open().exists()
    assert set(PersonCredit.objects.values_list("push_state", flat=True)) == {"in_sync"}


def test_an_edit_of_an_equal_person_is_changed_until_it_is_sent(gateway: Gateway) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    person.refresh_from_db()

    person.surname = "Jansen"
    message = save_person(person=person)

    assert message is None
    person.refresh_from_db()
    assert person.push_state == PushState.CHANGED
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    found = gateway.get_person(distributor_person_id=person.distributor_person_id)
    assert found is not None
    assert found.person.surname == "Jansen"


def test_five_waiting_edits_become_one_call(gateway: Gateway, sandbox: SandboxServer) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    for surname in "ABCDE":
        person.surname = surname
        save_person(person=person)

    drain_once(gateway=gateway)

    assert [row.operation for row in sandbox.control.ledger(applied=True)] == ["createPerson"]


def test_a_lost_answer_is_asked_for_and_not_sent_twice(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    sandbox.control.trouble("drop_reply", "createPerson")

    drain_once(gateway=gateway)
    message = Message.objects.get()
    assert message.status == Message.Status.UNCERTAIN
    Message.objects.update(due_at=timezone.now())
    drain_once(gateway=gateway)

    message.refresh_from_db()
    assert message.status == Message.Status.DONE
    person.refresh_from_db()
    assert person.push_state == PushState.IN_SYNC
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied.count("createPerson") == 1
    assert "updatePerson" not in applied
    assert list(Attempt.objects.order_by("pk").values_list("outcome", flat=True)) == [
        "uncertain",
        "accepted",
    ]


def test_a_key_that_exists_with_other_data_is_a_conflict(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    first = PersonFactory()
    queue_person_push(person=first)
    drain_once(gateway=gateway)
    Person.objects.filter(pk=first.pk).update(
        registered_at=None, push_state="local_only", surname="Anders"
    )
    Message.objects.all().delete()

    queue_person_push(person=first)
    drain_once(gateway=gateway)

    first.refresh_from_db()
    assert first.push_state == PushState.CONFLICT
    assert Message.objects.get().text == "surname"


def test_a_key_that_exists_with_equal_data_is_delivered(gateway: Gateway) -> None:
    person = PersonFactory()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    Person.objects.update(registered_at=None, push_state="local_only")

    queue_person_push(person=person)
    drain_once(gateway=gateway)

    person.refresh_from_db()
    assert person.push_state == PushState.IN_SYNC


def test_an_expired_session_costs_one_login_and_no_fault(
    gateway: Gateway, sandbox: SandboxServer
) -> None:
    queue_person_push(person=PersonFactory())
    drain_once(gateway=gateway)
    sandbox.control.expire_sessions()

    queue_person_push(person=PersonFactory())
    counts = drain_once(gateway=gateway)

    assert (counts.accepted, counts.refused) == (1, 0)


def test_a_refused_login_stops_all_sending_after_three_tries(sandbox: SandboxServer) -> None:
    wrong = gateway_for(sandbox, EDUIX_PASSWORD="wrong")
    message = queue_person_push(person=PersonFactory())

    for _ in range(5):
        Message.objects.update(due_at=timezone.now())
        vars(wrong.profile._session._store)["_failed"] = None
        drain_once(gateway=wrong)

    message.refresh_from_db()
    assert message.status == Message.Status.QUEUED
    assert message.tries == 3


def test_an_unreachable_partner_leaves_the_message_queued(gateway: Gateway) -> None:
    nobody = gateway_for(SandboxServer(), EDUIX_PROFILE_URL="http://127.0.0.1:9/soap")
    person = PersonFactory()
    queue_person_push(person=person)

    counts = drain_once(gateway=nobody)

    assert counts.later == 1
    message = Message.objects.get()
    assert message.status == Message.Status.QUEUED
    assert message.due_at > timezone.now()
    assert not message.ask_first


def test_a_school_is_fetched_and_an_unknown_one_is_not_invented(gateway: Gateway) -> None:
    queue_school_fetch(organisation_id=SCHOOL["organisationID"])
    queue_school_fetch(organisation_id="nowhere")

    drain_once(gateway=gateway)

    assert [school.name for school in School.objects.all()] == ["Het Baken College"]
    assert set(Message.objects.values_list("status", flat=True)) == {"done"}


def test_a_school_credit_goes_by_itself_and_its_state_can_be_fetched(
    school: School, gateway: Gateway
) -> None:
    credit = SchoolCreditFactory(school=school)
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)

    queue_credit_fetch(credit=credit)
    drain_once(gateway=gateway)

    credit.refresh_from_db()
    assert credit.push_state == PushState.IN_SYNC
    assert credit.returned == 0
    assert SchoolCredit.objects.get().status in {"waiting_for_publisher", "usable"}


def test_a_refused_credit_goes_again_when_it_is_saved(school: School, gateway: Gateway) -> None:
    credit = SchoolCreditFactory(school=school)
    queue_credit_push(credit=credit)
    Message.objects.update(status=Message.Status.REFUSED, code=-6402)
    SchoolCredit.objects.update(push_state="refused", push_code=-6402)
    credit.refresh_from_db()

    credit.contact_email = "nieuw@example.nl"
    message = save_credit(credit=credit)
    drain_once(gateway=gateway)

    assert message is not None
    credit.refresh_from_db()
    assert credit.push_state == PushState.IN_SYNC


def test_no_attempt_holds_a_secret_or_a_name(
    school: School, gateway: Gateway, sandbox: SandboxServer
) -> None:
    person = PersonFactory(first_name="Quirijntje", surname="Zandvliet", email="q@example.nl")
    queue_credit_push(
        credit=PersonCreditFactory(school_person__school=school, school_person__person=person)
    )

    drain_once(gateway=gateway)

    stored = "".join(str(calls) for calls in Attempt.objects.values_list("calls", flat=True))
    assert "createPersonRequest" in stored
    for secret in ("Quirijntje", "Zandvliet", "q@example.nl", "2012-03-04", sandbox.password):
        assert secret not in stored


def test_a_code_that_no_list_knows_is_put_on_ours(gateway: Gateway, sandbox: SandboxServer) -> None:
    queue_person_push(person=PersonFactory())
    sandbox.control.trouble("fault", "createPerson", code=5029)

    drain_once(gateway=gateway)

    unknown = UnknownCode.objects.get()
    assert (unknown.source, unknown.code, unknown.count) == ("eduix", 5029, 1)


@pytest.mark.usefixtures("postgresql")
def test_background_work_whose_statement_takes_too_long_keeps_nothing_from_being_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database says so with the error of one that is gone; it is there for everything else."""

    def slow() -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local statement_timeout = 50")
            cursor.execute("select pg_sleep(10)")
        return 0

    monkeypatch.setattr(delivery, "background", [slow])
    person = PersonFactory()
    queue_person_push(person=person)

    counts = drain_once(gateway=gateway)

    assert counts.accepted == 1
    assert ServiceState.objects.filter(last_failure="OperationalError").exists()
