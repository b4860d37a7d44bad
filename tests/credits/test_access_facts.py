"""The facts behind a verdict on access, read from real rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.access import verdict_on
from credits.access_alike import look_alikes
from credits.access_facts import Book, books_of
from credits.access_waits import usual_waits
from credits.models import PersonCredit
from credits.returns import new_reference, queue_return
from credits.services import queue_credit_push
from persons.models import Person, SchoolPerson
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 21)
EAN = "9789001234562"
OTHER = "9789006234561"
IN_SYNC: dict[str, Any] = {"push_state": PushState.IN_SYNC}


def sent(hours: float = 1) -> dict[str, Any]:
    at = timezone.now() - timedelta(hours=hours)
    return {**IN_SYNC, "push_changed_at": at, "registered_at": at}


@pytest.fixture
def place() -> SchoolPerson:
    """Sanne at Het Baken College: sent and linked."""
    person = PersonFactory(user_id="u-1", user_id_changed_at=timezone.now(), **sent())
    return SchoolPersonFactory(person=person, **sent())


def credit_at(place: SchoolPerson, **columns: Any) -> PersonCredit:
    columns = {"specification_state": "Specified", **sent(), **columns}
    return PersonCreditFactory(school_person=place, **columns)


def verdict_of(person: Person, ean: str = EAN, **asked: Any) -> str:
    (book,) = books_of(person, day=DAY, now=timezone.now(), ean=ean, **asked)
    return verdict_of_book(book)


def verdict_of_book(book: Book) -> str:
    return verdict_on(book.facts, day=DAY, now=timezone.now()).key


def test_all_in_order(place: SchoolPerson) -> None:
    credit_at(place)

    assert verdict_of(place.person) == "all_fine"


def test_the_credit_that_works_is_looked_at_not_the_one_that_was_given_back(
    place: SchoolPerson,
) -> None:
    credit_at(place)
    credit_at(place, person_product_state="Returned")
    credit_at(place, school_year=2526)

    assert verdict_of(place.person) == "all_fine"


def test_the_number_of_queries_does_not_depend_on_the_number_of_books(
    place: SchoolPerson,
) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            books_of(place.person, day=DAY, now=timezone.now())
        return len(queries)

    PublisherCode.objects.create(code=117, title_nl="Op", cause_nl="C.", remedy_nl="R.")
    credit_at(place, specification_state="")
    credit_at(place, ean=OTHER, specification_state="Fault", publisher_error_code=117)
    few = count()
    for number in range(12):
        credit_at(place, ean=f"978901123{number:04d}", specification_state="")
        code = 117 + number
        faulty = {"specification_state": "Fault", "publisher_error_code": code}
        credit_at(place, ean=f"978902023{number:04d}", **faulty)

    assert count() == few
    assert few <= 16


def test_a_message_about_another_book_holds_this_one_up_no_more(place: SchoolPerson) -> None:
    credit_at(place)
    queue_credit_push(credit=credit_at(place, ean=OTHER))
    Message.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    ServiceState.objects.create(service=SERVICE, beat_at=timezone.now())

    assert verdict_of(place.person) == "all_fine"
    assert verdict_of(place.person, OTHER) == "sending_stuck"


def test_a_sender_without_a_sign_of_life_is_named(place: SchoolPerson) -> None:
    queue_credit_push(credit=credit_at(place))
    Message.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    ServiceState.objects.create(service=SERVICE, beat_at=timezone.now() - timedelta(minutes=3))

    assert verdict_of(place.person) == "worker_gone"


def test_a_question_to_edu_ix_that_waits_holds_nothing_up(place: SchoolPerson) -> None:
    from credits.services import queue_credit_fetch

    queue_credit_fetch(credit=credit_at(place))
    Message.objects.update(asked_at=timezone.now() - timedelta(hours=1))

    assert verdict_of(place.person) == "all_fine"


def test_a_pupil_who_moved_and_left_one_book_behind(place: SchoolPerson) -> None:
    newer = SchoolPersonFactory(person=place.person, **sent())
    credit_at(place)
    credit_at(newer, ean=OTHER)

    assert verdict_of(place.person) == "at_another_school"

    credit_at(newer)

    assert verdict_of(place.person) == "all_fine"


def test_a_pupil_at_two_schools_with_books_at_both_has_not_moved(place: SchoolPerson) -> None:
    newer = SchoolPersonFactory(person=place.person, **sent())
    credit_at(place)
    credit_at(place, ean="9789011234566")
    credit_at(newer, ean=OTHER)

    assert verdict_of(place.person) == "all_fine"


def test_a_pupil_who_is_not_at_the_asked_school(place: SchoolPerson) -> None:
    credit_at(place)
    asked = SchoolFactory().organisation_id

    assert verdict_of(place.person, organisation_id=asked) == "at_another_school"
    here = place.school.organisation_id
    assert verdict_of(place.person, organisation_id=here) == "all_fine"


def test_a_second_account_that_has_the_book(place: SchoolPerson) -> None:
    credit_at(place)
    alone = PersonFactory(**sent())
    SchoolPersonFactory(person=alone, **sent())

    assert look_alikes([alone]) == {alone.pk: [place.person_id]}
    assert verdict_of(alone) == "duplicate_holds_it"

    PersonCredit.objects.update(person_product_state="Returned")

    assert verdict_of(alone) != "duplicate_holds_it"


def test_a_licence_of_the_school_counts_for_who_has_none_of_their_own(
    place: SchoolPerson,
) -> None:
    pool = SchoolCreditFactory(
        school=place.school, amount=4, specification_state="Specified", **sent()
    )

    assert verdict_of(place.person) == "all_fine"

    type(pool).objects.update(returned=4)

    assert verdict_of(place.person) == "school_credit_empty"


def test_the_licences_of_the_school_are_shown_to_who_has_no_books(place: SchoolPerson) -> None:
    SchoolCreditFactory(school=place.school, **sent())
    SchoolCreditFactory(school=place.school, ean=OTHER, **sent())

    books = books_of(place.person, day=DAY, now=timezone.now())

    assert {book.ean for book in books} == {EAN, OTHER}


def test_books_of_last_year_are_left_out_while_there_are_newer_ones(place: SchoolPerson) -> None:
    old = {"credit_start_date": date(2025, 8, 1), "credit_end_date": date(2026, 7, 31)}
    credit_at(place, ean=OTHER, school_year=2526, **old)

    assert [one.ean for one in books_of(place.person, day=DAY, now=timezone.now())] == [OTHER]

    credit_at(place)

    assert [one.ean for one in books_of(place.person, day=DAY, now=timezone.now())] == [EAN]


def test_somebody_without_anything_still_gets_a_verdict() -> None:
    person = PersonFactory(date_of_birth=None, email="", **sent())

    (book,) = books_of(person, day=DAY, now=timezone.now())

    assert (book.ean, verdict_of_book(book)) == ("", "school_person_missing")


def test_titles_stand_beside_their_books(place: SchoolPerson) -> None:
    ProductFactory()
    credit_at(place)

    (book,) = books_of(place.person, day=DAY, now=timezone.now())

    assert (book.title, book.publisher) == ("Getal & Ruimte 2 vwo", "Uitgeverij Noorderlicht")


def test_how_long_a_publisher_takes_is_learned_from_its_answers(place: SchoolPerson) -> None:
    at = timezone.now() - timedelta(days=3)
    Person.objects.update(user_id_changed_at=at - timedelta(days=1))
    for minutes in (1, 2, 3, 4, 50):
        credit = credit_at(place)
        answered = at + timedelta(minutes=minutes)
        rows = PersonCredit.objects.filter(pk=credit.pk)
        rows.update(push_changed_at=at, specification_changed_at=answered)
    credit_at(place, ean=OTHER)

    assert usual_waits({EAN, OTHER}) == {EAN: timedelta(minutes=3)}

    Person.objects.update(user_id_changed_at=at + timedelta(minutes=1))

    assert usual_waits({EAN}) == {}


def test_a_return_that_is_under_way_is_told_as_sending(place: SchoolPerson) -> None:
    credit = credit_at(place)
    queue_return(credit=credit, reference=new_reference(), reason="Retour")

    assert verdict_of(place.person) == "all_fine"  # until Edu-iX has taken it
