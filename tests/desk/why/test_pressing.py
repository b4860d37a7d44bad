"""The buttons beside the answer: each mends its cause, once, for whoever may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.why_views import why_url
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import PersonCredit
from persons.models import Person, SchoolPerson
from persons.services import queue_person_push
from tests.desk.why.conftest import EAN, page_of, sent, this_year, url_of, verdict_in
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
)

pytestmark = pytest.mark.django_db


SignIn = Callable[..., Client]


LOOK = ("persons.view_person", "credits.view_personcredit")


def press(client: Client, credit: PersonCredit, do: str, subject: str = "") -> Any:
    url = reverse("admin:why_do", args=[credit.school_person.person_id])
    return client.post(url, {"doen": do, "onderwerp": subject, "boek": credit.ean})


# --- buttons -------------------------------------------------------------------------------------


def test_a_person_is_sent_and_the_page_comes_back(manager: Client, credit: PersonCredit) -> None:
    Person.objects.update(push_state=PushState.CHANGED)
    person = credit.school_person.person
    assert verdict_in(page_of(manager, url_of(credit))) == "person_not_sent"

    answer = press(manager, credit, "push", f"person:{person.pk}")

    assert answer["Location"] == url_of(credit)
    assert Message.objects.get().subject == f"person:{person.pk}"
    assert verdict_in(page_of(manager, url_of(credit))) == "sending"


def test_one_press_sends_the_person_the_school_and_the_credit(
    manager: Client, credit: PersonCredit
) -> None:
    for model in (Person, SchoolPerson, PersonCredit):
        model.objects.update(push_state=PushState.LOCAL_ONLY, registered_at=None)
    page = page_of(manager, url_of(credit))
    subject = re.search(r'name="onderwerp" value="([^"]+)"', page)
    assert verdict_in(page) == "person_not_sent"
    assert subject is not None

    press(manager, credit, "push", subject[1])

    sent_ones = Message.objects.order_by("position").values_list("operation", flat=True)
    assert list(sent_ones) == ["person.push", "schoolperson.push", "person_credit.push"]


def test_a_missing_credit_is_made_once_however_often_one_presses(
    manager: Client, credit: PersonCredit
) -> None:
    place = credit.school_person
    PersonCredit.objects.update(person_product_state="Returned")
    assert verdict_in(page_of(manager, url_of(credit))) == "credit_returned"

    for _ in range(2):
        press(manager, credit, "new_credit", f"schoolperson:{place.pk}")

    made = PersonCredit.objects.exclude(pk=credit.pk).get()
    assert (made.ean, made.school_person, made.push_state) == (EAN, place, PushState.QUEUED)
    assert len(made.distributor_person_credit_id) <= 30
    assert made.history.get().history_user is not None


@pytest.mark.parametrize(
    ("do", "columns", "verdict"),
    [
        ("set_school_year", {"school_year": 1011}, "wrong_school_year"),
        ("extend", {"credit_end_date": "yesterday"}, "expired"),
        ("start_today", {"credit_start_date": "tomorrow"}, "not_started"),
    ],
)
def test_one_press_mends_a_credit_and_sends_it(
    manager: Client, credit: PersonCredit, do: str, columns: dict[str, Any], verdict: str
) -> None:
    day = timezone.localdate()
    words = {"yesterday": day - timedelta(days=1), "tomorrow": day + timedelta(days=1)}
    PersonCredit.objects.update(**{k: words.get(v, v) for k, v in columns.items()})
    assert verdict_in(page_of(manager, url_of(credit))) == verdict

    press(manager, credit, do, f"person_credit:{credit.pk}")

    assert Message.objects.get().operation == "person_credit.push"
    PersonCredit.objects.update(push_state=PushState.IN_SYNC)
    Message.objects.all().delete()
    assert verdict_in(page_of(manager, url_of(credit))) == "all_fine"
    latest = credit.history.latest("history_id")
    assert latest.history_change_reason
    assert latest.history_user is not None


def test_a_person_is_linked_to_the_asked_school_in_one_press(manager: Client) -> None:
    person, school = PersonFactory(**sent()), SchoolFactory()
    url = reverse("admin:why_do", args=[person.pk])
    asked = {"boek": "", "school": school.organisation_id}
    page = page_of(manager, f"{why_url(person.pk)}?school={school.organisation_id}")
    assert verdict_in(page) == "school_person_missing"
    assert 'value="link_school"' in page

    for _ in range(2):
        order = {"doen": "link_school", "onderwerp": f"person:{person.pk}", **asked}
        manager.post(url, order)

    place = SchoolPerson.objects.get()
    assert (place.person, place.school, place.push_state) == (person, school, PushState.QUEUED)


def test_a_message_that_hangs_is_sent_now(manager: Client, credit: PersonCredit) -> None:
    message = queue_person_push(person=credit.school_person.person)
    ServiceState.objects.create(service=SERVICE, beat_at=timezone.now())
    later = timezone.now() + timedelta(days=1)
    Message.objects.update(due_at=later, asked_at=timezone.now() - timedelta(hours=1))
    assert verdict_in(page_of(manager, url_of(credit))) == "sending_stuck"

    press(manager, credit, "send_now")

    message.refresh_from_db()
    assert message.due_at <= timezone.now()


def test_sending_goes_on_after_a_refused_login(manager: Client, credit: PersonCredit) -> None:
    queue_person_push(person=credit.school_person.person)
    ServiceState.objects.create(service=SERVICE, stopped_at=timezone.now(), login_tries=3)
    assert verdict_in(page_of(manager, url_of(credit))) == "login_refused"

    press(manager, credit, "resume")

    state = ServiceState.objects.get()
    assert (state.stopped_at, state.login_tries) == (None, 0)


@pytest.mark.parametrize(
    ("kind", "operation"), [("person", "person.check"), ("person_credit", "person_credit.fetch")]
)
def test_edu_ix_is_asked(manager: Client, credit: PersonCredit, kind: str, operation: str) -> None:
    pk = credit.pk if kind == "person_credit" else credit.school_person.person_id

    press(manager, credit, "fetch", f"{kind}:{pk}")

    assert Message.objects.get().operation == operation


def test_the_cause_that_others_wait_for_is_one_press_away(
    manager: Client, credit: PersonCredit
) -> None:
    root = queue_person_push(person=credit.school_person.person)
    Message.objects.update(status=Message.Status.REFUSED, code=-4967)
    waiting = Message.objects.create(
        operation="person_credit.push",
        subject=f"person_credit:{credit.pk}",
        chain=root.chain,
        status=Message.Status.WAITING,
        waits_for=root,
        due_at=timezone.now(),
    )
    Person.objects.update(push_state=PushState.IN_SYNC)

    page = page_of(manager, url_of(credit))

    assert verdict_in(page) == "waits_for_refused"
    assert f"/persons/person/{waiting.chain.partition(':')[2]}/change/#id_postal_code" in page


def test_a_button_of_somebody_else_does_nothing(manager: Client, credit: PersonCredit) -> None:
    stranger = PersonCreditFactory(**this_year())

    press(manager, credit, "push", f"person_credit:{stranger.pk}")
    press(manager, credit, "push", f"person:{stranger.school_person.person_id}")

    assert not Message.objects.exists()


@pytest.mark.parametrize("do", ["", "drop", "push:person"])
def test_an_unknown_deed_is_not_found(manager: Client, credit: PersonCredit, do: str) -> None:
    assert press(manager, credit, do, "school:1").status_code == 404


def test_what_was_mended_meanwhile_is_not_done_twice(manager: Client, credit: PersonCredit) -> None:
    answer = press(manager, credit, "extend", f"person_credit:{credit.pk}")

    assert answer.status_code == 302
    assert not Message.objects.exists()


def test_looking_changes_nothing(manager: Client, credit: PersonCredit) -> None:
    def count() -> tuple[int, int, int]:
        histories = Person.history.count(), PersonCredit.history.count()
        return Message.objects.count(), *histories

    before = count()
    for name in ("why_person", "why_live", "why_proof"):
        page_of(manager, url_of(credit, name))

    assert count() == before


# --- rights --------------------------------------------------------------------------------------


def test_a_reader_sees_the_answer_and_no_buttons_that_do_something(
    signed_in: SignIn, credit: PersonCredit
) -> None:
    Person.objects.update(push_state=PushState.CHANGED)
    client = signed_in(*LOOK)

    page = page_of(client, url_of(credit))

    assert verdict_in(page) == "person_not_sent"
    assert 'name="doen"' not in page


@pytest.mark.parametrize(
    ("do", "kind"),
    [
        ("push", "person"),
        ("extend", "person_credit"),
        ("new_credit", "schoolperson"),
        ("fetch", "person"),
        ("resume", ""),
        ("send_now", ""),
    ],
)
def test_a_reader_may_press_nothing(
    signed_in: SignIn, credit: PersonCredit, do: str, kind: str
) -> None:
    client = signed_in(*LOOK)
    pk = {"person": credit.school_person.person_id, "schoolperson": credit.school_person_id}
    subject = f"{kind}:{pk.get(kind, credit.pk)}"

    assert press(client, credit, do, subject).status_code == 403
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["why_person", "why_live", "why_proof"])
def test_who_may_see_no_persons_sees_nothing(
    signed_in: SignIn, credit: PersonCredit, name: str
) -> None:
    client = signed_in("credits.view_personcredit")

    assert client.get(url_of(credit, name)).status_code == 403
    assert client.get(reverse("admin:why")).status_code == 403


def test_a_stranger_must_sign_in_and_a_button_wants_a_post(
    client: Client, manager: Client, credit: PersonCredit
) -> None:
    do = reverse("admin:why_do", args=[credit.school_person.person_id])

    assert "login" in client.get(url_of(credit))["Location"]
    assert manager.get(do).status_code == 405


def test_a_button_without_its_token_is_refused(credit: PersonCredit, manager: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = manager.cookies

    assert press(strict, credit, "push", "person:1").status_code == 403
