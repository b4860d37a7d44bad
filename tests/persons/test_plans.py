"""What sending would do is told first: the same calls in the same order, and nothing goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState
from credits.models import PersonCredit, SchoolCredit
from persons.models import Person, School
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db

PERSONS = "/admin/persons/person/"
PLACES = "/admin/persons/schoolperson/"
CREDITS = "/admin/credits/personcredit/"
SCHOOL_CREDITS = "/admin/credits/schoolcredit/"


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    return client


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0) as server:
        yield server


@pytest.fixture
def gateway(sandbox: SandboxServer) -> Iterator[Gateway]:
    made = gateway_for(sandbox)
    yield made
    made.close()


def ask(client: Client, path: str, rows: list[Any], action: str = "show_what_happens") -> Any:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    return client.post(path, chosen)


def told(page: Any) -> list[tuple[str, str]]:
    """Operation and key of every call on the page, in order."""
    rows = page.context["plan"].rows
    return [(call.step.operation, call.step.key) for row in rows for call in row.calls]


def test_what_is_told_is_what_then_goes_out(
    manager: Client, school: School, gateway: Gateway, sandbox: SandboxServer
) -> None:
    place = SchoolPersonFactory(school=school)
    credits = PersonCreditFactory.create_batch(3, school_person=place)

    page = ask(manager, CREDITS, credits)

    assert page.status_code == 200
    assert Message.objects.count() == Attempt.objects.count() == 0
    assert sandbox.control.ledger() == []

    ask(manager, CREDITS, credits, "push_to_eduix")
    drain_once(gateway=gateway)

    sent = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert [operation for operation, _key in told(page)] == sent
    assert sent == ["createPerson", "createSchoolperson", *["createPersonCredit"] * 3]


def test_the_envelope_shown_is_the_one_that_goes_and_holds_nothing_personal(
    manager: Client, school: School, gateway: Gateway
) -> None:
    place = SchoolPersonFactory(school=school, person__surname="Canarie", person__eck_id="q" * 128)

    page = ask(manager, PLACES, [place])
    ask(manager, PLACES, [place], "push_to_eduix")
    drain_once(gateway=gateway)

    drafts = [call.draft for row in page.context["plan"].rows for call in row.calls]
    sent = [
        exchange["request"]
        for attempt in Attempt.objects.order_by("pk")
        for exchange in attempt.calls
        if exchange["operation"].startswith("create")
    ]
    assert [bare(draft.envelope) for draft in drafts] == [bare(envelope) for envelope in sent]
    text = page.content.decode()
    for secret in ("q" * 20, place.person.email, "3011 AB"):
        assert secret not in text
    assert "Canarie" not in "".join(draft.envelope for draft in drafts)
    assert "***" in drafts[0].envelope
    assert place.person.distributor_person_id in drafts[0].envelope


def bare(envelope: str) -> str:
    """Without the white space between elements."""
    return re.sub(r">\s+<", "><", envelope)


def test_each_kind_of_row_has_its_own_calls(manager: Client, school: School) -> None:
    known = timezone.now()
    person = PersonFactory(registered_at=known, push_state=PushState.CHANGED)
    place = SchoolPersonFactory(school=school, person=person)
    licence = SchoolCreditFactory(school=school, registered_at=known, push_state=PushState.CHANGED)

    assert told(ask(manager, PERSONS, [person])) == [("updatePerson", person.distributor_person_id)]
    assert [name for name, _key in told(ask(manager, PLACES, [place]))] == [
        "updatePerson",
        "createSchoolperson",
    ]
    assert [name for name, _key in told(ask(manager, SCHOOL_CREDITS, [licence]))] == [
        "updateSchoolCredit"
    ]
    assert Message.objects.count() == 0


@pytest.mark.parametrize("path", [PERSONS, PLACES, CREDITS, SCHOOL_CREDITS])
def test_one_row_can_be_looked_at_from_its_form(manager: Client, path: str) -> None:
    row: Any = {
        PERSONS: PersonFactory,
        PLACES: SchoolPersonFactory,
        CREDITS: PersonCreditFactory,
        SCHOOL_CREDITS: SchoolCreditFactory,
    }[path]()  # type: ignore[operator]  # each makes a row without arguments

    form = manager.get(f"{path}{row.pk}/change/").content.decode()
    page = manager.get(f"{path}{row.pk}/what-happens/")

    assert f"{path}{row.pk}/what-happens/" in form
    assert page.context["plan"].total == 1
    assert told(page)
    assert manager.post(f"{path}{row.pk}/what-happens/").status_code == 405
    assert Message.objects.count() == 0


def test_a_stranger_sees_no_plan() -> None:
    person = PersonFactory()
    nobody = Client()
    nobody.force_login(UserFactory())

    assert nobody.get(f"{PERSONS}{person.pk}/what-happens/").status_code == 403
    assert Client().get(f"{PERSONS}{person.pk}/what-happens/").status_code == 302


def test_what_has_nothing_to_send_is_skipped_with_its_reason(manager: Client) -> None:
    equal = PersonFactory(push_state=PushState.IN_SYNC, registered_at=timezone.now())
    queued = PersonFactory(push_state=PushState.QUEUED)
    due = PersonFactory()

    plan = ask(manager, PERSONS, [equal, queued, due]).context["plan"]

    assert (plan.total, plan.calls) == (3, 1)
    assert sum(plan.skipped.values()) == 2
    assert len(plan.skipped) == 2


def test_what_waits_for_somebody_who_was_refused_says_so(manager: Client, school: School) -> None:
    person = PersonFactory(push_state=PushState.REFUSED, distributor_person_id="K-stuck")
    credit = PersonCreditFactory(school_person__person=person, school_person__school=school)

    page = ask(manager, CREDITS, [credit])

    assert page.context["plan"].rows[0].waits_for == "K-stuck"
    assert "K-stuck" in page.content.decode()


def broken(credit: PersonCredit) -> Person:
    """A stored person that Edu-iX would refuse, as an old import may have left it."""
    person = credit.school_person.person
    Person.objects.filter(pk=person.pk).update(postal_code="1234")
    return person


def test_what_edu_ix_would_refuse_is_not_sent_with_anything_behind_it(
    manager: Client, school: School
) -> None:
    bad = PersonCreditFactory(school_person__school=school)
    good = PersonCreditFactory(school_person__school=school)
    person = broken(bad)

    page = ask(manager, CREDITS, [bad, good])
    ask(manager, CREDITS, [bad, good], "push_to_eduix")

    row = page.context["plan"].rows[0]
    assert row.is_refused
    assert not row.calls
    (finding,) = [each for each in row.findings if each.said.is_error]
    assert finding.url == f"{PERSONS}{person.pk}/change/#id_postal_code"
    subjects = set(Message.objects.values_list("subject", flat=True))
    assert f"person_credit:{good.pk}" in subjects
    assert f"person_credit:{bad.pk}" not in subjects
    assert f"person:{person.pk}" not in subjects


def test_a_stored_row_that_cannot_be_sent_says_so_on_its_form(manager: Client) -> None:
    person = broken(PersonCreditFactory())

    page = manager.get(f"{PERSONS}{person.pk}/change/")

    assert page.context["unsendable"]
    assert 'href="#id_postal_code"' in page.content.decode()


def test_many_rows_are_counted_and_the_first_fifty_shown(manager: Client) -> None:
    persons = PersonFactory.create_batch(120)
    ask(manager, PERSONS, persons[:1])  # the first page also writes the session

    with CaptureQueriesContext(connection) as few:
        ask(manager, PERSONS, persons[:20])
    with CaptureQueriesContext(connection) as many:
        plan = ask(manager, PERSONS, persons).context["plan"]

    assert len(few) == len(many)

    assert (plan.total, plan.calls, len(plan.rows)) == (120, 120, 50)
    assert plan.in_words[0][0] == 120


# --- an ID that can never be mended is seen before it goes ----------------------------------------


def test_a_long_id_is_shown_before_the_first_push_from_a_list(manager: Client) -> None:
    person = PersonFactory(distributor_person_id="K" * 21)

    page = ask(manager, PERSONS, [person], "push_to_eduix")

    assert page.context["plan"].for_ever == 1
    assert Message.objects.count() == 0

    confirmed = {"action": "push_to_eduix", "_selected_action": [str(person.pk)], "confirmed": "1"}
    manager.post(PERSONS, confirmed | {"index": "0"})

    assert Message.objects.get().subject == f"person:{person.pk}"


def test_a_long_id_that_edu_ix_knows_asks_nothing_any_more(manager: Client) -> None:
    person = PersonFactory(
        distributor_person_id="K" * 21,
        registered_at=timezone.now(),
        push_state=PushState.CHANGED,
    )

    ask(manager, PERSONS, [person], "push_to_eduix")

    assert Message.objects.count() == 1


def test_a_long_id_is_shown_before_the_first_push_from_a_form(
    manager: Client, school: School
) -> None:
    licence = SchoolCreditFactory(school=school)
    typed = {
        "school": school.pk,
        "ean": licence.ean,
        "amount": "30",
        "school_year": "2627",
        "credit_start_date": "2026-08-01",
        "credit_end_date": "",
        "contact_name": "Mw. De Wit",
        "contact_email": "boeken@example.nl",
        "distributor_school_credit_id": "S" * 31,
        "_push": "1",
    }

    first = manager.post(f"{SCHOOL_CREDITS}add/", typed, follow=True)

    assert Message.objects.count() == 0
    new = SchoolCredit.objects.get(distributor_school_credit_id="S" * 31)
    page = first.content.decode()
    assert 'name="_warned" value="credit_id_beyond_notification"' in page

    seen = {"_warned": "credit_id_beyond_notification"}
    manager.post(f"{SCHOOL_CREDITS}{new.pk}/change/", typed | seen)

    assert Message.objects.get().subject == f"school_credit:{new.pk}"
