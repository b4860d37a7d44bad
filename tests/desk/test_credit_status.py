"""The page of one credit."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.outbox.models import Attempt, Message, PushState
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push, refresh_statuses
from notifications.models import Notification
from tests.factories import (
    PersonCreditFactory,
    ProductFactory,
    SchoolCreditFactory,
    UserFactory,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine("2026-11-21T10:00:00+01:00"),
]


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(UserFactory(groups=list(groups)))
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("Accountmanager")


def url_of(credit: PersonCredit | SchoolCredit, part: str = "") -> str:
    kind = "personcredit" if isinstance(credit, PersonCredit) else "schoolcredit"
    return f"/admin/credits/{kind}/{credit.pk}/status/{part}"


def put(credit: Any, **columns: Any) -> Any:
    rows = type(credit)._default_manager.filter(pk=credit.pk)
    rows.update(**columns)
    refresh_statuses(rows)
    credit.refresh_from_db()
    return credit


def told(credit: PersonCredit, **columns: Any) -> Notification:
    """A notification about this credit, as the door stores it."""
    values = {
        "kind": Notification.Kind.SPECIFICATION_CHANGED,
        "subject": credit.distributor_person_credit_id,
        "raw": b"<x/>",
        "raw_sha256": hashlib.sha256(b"<x/>").hexdigest(),
        "raw_length": 4,
        "received_at": timezone.now(),
        "verdict": Notification.Verdict.APPLIED,
    }
    return Notification.objects.create(**(values | columns))


def test_the_verdict_comes_first(manager: Client) -> None:
    ProductFactory()
    credit = PersonCreditFactory(school_person__person__user_id="u")
    put(credit, push_state="in_sync", specification_state="Specified")

    response = manager.get(url_of(credit))

    status = response.context["status"]
    assert status.tone == "ok"
    assert "Sanne van den Berg" in status.sentence
    assert "Getal & Ruimte 2 vwo" in status.sentence


def test_a_waiting_credit_names_its_root_cause_and_where_to_mend_it(manager: Client) -> None:
    credit = PersonCreditFactory()
    message = queue_credit_push(credit=credit)
    root = Message.objects.get(operation="person.push")
    Message.objects.filter(pk=root.pk).update(status="refused", code=-4967, text="postalCode")
    Message.objects.filter(pk=message.pk).update(status="waiting", waits_for=root)
    put(credit, push_state="waiting")

    status = manager.get(url_of(credit)).context["status"]

    assert status.explanation.code in (-4967, 4967)
    assert status.mend[0].endswith("/change/#id_postal_code")
    assert status.explanation.title in status.sentence


def test_an_unexplained_code_of_a_publisher_offers_to_write_it(manager: Client) -> None:
    credit = PersonCreditFactory()
    put(
        credit,
        push_state="in_sync",
        specification_state="Fault",
        publisher_error_code=117,
        registered_at=timezone.now(),
    )

    page = manager.get(url_of(credit)).content.decode()
    reader = signed_in("Meelezer").get(url_of(credit)).content.decode()

    assert "/admin/explanations/publishercode/add/?code=117" in page
    assert "publishercode/add" not in reader


def test_what_went_out_and_what_came_in_stands_on_the_page(manager: Client) -> None:
    credit = PersonCreditFactory()
    message = queue_credit_push(credit=credit)
    Attempt.objects.create(
        message=message, fence=1, started_at=timezone.now(), outcome="refused", code=-5107
    )
    note = told(credit)
    elsewhere = told(credit, subject="C-other")

    page = manager.get(url_of(credit)).content.decode()

    assert f"/admin/outbox/message/{message.pk}/change/" in page
    assert f"/admin/notifications/notification/{note.pk}/change/" in page
    assert f"/admin/notifications/notification/{elsewhere.pk}/change/" not in page


def test_prematch_of_the_person_belongs_to_the_story(manager: Client) -> None:
    credit = PersonCreditFactory()
    note = told(
        credit,
        kind=Notification.Kind.PREMATCH_CHANGED,
        subject=credit.school_person.person.distributor_person_id,
    )

    page = manager.get(url_of(credit)).content.decode()

    assert f"/admin/notifications/notification/{note.pk}/change/" in page


def test_a_school_credit_has_the_same_page(manager: Client) -> None:
    credit = SchoolCreditFactory(amount=30)

    response = manager.get(url_of(credit))

    assert response.status_code == 200
    assert credit.school.name in response.content.decode()


def test_the_page_asks_again_only_while_something_is_under_way(manager: Client) -> None:
    credit = PersonCreditFactory()
    queue_credit_push(credit=credit)

    busy = manager.get(url_of(credit)).content.decode()
    Message.objects.update(status="done")
    put(credit, push_state="in_sync", specification_state="Specified")
    settled = manager.get(url_of(credit)).content.decode()

    assert f'hx-get="{url_of(credit, "live/")}" hx-trigger="every 2s"' in busy
    assert "hx-trigger" not in settled


def test_the_fragment_is_the_middle_of_the_page_alone(manager: Client) -> None:
    credit = PersonCreditFactory()

    page = manager.get(url_of(credit, "live/")).content.decode()

    assert page.strip().startswith('<div id="live"')
    assert "<html" not in page


def test_pushing_from_the_page_queues_the_credit(manager: Client) -> None:
    credit = PersonCreditFactory()

    response = manager.post(url_of(credit, "push/"), follow=True)

    assert Message.objects.filter(operation="person_credit.push").exists()
    assert response.redirect_chain == [(url_of(credit), 302)]
    assert len(list(response.context["messages"])) == 1


def test_asking_edu_ix_queues_a_fetch(manager: Client) -> None:
    credit = put(PersonCreditFactory(), push_state="in_sync", registered_at=timezone.now())

    manager.post(url_of(credit, "fetch/"))

    assert Message.objects.get().operation == "person_credit.fetch"


@pytest.mark.parametrize(
    ("part", "wrong"), [("", "post"), ("live/", "post"), ("push/", "get"), ("fetch/", "get")]
)
def test_the_wrong_method_is_refused(manager: Client, part: str, wrong: str) -> None:
    credit = PersonCreditFactory()

    assert getattr(manager, wrong)(url_of(credit, part)).status_code == 405
    assert not Message.objects.exists()


@pytest.mark.parametrize("part", ["", "live/", "push/", "fetch/"])
def test_strangers_and_colleagues_without_a_group_are_refused(part: str) -> None:
    credit = PersonCreditFactory()
    method = "post" if part in ("push/", "fetch/") else "get"

    stranger = getattr(Client(), method)(url_of(credit, part))
    nobody = getattr(signed_in(), method)(url_of(credit, part))

    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/admin/login/")
    assert nobody.status_code == 403


@pytest.mark.parametrize("part", ["push/", "fetch/"])
def test_a_reader_looks_and_sends_nothing(part: str) -> None:
    credit = put(PersonCreditFactory(), registered_at=timezone.now())
    reader = signed_in("Meelezer")

    page = reader.get(url_of(credit))
    answer = reader.post(url_of(credit, part))

    assert page.status_code == 200
    assert '<form class="inline"' not in page.content.decode().split('id="live"')[1]
    assert answer.status_code == 403
    assert not Message.objects.exists()


def test_a_credit_that_is_not_there_is_not_found(manager: Client) -> None:
    deleted = PersonCreditFactory(push_state=PushState.DELETED)

    assert manager.get(url_of(deleted)).status_code == 404
    assert manager.get("/admin/credits/personcredit/999/status/").status_code == 404


def test_words_of_others_are_shown_as_text_never_as_markup(manager: Client) -> None:
    evil = "<script>alert(1)</script>"
    ProductFactory(title=evil)
    credit = PersonCreditFactory(
        school_person__person__surname=evil,
        school_person__school__name=evil,
        distributor_person_credit_id=evil,
    )
    message = queue_credit_push(credit=credit)
    Attempt.objects.create(
        message=message,
        fence=1,
        started_at=timezone.now(),
        outcome="refused",
        text=evil,
        calls=[{"operation": evil, "request": evil, "response": evil}],
    )
    told(credit, reason=evil)

    page = manager.get(url_of(credit)).content.decode()

    assert evil not in page
    assert "&lt;script&gt;" in page


def test_the_number_of_queries_does_not_grow_with_the_story(manager: Client) -> None:
    credit = PersonCreditFactory()

    def tell(times: int) -> None:
        for _number in range(times):
            message = queue_credit_push(credit=credit)
            start = Attempt.objects.filter(message=message).count()
            Attempt.objects.create(
                message=message, fence=start, started_at=timezone.now(), outcome="accepted"
            )
            Message.objects.update(status="done")
            told(credit)

    tell(2)
    manager.get(url_of(credit))
    few = count(manager, url_of(credit))
    tell(10)

    assert count(manager, url_of(credit)) == few
    assert few <= 20


def count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)
