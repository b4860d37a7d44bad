"""The page beside Edu-iX: what it shows, what may be chosen, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Drift, Question
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Held, Message, PushState
from credits.models import PersonCredit
from credits.services import queue_credit_push
from persons.comparing import person_check, queue_check
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push
from tests.credits.test_comparing import changed, copied, removed
from tests.factories import PersonCreditFactory, PersonFactory, SchoolFactory, UserFactory
from tests.outbox.conftest import SCHOOL, gateway, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = pytest.mark.django_db
BLACK_ECK_ID = "a" * 122 + "b0b0b0"


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    made = Client(headers={"accept-language": "en"})
    made.cookies["django_language"] = "en"
    made.force_login(UserFactory(groups=["Accountmanager"]))
    return made


@pytest.fixture
def school() -> School:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


@pytest.fixture
def credit(school: School, gateway: Gateway) -> PersonCredit:
    made = PersonCreditFactory(school_person__school=school)
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    made.refresh_from_db()
    return made


def url(row: Any, kind: str = "person") -> str:
    return f"/admin/vergelijken/{kind}/{row.pk}/"


def token_on(page: Any) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def check(person: Person, gateway: Gateway) -> None:
    queue_check(wanted=person_check(person.pk, person.distributor_person_id))
    drain_once(gateway=gateway)


def at_edu_ix(gateway: Gateway, person: Person) -> Any:
    found = gateway.get_person(distributor_person_id=person.distributor_person_id)
    return found.person if found is not None else None


@pytest.fixture
def conflict(gateway: Gateway, sandbox: SandboxServer) -> Person:
    """A person whose key exists at Edu-iX with another surname and postal code."""
    person = PersonFactory()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    changed(sandbox, "person", person.distributor_person_id, surname="Anders", postalCode="9711 AA")
    Person.objects.update(registered_at=None, push_state="local_only")
    Message.objects.all().delete()
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    person.refresh_from_db()
    assert person.push_state == PushState.CONFLICT
    return person


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


# --- gone ---------------------------------------------------------------------------------------


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


# --- only there ---------------------------------------------------------------------------------


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


# --- the page itself ----------------------------------------------------------------------------


def test_asking_again_polls_until_the_answer_is_there(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    person = credit.school_person.person

    client.post(f"{url(person)}ophalen/")

    waiting = client.get(url(person)).content.decode()
    assert "hx-get" in waiting
    drain_once(gateway=gateway)
    answered = client.get(f"{url(person)}stand/").content.decode()
    assert "hx-get" not in answered
    assert "is equal" in answered


@pytest.mark.parametrize("part", ["ophalen", "kiezen", "opnieuw", "verwijderd"])
def test_the_buttons_only_post(client: Client, part: str) -> None:
    assert client.get(f"{url(PersonFactory())}{part}/").status_code == 405


def test_a_reader_may_look_and_not_decide(conflict: Person) -> None:
    reader = Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))

    page = reader.get(url(conflict))

    assert page.status_code == 200
    assert 'type="radio"' not in page.content.decode()
    assert reader.post(f"{url(conflict)}kiezen/", {"all": "theirs"}).status_code == 403
    assert reader.post(f"{url(conflict)}ophalen/").status_code == 403


def test_a_stranger_sees_nothing(conflict: Person) -> None:
    stranger = Client()
    stranger.force_login(UserFactory())

    assert stranger.get(url(conflict)).status_code == 403
    assert stranger.get("/admin/vergelijken/verzoek/1/").status_code == 404


def test_the_number_of_queries_does_not_depend_on_what_hangs_below(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    person = credit.school_person.person
    check(person, gateway)

    def count() -> int:
        client.get(url(person))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(person)).status_code == 200
        return len(queries)

    one = count()
    PersonCreditFactory.create_batch(8, school_person=credit.school_person)

    assert count() == one


Page = Callable[[Person], str]
PLACES: dict[str, Page] = {
    "list": lambda person: "/admin/persons/person/",
    "form": lambda person: f"/admin/persons/person/{person.pk}/change/",
    "messages": lambda person: "/admin/outbox/message/",
    "message": lambda person: f"/admin/outbox/message/{Message.objects.get().pk}/change/",
    "workbench": lambda person: "/admin/",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_conflict_leads_to_this_page_from_everywhere(
    client: Client, conflict: Person, place: str
) -> None:
    assert url(conflict) in client.get(PLACES[place](conflict)).content.decode()


def test_the_page_of_a_credit_in_conflict_leads_here(client: Client, credit: PersonCredit) -> None:
    PersonCredit.objects.update(push_state="conflict")
    PersonCredit.objects.all().refresh_statuses()

    for page in (
        f"/admin/credits/personcredit/{credit.pk}/status/",
        "/admin/credits/personcredit/",
    ):
        assert url(credit, "person_credit") in client.get(page).content.decode()


def test_a_school_page_shows_its_credits(client: Client, school: School, gateway: Gateway) -> None:
    page = f"/admin/vergelijken/school/{school.pk}/"
    client.post(f"{page}ophalen/")
    drain_once(gateway=gateway)

    text = client.get(page).content.decode()

    assert "as Edu-iX holds them" in text
    assert (
        "/admin/vergelijken/school/"
        in client.get(f"/admin/persons/school/{school.pk}/change/").content.decode()
    )


def test_chosen_rows_are_compared_at_once_and_many_in_the_background(client: Client) -> None:
    persons = PersonFactory.create_batch(25, registered_at=timezone.now())

    def act(number: int) -> str:
        data = {
            "action": "compare_with_eduix",
            "_selected_action": [one.pk for one in persons[:number]],
        }
        return client.post("/admin/persons/person/", data, follow=True).content.decode()

    assert "3 persons are being compared" in act(3)
    assert Message.objects.count() == 3
    assert "25 persons are being compared" in act(25)
    assert Message.objects.count() == 3


def test_theirs_names_a_school_that_we_lack(
    client: Client, credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer
) -> None:
    place = credit.school_person
    changed(sandbox, "schoolperson", place.distributor_school_person_id, organisationID="elders")
    check(place.person, gateway)

    text = client.get(url(place, "schoolperson")).content.decode()

    assert "We do not have the school that Edu-iX names." in text
    assert re.search(r'value="theirs" disabled', text)
