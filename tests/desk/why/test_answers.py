"""The page that answers why a pupil has no access: verdict, proof, and whom it is about."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.why_views import why_url
from backoffice.outbox.models import Attempt, PushState
from credits.models import PersonCredit
from notifications.models import Notification
from persons.models import Person, SchoolPerson
from persons.services import queue_person_push
from tests.desk.why.conftest import EAN, page_of, sent, this_year, url_of, verdict_in
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db


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
