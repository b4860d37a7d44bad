"""Every explanation with a button: it is there, does what it says, and asks for rights."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from backoffice.desk.buttons import CREDITS, ROWS
from backoffice.explanations import texts
from backoffice.explanations.services import explain
from backoffice.outbox.models import Attempt, Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from backoffice.screens.buttons import Button, buttons_for, page_url, registered
from notifications.models import Notification
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Case:
    """A code or state, the row it is about, and what its buttons must be.

    `goes_to` is a pattern for the address of the first button; `then` what must hold after it was
    pressed.
    """

    reference: str
    kind: str
    goes_to: str
    shows: str = ""
    then: Callable[[Any], bool] | None = None

    def __str__(self) -> str:
        return f"{self.reference}-{self.kind}"


def is_queued(operation: str) -> Callable[[Any], bool]:
    return lambda row: Message.objects.filter(
        operation__endswith=operation, status=Message.Status.QUEUED
    ).exists()


PERSON, PLACE, CREDIT, POOL = "person", "schoolperson", "person_credit", "school_credit"
CASES = [
    Case("5022", PERSON, r"/admin/persons/person/\d+/change/#id_surname", "id_surname"),
    Case("4960", PERSON, r"/change/#id_postal_code", "id_postal_code"),
    Case("5145", CREDIT, r"/personcredit/\d+/change/#id_school_year", "id_school_year"),
    Case("6400", POOL, r"/schoolcredit/\d+/change/#id_contact_email", "id_contact_email"),
    Case("own:not_sent", CREDIT, r"/admin/doen/push/person_credit/", then=is_queued("credit.push")),
    Case("own:not_sent", PERSON, r"/admin/doen/push/person/", then=is_queued("person.push")),
    Case("own:tries_used_up", POOL, r"/doen/push/school_credit/", then=is_queued("credit.push")),
    Case("7367", PERSON, r"/admin/doen/push/person/", then=is_queued("person.push")),
    Case("7447", PLACE, r"/doen/push/schoolperson/", then=is_queued("schoolperson.push")),
    Case("5967", CREDIT, r"/doen/fetch/person_credit/", then=is_queued("fetch")),
    Case("5007", PERSON, r"/admin/doen/fetch/person/", then=is_queued("person.check")),
    Case("5087", CREDIT, r"/admin/persons/person/\d+/change/", "id_surname"),
    Case("6707", PLACE, r"/admin/persons/person/\d+/change/", "id_surname"),
    Case("own:conflict", PERSON, r"/admin/vergelijken/person/\d+/", "Edu-iX"),
    Case("2606", CREDIT, r"/admin/vergelijken/person_credit/\d+/", "Edu-iX"),
    Case("4846", PERSON, r"/admin/persons/person/\?q=gezin", "gezin"),
    Case("6727", PLACE, r"/schoolperson/\d+/change/#id_school", "id_school"),
    Case("own:expired", CREDIT, r"/personcredit/\d+/end-date/", "end"),
    Case("5128", CREDIT, r"/personcredit/\d+/return/", "<h1"),
    Case("own:returned", CREDIT,
         r"/personcredit/add/\?ean=\d+&school_year=\d+&school_person=\d+", "id_ean"),
    Case("own:waiting_for_prematch", CREDIT,
         r"/persons/school/\d+/change/#id_contact_email", "id_contact_email"),
    Case("publisher:117", CREDIT, r"/publishercode/add/\?code=117&ean_prefix=\d{7}", "id_title_nl"),
    Case("own:login_refused", PERSON, r"/admin/weer-sturen/",
         then=lambda row: not ServiceState.objects.filter(stopped_at__isnull=False).exists()),
    Case("2228", CREDIT, r"/admin/weer-sturen/",
         then=lambda row: not ServiceState.objects.filter(stopped_at__isnull=False).exists()),
]  # fmt: skip


def make(case: Case) -> Any:
    """The row, refused with the code where it is one; sending has stopped for the login."""
    if case.reference in ("own:login_refused", "2228"):
        ServiceState.objects.create(service=SERVICE, stopped_at=timezone.now(), code=2228)
    number = int(case.reference) if case.reference.isdigit() else None
    refused = {"push_state": PushState.REFUSED, "push_code": number} if number else {}
    if case.kind == PERSON:
        return PersonFactory(email="gezin@example.nl", **refused)
    if case.kind == PLACE:
        return SchoolPersonFactory(**refused)
    if case.kind == CREDIT:
        code = 117 if case.reference == "publisher:117" else None
        return PersonCreditFactory(publisher_error_code=code, **refused)
    return SchoolCreditFactory(**refused)


def buttons(case: Case, row: Any, user: Any) -> list[Button]:
    explanation = explain(case.reference, lang="nl")
    return buttons_for(explanation, row, kind=case.kind, user=user)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_first_button_does_what_it_says(case: Case) -> None:
    row = make(case)
    user = UserFactory(groups=["Beheerder"])

    first = buttons(case, row, user)[0]

    assert re.search(case.goes_to, first.url), first.url
    client = client_of(user)
    answer = client.post(first.url, follow=True) if first.is_post else client.get(first.url)
    assert answer.status_code == 200, first.url
    assert case.shows in unescape(answer.content.decode())
    if case.then is not None:
        row.refresh_from_db()
        assert case.then(row)


def test_at_least_fifteen_codes_and_states_have_a_button() -> None:
    assert len({case.reference for case in CASES}) >= 15


@pytest.mark.parametrize("case", CASES, ids=str)
def test_who_may_only_read_gets_no_button_that_changes_anything(case: Case) -> None:
    reader = UserFactory(groups=["Meelezer"])

    for button in buttons(case, make(case), reader):
        assert not button.is_post
        assert "/add/" not in button.url


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_stranger_sees_no_button_that_takes_a_right(case: Case) -> None:
    found = buttons(case, make(case), AnonymousUser())

    assert not [button for button in found if button.is_post or button.right]


@pytest.mark.parametrize("what", ["push", "fetch"])
def test_a_post_without_the_right_is_refused_and_a_get_does_nothing(what: str) -> None:
    row = PersonFactory()
    url = page_url("do", what, "person", row.pk)

    assert client_of(UserFactory(groups=["Meelezer"])).post(url).status_code == 403
    assert client_of(UserFactory(groups=["Beheerder"])).get(url).status_code == 405
    assert Client().post(url).status_code == 302
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "path", ["push/person/999999/", "push/notification/1/", "dance/person/1/", "replay/person/1/"]
)
def test_what_does_not_exist_is_not_found(path: str) -> None:
    client = client_of(UserFactory(groups=["Beheerder"], is_superuser=True))

    assert client.post(f"/admin/doen/{path}").status_code == 404


def test_what_is_deleted_at_edu_ix_cannot_be_sent() -> None:
    row = PersonFactory(push_state=PushState.DELETED)

    answer = client_of(UserFactory(groups=["Beheerder"])).post(f"/admin/doen/push/person/{row.pk}/")

    assert answer.status_code == 404


def test_a_credit_that_waits_opens_the_cause() -> None:
    credit = PersonCreditFactory(push_state=PushState.WAITING)
    person = credit.school_person.person
    root = queue_person_push(person=person)
    Message.objects.filter(pk=root.pk).update(status=Message.Status.REFUSED, code=5022)
    Message.objects.create(
        operation="person_credit.push",
        subject=f"person_credit:{credit.pk}",
        chain=root.chain,
        position=root.position + 1,
        status=Message.Status.WAITING,
        waits_for=root,
        due_at=timezone.now(),
    )
    user = UserFactory(groups=["Accountmanager"])

    found = buttons(Case("own:waiting", CREDIT, ""), credit, user)

    assert found[0].url == f"/admin/persons/person/{person.pk}/change/#id_surname"
    assert found[1].url == f"/admin/outbox/message/{root.pk}/change/"


def test_the_texts_for_others_hold_no_names() -> None:
    credit = PersonCreditFactory(publisher_response_id="R-77", publisher_error_code=117)
    person = credit.school_person.person
    user = UserFactory(groups=["Accountmanager"])

    [text, *_rest] = buttons(Case("own:publisher_fault", CREDIT, ""), credit, user)

    for part in (credit.ean, str(credit), "117", "R-77"):
        assert part in text.text
    for part in (person.surname, person.first_name, person.distributor_person_id):
        assert part not in text.text


@pytest.mark.parametrize("reference", ["9", "own:contract_broken"])
def test_the_call_is_offered_as_a_text_for_edu_ix_and_for_the_supplier(reference: str) -> None:
    person = PersonFactory(push_state=PushState.REFUSED, push_code=9)
    message = queue_person_push(person=person)
    call = {"service": "profile", "operation": "createPerson", "request": "<a/>", "code": 9}
    Attempt.objects.create(
        message=message,
        fence=1,
        started_at=timezone.now(),
        outcome=Attempt.Outcome.REFUSED,
        code=9,
        calls=[call],
    )

    [text, page] = buttons(Case(reference, PERSON, ""), person, UserFactory(groups=["Beheerder"]))

    assert "createPerson" in text.text
    assert re.fullmatch(r"/admin/outbox/attempt/\d+/change/", page.url)


def test_a_message_offers_what_its_row_offers() -> None:
    person = PersonFactory(push_state=PushState.REFUSED, push_code=5022)
    message = queue_person_push(person=person)
    person.refresh_from_db()
    type(person).objects.filter(pk=person.pk).update(push_state="refused", push_code=5022)
    Message.objects.filter(pk=message.pk).update(status=Message.Status.REFUSED, code=5022)
    message.refresh_from_db()

    found = buttons(Case("5022", "message", ""), message, UserFactory(groups=["Beheerder"]))

    assert found[0].url == f"/admin/persons/person/{person.pk}/change/#id_surname"


def test_a_message_about_a_row_that_is_gone_offers_nothing() -> None:
    person = PersonFactory()
    message = queue_person_push(person=person)
    person.delete()

    assert buttons(Case("5022", "message", ""), message, UserFactory(groups=["Beheerder"])) == []


def notification(**columns: Any) -> Notification:
    values = {"kind": Notification.Kind.PREMATCH_CHANGED, "subject": "K1", "raw": b"<x/>",
              "raw_sha256": "0" * 64, "raw_length": 4, "received_at": timezone.now()}  # fmt: skip
    return Notification.objects.create(**(values | columns))


def test_a_notification_that_failed_is_applied_again_and_one_without_a_subject_is_looked_for() -> (
    None
):
    row = notification(verdict=Notification.Verdict.DEAD)
    user = UserFactory(groups=["Beheerder"])

    [again] = buttons(Case("own:notification_dead", "notification", ""), row, user)
    look, *_rest = buttons(Case("own:notification_unmatched", "notification", ""), row, user)

    assert client_of(user).post(again.url).status_code == 302
    assert client_of(user).get(look.url).status_code in (200, 302)


def test_a_school_with_a_contact_gets_a_letter_without_a_name_and_by_role() -> None:
    school = SchoolFactory(contact_email="ict@deberg.nl")
    for role, number, words in (
        ("Student", "4411", "leerling%204411"),
        ("Teacher", "", "docent%20koppelen"),
        ("Student", "", "leerling%20koppelen"),
    ):
        place = SchoolPersonFactory(school=school, role=role, school_student_number=number)
        credit = PersonCreditFactory(school_person=place)

        [button] = buttons(
            Case("own:waiting_for_prematch", CREDIT, ""), credit, UserFactory(groups=["Meelezer"])
        )

        assert button.url.startswith("mailto:ict@deberg.nl?subject=")
        assert "%20%20" not in button.url
        assert place.person.surname not in button.url
        assert words in button.url or "link" in button.url


def test_a_page_that_is_not_there_gives_no_button_and_no_fault() -> None:
    assert page_url("no_such_page_here", 1) == ""


def test_every_action_of_the_catalogue_has_buttons_or_is_waiting() -> None:
    has_buttons = {action for action, _kind in registered()}

    without = set(texts.actions()) - has_buttons

    assert without <= {"wait", "check_settings"}
    for kind in ROWS:
        assert ("edit", kind) in registered()
    for kind in CREDITS:
        assert ("extend", kind) in registered()


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_of_a_credit_shows_its_buttons_beside_the_words(lang: str) -> None:
    credit = PersonCreditFactory(
        push_state=PushState.IN_SYNC, specification_state="Fault", publisher_error_code=None,
        school_person__person__user_id="u1",
    )  # fmt: skip
    client = client_of(UserFactory(groups=["Accountmanager"]))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = lang

    page = client.get(f"/admin/credits/personcredit/{credit.pk}/status/").content.decode()

    assert 'data-copy="copy-person_credit-0"' in page
    assert f"EAN: {credit.ean}" in page


def test_the_form_and_the_message_show_them_too() -> None:
    place = SchoolPersonFactory(push_state=PushState.REFUSED, push_code=6727)
    client = client_of(UserFactory(groups=["Beheerder"]))

    page = client.get(f"/admin/persons/schoolperson/{place.pk}/change/").content.decode()

    assert "#id_school" in page
    assert "/admin/persons/school/add/" in page
