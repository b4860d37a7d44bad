"""The page "why no access?": the answer, its buttons, and who may press them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.why_views import why_url
from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import Attempt, Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.access_mends import first_day_of, last_day_of
from credits.models import PersonCredit
from notifications.models import Notification
from persons.models import Person, SchoolPerson
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
EAN = "9789001234562"
LOOK = ("persons.view_person", "credits.view_personcredit")


def sent(hours: float = 48) -> dict[str, Any]:
    at = timezone.now() - timedelta(hours=hours)
    return {"push_state": PushState.IN_SYNC, "push_changed_at": at, "registered_at": at}


def this_year() -> dict[str, Any]:
    today = timezone.localdate()
    first = first_day_of(today).year % 100
    return {
        "credit_start_date": first_day_of(today),
        "credit_end_date": last_day_of(today),
        "school_year": first * 100 + (first + 1) % 100,
    }


@pytest.fixture
def credit() -> PersonCredit:
    """All is in order with Sanne and her book."""
    ProductFactory()
    at = timezone.now() - timedelta(days=3)
    person = PersonFactory(user_id="u-1", user_id_changed_at=at, **sent())
    place = SchoolPersonFactory(person=person, **sent())
    return PersonCreditFactory(
        school_person=place,
        specification_state="Specified",
        specification_changed_at=timezone.now() - timedelta(days=1),
        **this_year(),
        **sent(),
    )


def url_of(credit: PersonCredit, name: str = "why_person") -> str:
    return why_url(credit.school_person.person_id, ean=credit.ean, name=name)


def verdict_in(page: str) -> str:
    found = re.search(r'data-verdict="(\w+)"', page)
    assert found is not None
    return found[1]


def page_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, credit: PersonCredit, do: str, subject: str = "") -> Any:
    url = reverse("admin:why_do", args=[credit.school_person.person_id])
    return client.post(url, {"doen": do, "onderwerp": subject, "boek": credit.ean})


def test_all_in_order_is_told_with_its_proof(manager: Client, credit: PersonCredit) -> None:
    page = page_of(manager, url_of(credit))

    assert verdict_in(page) == "all_fine"
    assert page.count('data-state="ok"') == 9
    assert "Sanne van den Berg" in page
    assert "Getal &amp; Ruimte 2 vwo" in page
    assert "hx-get" not in page  # nothing is expected to change
    assert 'name="doen"' not in page


def test_without_a_book_all_stand_there_the_worst_first(
    manager: Client, credit: PersonCredit
) -> None:
    faulty = {"specification_state": "Fault", "publisher_error_code": 117}
    place = credit.school_person
    PersonCreditFactory(school_person=place, ean="9789034234566", **faulty, **this_year(), **sent())

    page = page_of(manager, why_url(place.person_id))

    assert verdict_in(page) == "publisher_fault_unknown"
    assert f"boek={EAN}" in page
    assert 'class="pill ok"' in page


def test_each_state_has_a_sign_and_a_word(manager: Client, credit: PersonCredit) -> None:
    Person.objects.update(push_state=PushState.REFUSED, push_code=-4967)
    SchoolPerson.objects.update(push_state=PushState.WAITING)

    page = page_of(manager, url_of(credit))
    states = re.findall(
        r'<span class="visually-hidden">([^<]+)</span><span aria-hidden="true">(.)</span>', page
    )

    assert len(states) == 9
    assert len({word for word, _sign in states}) == 3
    assert {sign for _word, sign in states} == {"✓", "!", "?"}
    assert "4967" in page
    assert f"/persons/person/{credit.school_person.person_id}/change/#id_postal_code" in page


def test_the_page_and_its_fragment_say_the_same(manager: Client, credit: PersonCredit) -> None:
    fragment = page_of(manager, url_of(credit, "why_live"))

    assert verdict_in(fragment) == "all_fine"
    assert "<html" not in fragment


def test_the_page_looks_again_by_itself_while_something_is_under_way(
    manager: Client, credit: PersonCredit
) -> None:
    queue_person_push(person=credit.school_person.person)

    page = page_of(manager, url_of(credit))

    assert "every 2s" in page
    assert reverse("admin:why_live", args=[credit.school_person.person_id]) in page


def test_the_page_looks_once_more_when_the_message_finishes_while_it_is_made(
    manager: Client, credit: PersonCredit
) -> None:
    Person.objects.update(push_state=PushState.SENDING)  # and its message is gone already

    page = page_of(manager, url_of(credit))

    assert verdict_in(page) == "sending"
    assert "every 2s" in page


def test_the_letter_is_in_dutch_without_numbers_of_ours_or_anybody_else(
    manager: Client, credit: PersonCredit
) -> None:
    twin = PersonFactory(email=credit.school_person.person.email, **sent())
    place = SchoolPersonFactory(person=twin, **sent())

    page = page_of(manager, why_url(twin.pk, ean=EAN))
    letter = re.search(r'<textarea id="letter"[^>]*>([^<]+)<', page)

    assert verdict_in(page) == "duplicate_holds_it"
    assert letter is not None
    assert place.school_student_number in letter[1]
    for other in (
        credit.school_person.person.distributor_person_id,
        twin.distributor_person_id,
        str(credit),
        EAN,
    ):
        assert other not in letter[1]


def test_the_proof_shows_every_link_and_has_no_buttons(
    manager: Client, credit: PersonCredit
) -> None:
    page = page_of(manager, url_of(credit, "why_proof"))

    assert page.count('<th scope="row">') == 9
    assert 'name="doen"' not in page


def test_what_happened_stands_in_order_of_time(manager: Client, credit: PersonCredit) -> None:
    person = credit.school_person.person
    person.surname = "Jansen"
    person._change_reason = "getrouwd"  # type: ignore[attr-defined]
    person.save()
    message = queue_person_push(person=person)
    Attempt.objects.create(
        message=message,
        fence=1,
        started_at=timezone.now() - timedelta(hours=2),
        outcome=Attempt.Outcome.REFUSED,
        code=-4967,
    )
    row = Notification.objects.create(
        kind="prematchChanged",
        subject=person.distributor_person_id,
        raw=b"<told/>",
        raw_sha256="0" * 64,
        raw_length=7,
        received_at=timezone.now() - timedelta(hours=1),
        verdict=Notification.Verdict.APPLIED,
        parsed={"user_id": "", "eck_id": None},
    )

    page = page_of(manager, url_of(credit))

    edit, told, tried = (
        page.index(part)
        for part in ("getrouwd", f"/notification/{row.pk}/", f"/message/{message.pk}/")
    )
    assert edit < told < tried


# --- whom it is about ----------------------------------------------------------------------------


def test_what_is_typed_leads_to_the_answer_without_a_name_in_the_address(
    manager: Client, credit: PersonCredit
) -> None:
    answer = manager.post(reverse("admin:why"), {"wie": "sanne berg", "boek": EAN})

    assert answer.status_code == 302
    assert answer["Location"] == url_of(credit)


def test_several_are_shown_to_choose_from_by_school_and_birth_date(manager: Client) -> None:
    for name in ("Het Baken", "De Brug"):
        SchoolPersonFactory(school__name=name, school_student_number="20419")

    page = manager.post(reverse("admin:why"), {"wie": "20419"}).content.decode()

    assert "Het Baken" in page
    assert "De Brug" in page
    assert "2012" in page


def test_nobody_brings_near_matches_and_a_question_to_edu_ix(manager: Client) -> None:
    PersonFactory(distributor_person_id="K204103")

    page = manager.post(reverse("admin:why"), {"wie": "K204108"}).content.decode()

    assert "K204103" in page
    assert f"{reverse('admin:ask')}?get=getPerson" in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"boek": "123"}, "13"), ({"dag": "morgen"}, "morgen"), ({"school": "Nergens"}, "Nergens")],
)
def test_a_wrong_book_day_or_school_is_told_above_the_answer(
    manager: Client, credit: PersonCredit, asked: dict[str, str], said: str
) -> None:
    url = reverse("admin:why_person", args=[credit.school_person.person_id])

    answer = manager.get(url, asked)

    page = answer.content.decode()
    note = re.search(r'class="errornote">([^<]+)<', page)
    assert note is not None
    assert said in note[1]
    assert verdict_in(page) == "all_fine"


def test_somebody_who_is_not_there_is_not_found(manager: Client) -> None:
    assert manager.get(reverse("admin:why_person", args=[99])).status_code == 404


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


# --- cost ----------------------------------------------------------------------------------------


def test_the_page_asks_the_database_the_same_number_of_times_for_any_number_of_books(
    manager: Client, credit: PersonCredit
) -> None:
    url = why_url(credit.school_person.person_id)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(manager, url)
        return len(queries)

    page_of(manager, url)
    few = count()
    for number in range(15):
        PersonCreditFactory(
            school_person=credit.school_person,
            ean=f"978901123{number:04d}",
            specification_state="Specified",
            **this_year(),
            **sent(),
        )

    assert count() == few


def test_a_licence_of_the_school_is_mended_at_its_amount(
    manager: Client, credit: PersonCredit
) -> None:
    pool = SchoolCreditFactory(
        school=credit.school_person.school,
        ean="9789011234566",
        amount=4,
        returned=4,
        **this_year(),
        **sent(),
    )

    page = page_of(manager, why_url(credit.school_person.person_id, ean=pool.ean))

    assert verdict_in(page) == "school_credit_empty"
    assert f"/schoolcredit/{pool.pk}/change/#id_amount" in page


def test_an_explained_code_of_a_publisher_stands_there_in_words(
    manager: Client, credit: PersonCredit
) -> None:
    faulty = {"specification_state": "Fault", "publisher_error_code": 117}
    PersonCredit.objects.update(**faulty)
    page = page_of(manager, url_of(credit))
    assert verdict_in(page) == "publisher_fault_unknown"
    assert "/publishercode/add/?code=117" in page

    words = {"title_nl": "Uitverkocht bij de uitgever", "cause_nl": "C.", "remedy_nl": "R."}
    PublisherCode.objects.create(code=117, **words)

    page = page_of(manager, url_of(credit))
    assert verdict_in(page) == "publisher_fault"
    assert "uitverkocht bij de uitgever" in page
