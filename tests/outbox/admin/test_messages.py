"""The list and the page of messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from backoffice.eduix.gateway import Gateway
from backoffice.outbox.calls import tries_of
from backoffice.outbox.cells import told_after_save
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message, PushState
from credits.services import queue_credit_push
from persons.models import Person, School
from persons.services import queue_person_push
from tests.factories import PersonCreditFactory, PersonFactory
from tests.outbox.admin.conftest import ATTEMPTS, MESSAGES, signed_in

pytestmark = pytest.mark.django_db


def blocked(school: School | None = None) -> tuple[Message, Message]:
    """A refused person and the credit that waits for it."""
    kwargs: dict[str, Any] = {"school_person__school": school} if school else {}
    follower = queue_credit_push(credit=PersonCreditFactory(**kwargs))
    root = Message.objects.get(operation="person.push", chain=follower.chain)
    Message.objects.filter(pk=root.pk).update(status="refused", code=-4967, text="postalCode")
    Message.objects.filter(chain=follower.chain).exclude(pk=root.pk).update(
        status="waiting", waits_for=root
    )
    return root, follower


def attempt_of(message: Message, **columns: Any) -> Attempt:
    values: dict[str, Any] = {"fence": 1, "started_at": timezone.now(), "outcome": "refused"}
    return Attempt.objects.create(message=message, **(values | columns))


def test_the_list_explains_what_is_wrong_and_what_waits(manager: Client) -> None:
    root, follower = blocked()

    page = manager.get(MESSAGES).content.decode()

    person = root.subject.partition(":")[2]
    assert f"/admin/persons/person/{person}/change/#id_postal_code" in page
    assert "4967" in page
    assert f"{MESSAGES}{root.pk}/change/" in page
    assert follower.label in page


def test_the_number_of_queries_does_not_grow_with_the_rows(manager: Client) -> None:
    for path in (MESSAGES, ATTEMPTS):
        for _number in range(3):
            attempt_of(blocked()[0], code=-4967)
        manager.get(path)
        few = count(manager, path)
        for _number in range(12):
            attempt_of(blocked()[0], code=-4967)

        assert count(manager, path) == few
        assert few <= 12


def count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_a_message_shows_its_cause_its_followers_and_its_tries(manager: Client) -> None:
    root, follower = blocked()
    attempt_of(
        root,
        code=-4967,
        text="postalCode is not found",
        calls=[
            {
                "operation": "createPerson",
                "request": "<firstName>***</firstName>",
                "response": "<code>-4967</code>",
                "status": 500,
                "milliseconds": 12,
                "error": "",
            }
        ],
    )

    cause = manager.get(f"{MESSAGES}{root.pk}/change/")
    waiting = manager.get(f"{MESSAGES}{follower.pk}/change/").content.decode()

    page = cause.content.decode()
    assert cause.context["followers"] == 2
    assert "&lt;firstName&gt;***&lt;/firstName&gt;" in page
    assert "postalCode is not found" in page
    assert f"{MESSAGES}{root.pk}/change/" in waiting


def test_a_try_of_an_earlier_shape_is_still_shown() -> None:
    root, _follower = blocked()
    attempt = attempt_of(root, calls=["odd", {"request": None}])

    [shown] = tries_of([attempt], "profile")

    assert [call.request for call in shown.calls] == ['"odd"', ""]


def test_messages_of_one_row_can_be_asked_for(manager: Client) -> None:
    root, follower = blocked()

    response = manager.get(MESSAGES, {"subject": root.subject})

    assert [row.pk for row in response.context["cl"].result_list] == [root.pk]
    assert follower.pk != root.pk


@pytest.mark.parametrize("typed", ["K-7", "k-77"])
def test_a_message_is_found_by_the_beginning_of_its_key(manager: Client, typed: str) -> None:
    queue_person_push(person=PersonFactory(distributor_person_id="K-77"))
    queue_person_push(person=PersonFactory(distributor_person_id="X-77"))

    found = manager.get(MESSAGES, {"q": typed}).context["cl"].result_list

    assert [row.label for row in found] == ["K-77"]


@pytest.mark.parametrize("path", [MESSAGES, ATTEMPTS])
@pytest.mark.parametrize(
    "lookup", ["text__startswith", "sent_digest__startswith", "calls__contains", "label__gt"]
)
def test_hidden_columns_cannot_be_asked_for(manager: Client, path: str, lookup: str) -> None:
    assert manager.get(path, {lookup: "a"}).status_code == 400


def test_nobody_edits_or_deletes_a_message() -> None:
    chief = signed_in("Beheerder")
    root, _follower = blocked()
    attempt = attempt_of(root)

    for path, pk in ((MESSAGES, root.pk), (ATTEMPTS, attempt.pk)):
        assert chief.get(f"{path}add/").status_code == 403
        assert chief.post(f"{path}{pk}/change/", {"status": "done"}).status_code == 403
        assert chief.post(f"{path}{pk}/delete/", {"post": "yes"}).status_code == 403
        assert chief.get(f"{path}{pk}/change/").status_code == 200


@pytest.mark.parametrize("path", [MESSAGES, ATTEMPTS])
def test_strangers_and_colleagues_without_a_group_see_nothing(path: str) -> None:
    assert Client().get(path).status_code == 302
    assert signed_in().get(path).status_code == 403


def test_the_partners_words_are_shown_as_text_never_as_markup(manager: Client) -> None:
    evil = "<script>alert(1)</script>"
    root, _follower = blocked()
    Message.objects.filter(pk=root.pk).update(label=evil, text=evil)
    attempt = attempt_of(root, text=evil, traceback=evil, calls=[{"request": evil}])

    for path in (
        MESSAGES,
        ATTEMPTS,
        f"{MESSAGES}{root.pk}/change/",
        f"{ATTEMPTS}{attempt.pk}/change/",
    ):
        page = manager.get(path).content.decode()
        assert evil not in page, path
        assert "&lt;script&gt;" in page, path


def again(client: Client, *messages: Message) -> Any:
    return client.post(
        MESSAGES,
        {"action": "send_again_now", "_selected_action": [message.pk for message in messages]},
        follow=True,
    )


def test_sending_again_takes_up_a_refused_message_and_releases_what_waits(
    manager: Client,
) -> None:
    root, follower = blocked()

    response = again(manager, root, follower)

    root.refresh_from_db()
    follower.refresh_from_db()
    assert (root.status, follower.status) == (Message.Status.QUEUED, Message.Status.QUEUED)
    assert Person.objects.get().push_state == PushState.QUEUED
    assert len(list(response.context["messages"])) == 1


def test_a_queued_message_is_tried_now(manager: Client) -> None:
    message = queue_person_push(person=PersonFactory())
    later = timezone.now() + timedelta(hours=1)
    Message.objects.filter(pk=message.pk).update(due_at=later)

    again(manager, message)

    message.refresh_from_db()
    assert message.due_at <= timezone.now()
    assert message.status == Message.Status.QUEUED


def test_an_uncertain_message_still_asks_first(manager: Client) -> None:
    message = queue_person_push(person=PersonFactory())
    Message.objects.filter(pk=message.pk).update(status="uncertain", ask_first=True)

    again(manager, message)

    message.refresh_from_db()
    assert (message.status, message.ask_first) == (Message.Status.UNCERTAIN, True)


@pytest.mark.parametrize("status", ["done", "cancelled", "conflict", "sending"])
def test_what_needs_no_try_is_skipped(manager: Client, status: str) -> None:
    message = queue_person_push(person=PersonFactory())
    Message.objects.filter(pk=message.pk).update(status=status)

    again(manager, message)

    message.refresh_from_db()
    assert message.status == status
    assert Message.objects.count() == 1


def test_the_main_button_of_a_refused_message_leads_to_what_must_be_mended(
    manager: Client,
) -> None:
    root, _follower = blocked()

    page = manager.get(f"{MESSAGES}{root.pk}/change/").content.decode()

    assert page.count("btn main") == 1
    assert f'<a class="btn main" href="/admin/persons/person/{root.subject[7:]}/change/' in page


@pytest.mark.parametrize(("tries", "words"), [(0, "Nu versturen"), (1, "Nu opnieuw sturen")])
def test_what_was_never_tried_is_not_sent_again(manager: Client, tries: int, words: str) -> None:
    message = queue_person_push(person=PersonFactory())
    for _number in range(tries):
        attempt_of(message, outcome="unreachable")

    page = manager.get(f"{MESSAGES}{message.pk}/change/").content.decode()

    assert f'<button class="btn" type="submit">{words}</button>' in page


def test_the_moment_shown_is_the_one_since_which_it_waits(manager: Client) -> None:
    message = queue_person_push(person=PersonFactory())
    asked = timezone.localtime(timezone.now() - timedelta(minutes=40))
    Message.objects.filter(pk=message.pk).update(asked_at=asked)

    for path in (MESSAGES, f"{MESSAGES}{message.pk}/change/"):
        assert f", {asked:%H:%M}" in manager.get(path).content.decode()


def test_a_reader_sends_nothing_again() -> None:
    root, _follower = blocked()
    reader = signed_in("Meelezer")

    page = reader.get(f"{MESSAGES}{root.pk}/change/").content.decode()
    again(reader, root)

    root.refresh_from_db()
    assert root.status == Message.Status.REFUSED
    assert "send_again_now" not in page


def test_saving_tells_what_follows_by_itself() -> None:
    root, _follower = blocked()
    Message.objects.update(status="queued", waits_for=None)

    with translation.override("en"):
        told = told_after_save(root.subject)

    assert told == (
        "Saved. It goes to Edu-iX now, and after it by itself: 1 person at a school and 1 credit."
    )


def test_a_mended_person_goes_out_with_its_credits_from_the_screen(
    manager: Client, school: School, gateway: Gateway
) -> None:
    credit = PersonCreditFactory(
        school_person__school=school, school_person__person__postal_code="9999 XX"
    )
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    person = Person.objects.get()
    path = f"/admin/persons/person/{person.pk}/change/"
    form = manager.get(path).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields if name != "remove_eck_id"}
    place = credit.school_person

    manager.post(
        path,
        values
        | {
            "postal_code": "3011 AB",
            "date_of_birth": "2012-03-04",
            "country_code": "NL",
            "school_persons-TOTAL_FORMS": "1",
            "school_persons-INITIAL_FORMS": "1",
            "school_persons-0-id": place.pk,
            "school_persons-0-person": person.pk,
            "school_persons-0-school": place.school_id,
            "school_persons-0-role": place.role,
            "school_persons-0-school_student_number": place.school_student_number,
            "school_persons-0-distributor_school_person_id": place.distributor_school_person_id,
        },
    )
    drain_once(gateway=gateway)

    person.refresh_from_db()
    credit.refresh_from_db()
    assert "refused-field" in str(form.fields["postal_code"].help_text)
    assert (person.push_state, credit.push_state) == (PushState.IN_SYNC, PushState.IN_SYNC)
