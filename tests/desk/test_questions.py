"""Asking Edu-iX: every choice of every get, what is refused before, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Question
from backoffice.outbox.again import take_back
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Held, Message
from credits.asking import GETS
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push
from persons.models import Person, School, SchoolPerson
from tests.factories import PersonCreditFactory, SchoolCreditFactory, SchoolFactory, UserFactory
from tests.outbox.conftest import SCHOOL, gateway, gateway_for, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db
ASK = "/admin/vragen/"
ECK_ID = "e" * 122 + "f1f2f3"


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    made = Client()
    made.cookies["django_language"] = "en"
    made.force_login(UserFactory(groups=["Accountmanager"]))
    return made


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def known(school: School, gateway: Gateway, sandbox: SandboxServer) -> dict[str, str]:
    """A person, a place, a credit of each kind at Edu-iX; the values that find them."""
    credit = PersonCreditFactory(school_person__school=school, school_person__person__eck_id=ECK_ID)
    pool = SchoolCreditFactory(school=school)
    queue_credit_push(credit=credit)
    queue_credit_push(credit=pool)
    drain_once(gateway=gateway)
    person = credit.school_person.person
    user_id = sandbox.control.link(person.distributor_person_id, "jan@portal")
    row = next(iter(sandbox.control.rows("person")))
    return {
        "distributor_person_id": person.distributor_person_id,
        "distributor_school_person_id": credit.school_person.distributor_school_person_id,
        "distributor_person_credit_id": credit.distributor_person_credit_id,
        "distributor_school_credit_id": pool.distributor_school_credit_id,
        "organisation_id": school.organisation_id,
        "profile_id": str(row.profile_id),
        "user_id": user_id,
        "eck_id": ECK_ID,
        "hub_id": "Kennisnet",
        "portal_id": "portal-1",
        "ean": credit.ean,
        "school_year": "2627",
    }


CHOICES = [(get.operation, choice.name) for get in GETS.values() for choice in get.choices]


def asked(client: Client, operation: str, choice: str, values: dict[str, str]) -> Any:
    found = GETS[operation].choice(choice)
    assert found is not None
    wanted = {column: values[column] for _owner, column in (*found.fields, *found.filters)}
    return client.post(ASK, {"get": operation, "choice": choice, **wanted})


@pytest.mark.parametrize(("operation", "choice"), CHOICES)
def test_every_choice_of_every_get_reaches_edu_ix_and_is_shown(
    client: Client,
    known: dict[str, str],
    gateway: Gateway,
    sandbox: SandboxServer,
    operation: str,
    choice: str,
) -> None:
    before = len(sandbox.control.ledger(operation=operation))

    answer = asked(client, operation, choice, known)
    page = answer["Location"]
    assert "hx-get" in client.get(page).content.decode()
    drain_once(gateway=gateway)

    assert len(sandbox.control.ledger(operation=operation)) == before + 1
    text = client.get(f"{page}stand/").content.decode()
    assert "hx-get" not in text
    if choice == "portal":
        assert "Edu-iX does not know this." in text
    else:
        assert "at Edu-iX.</b>" in text
        assert ">Open</a>" in text


def test_every_choice_is_reached_from_the_page(client: Client) -> None:
    for operation, choice in CHOICES:
        text = client.get(f"{ASK}?get={operation}").content.decode()
        assert f"?get={operation}&amp;choice={choice}" in text


def test_an_eck_id_is_gone_as_soon_as_it_was_asked(
    client: Client, known: dict[str, str], gateway: Gateway
) -> None:
    page = asked(client, "getPerson", "eckID", known)["Location"]
    drain_once(gateway=gateway)

    question = Question.objects.get()
    assert question.eck_id == ""
    assert question.arguments == {"eck_id": "…f1f2f3"}
    kept = f"{question.answer}{list(Message.objects.values_list('label', flat=True))}"
    kept += "".join(str(calls) for calls in Attempt.objects.values_list("calls", flat=True))
    assert ECK_ID not in kept
    text = client.get(page).content.decode()
    assert ECK_ID not in text
    assert "…f1f2f3" in text


def test_an_eck_id_is_forgotten_when_the_question_is_given_up_or_refused(
    client: Client, known: dict[str, str], gateway: Gateway, sandbox: SandboxServer
) -> None:
    asked(client, "getPerson", "eckID", known)
    assert take_back(message=Message.objects.get(operation="question.ask"))
    assert Question.objects.get().eck_id == ""

    sandbox.control.trouble("fault", "getPerson", code=3768)
    page = asked(client, "getPerson", "eckID", known)["Location"]
    drain_once(gateway=gateway)

    assert not Question.objects.exclude(eck_id="").exists()
    assert "hx-get" not in client.get(page).content.decode()


@pytest.mark.parametrize(
    ("operation", "choice", "values", "column"),
    [
        ("getPerson", "distributorPerson", {}, "distributor_person_id"),
        ("getPerson", "distributorPerson", {"distributor_person_id": "x" * 257}, None),
        ("getPerson", "profileID", {"profile_id": "zeven"}, "profile_id"),
        ("getPerson", "profileID", {"profile_id": "9" * 4000}, "profile_id"),
        ("getPerson", "eckID", {"eck_id": "e" * 127}, "eck_id"),
        ("getPerson", "userID", {"user_id": "x" * 101}, "user_id"),
        ("getPerson", "portal", {"hub_id": "Nergens", "portal_id": "1"}, "hub_id"),
        ("getPerson", "portal", {"hub_id": "DAF", "portal_id": "x" * 65}, "portal_id"),
        ("getSchool", "organisationID", {"organisation_id": "x" * 41}, "organisation_id"),
        (
            "getPersonCredit",
            "distributorPerson",
            {"distributor_person_id": "K1", "school_year": "twee"},
            "school_year",
        ),
        (
            "getSchoolCredit",
            "organisationID",
            {"organisation_id": "S1", "ean": "9" * 31},
            "ean",
        ),
    ],
)
def test_what_edu_ix_would_refuse_is_not_sent(
    client: Client, operation: str, choice: str, values: dict[str, str], column: str | None
) -> None:
    answer = client.post(ASK, {"get": operation, "choice": choice, **values})

    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text
    if column:
        assert f'id="id_{column}_error"' in text
    assert not Message.objects.exists()
    if choice == "eckID":
        assert values["eck_id"] not in text


def test_what_we_lack_can_be_taken_over(
    client: Client, known: dict[str, str], gateway: Gateway
) -> None:
    Message.objects.all().delete()
    for model in (PersonCredit, SchoolCredit, SchoolPerson, Person):
        model.objects.all().delete()
    page = asked(client, "getPerson", "distributorPerson", known)["Location"]
    drain_once(gateway=gateway)
    text = client.get(page).content.decode()
    assert "We do not know this" in text

    taken = client.post(
        f"{ASK}overnemen/", {"kind": "person", "key": known["distributor_person_id"]}
    )
    drain_once(gateway=gateway)

    assert "Taken over." in client.get(taken["Location"]).content.decode()
    person = Person.objects.get()
    assert (person.push_state, person.eck_id) == ("in_sync", ECK_ID)
    assert person.profile_id is not None
    assert PersonCredit.objects.get().push_state == "in_sync"
    assert "We do not know this" not in client.get(page).content.decode()

    client.post(
        f"{ASK}overnemen/",
        {"kind": "school_credit", "key": known["distributor_school_credit_id"]},
    )
    drain_once(gateway=gateway)
    assert SchoolCredit.objects.get().push_state == "in_sync"


def test_what_edu_ix_forgot_meanwhile_is_said(client: Client, gateway: Gateway) -> None:
    taken = client.post(f"{ASK}overnemen/", {"kind": "school", "key": "nergens"})
    drain_once(gateway=gateway)

    assert "Nothing was taken over." in client.get(taken["Location"]).content.decode()


@pytest.mark.parametrize(
    ("page", "get"),
    [
        ("persons/person", "getPerson"),
        ("persons/school", "getSchool"),
        ("credits/personcredit", "getPersonCredit"),
        ("credits/schoolcredit", "getSchoolCredit"),
    ],
)
def test_a_list_that_finds_nothing_offers_to_ask(client: Client, page: str, get: str) -> None:
    text = client.get(f"/admin/{page}/?q=nergens").content.decode()

    assert f'href="{ASK}?get={get}"' in text


def test_a_search_that_finds_nothing_offers_to_ask(client: Client) -> None:
    answer = client.post("/admin/zoeken/", {"q": "nergens"}, follow=True)

    assert f'href="{ASK}?get=getPerson"' in answer.content.decode()


def test_the_answer_is_kept_as_long_as_bodies_are(
    client: Client, known: dict[str, str], gateway: Gateway
) -> None:
    page = asked(client, "getPerson", "distributorPerson", known)["Location"]
    drain_once(gateway=gateway)
    long_ago = timezone.now() - timedelta(days=500)
    Question.objects.update(asked_at=long_ago)
    Held.objects.keep(subject="person:1", label="K1", record=None, at=long_ago)

    call_command("prune", verbosity=0)

    question = Question.objects.get()
    assert (question.arguments, question.answer) == ({}, {"pruned": True})
    assert not Held.objects.filter(subject="person:1").exists()
    assert "too old to be kept" in client.get(page).content.decode()


def test_an_unreachable_edu_ix_leaves_the_question_open(
    client: Client, known: dict[str, str]
) -> None:
    page = asked(client, "getPerson", "distributorPerson", known)["Location"]
    nobody = gateway_for(SandboxServer(), EDUIX_PROFILE_URL="http://127.0.0.1:9/soap")

    drain_once(gateway=nobody)

    assert "Edu-iX is being asked." in client.get(page).content.decode()


def test_only_who_may_change_persons_asks(db: None) -> None:
    reader = Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))

    assert reader.get(ASK).status_code == 403
    assert reader.post(f"{ASK}overnemen/", {"kind": "person", "key": "K1"}).status_code == 403
    assert reader.get(f"{ASK}overnemen/").status_code == 405


def test_the_number_of_queries_does_not_depend_on_the_answer(
    client: Client, known: dict[str, str], school: School, gateway: Gateway
) -> None:
    def count() -> int:
        page = asked(client, "getPersonCredit", "distributorPerson", known)["Location"]
        drain_once(gateway=gateway)
        client.get(page)  # the first page of a session also looks for news
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        return len(queries)

    one = count()
    place = SchoolPerson.objects.get()
    for credit in PersonCreditFactory.create_batch(6, school_person=place):
        queue_credit_push(credit=credit)
    drain_once(gateway=gateway)

    assert count() == one
