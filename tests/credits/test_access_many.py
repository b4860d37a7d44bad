"""What is read for a whole school at once is what is read for each pupil alone."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits import access_facts
from credits.access import school_year_of, verdict_on
from credits.access_facts import Book, books_of, books_of_many
from credits.access_pupils import plainly_fine, pupils_with_a_credit
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push
from persons.duplicates import say_not_a_duplicate
from persons.models import Person, School, SchoolPerson
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

DAY: Final = date(2026, 11, 21)
EANS: Final = [f"97890012345{number:02d}" for number in range(6)]
STATES: Final = [state.value for state in PushState]
PUPILS: Final = 60


def state_of(chance: random.Random, now: Any) -> dict[str, Any]:
    """Usually in sync; else whatever there is."""
    state = PushState.IN_SYNC.value if chance.random() < 0.8 else chance.choice(STATES)
    at = now - timedelta(hours=chance.choice([1, 3, 90]))
    code = -4967 if state == PushState.REFUSED else None
    return {
        "push_state": state,
        "push_code": code,
        "push_changed_at": at,
        "registered_at": at if chance.random() < 0.9 else None,
    }


def credit_columns(chance: random.Random, now: Any) -> dict[str, Any]:
    year, start = chance.choice([(2627, date(2026, 8, 1))] * 8 + [(2526, date(2025, 8, 1))])
    start += timedelta(days=chance.choice([0] * 9 + [200]))
    told = chance.choice(["Specified"] * 6 + ["", "", "Fault"])
    told_at = now - timedelta(minutes=chance.randint(1, 90))
    return {
        "ean": chance.choice(EANS),
        "school_year": year,
        "credit_start_date": start,
        "credit_end_date": chance.choice([None, start + timedelta(days=300), date(2027, 7, 31)]),
        "specification_state": told,
        "specification_changed_at": told_at if told else None,
        "publisher_error_code": chance.choice([117, 118, None]) if told == "Fault" else None,
        **state_of(chance, now),
    }


def a_town(seed: int) -> list[School]:
    """Three schools with pupils in every state, some twice, some at two schools."""
    chance, now = random.Random(seed), timezone.now()  # noqa: S311  no secret
    schools = [SchoolFactory() for _ in range(3)]
    PublisherCode.objects.create(code=117, title_nl="Op", cause_nl="C.", remedy_nl="R.")
    for ean in EANS[:4]:
        ProductFactory(ean=ean)
    for school in schools[:2]:
        for _ in range(3):
            SchoolCreditFactory(
                school=school, returned=chance.choice([0, 0, 30]), **credit_columns(chance, now)
            )
    for number in range(PUPILS):
        linked = chance.choice(["", "u-1", "u-1", "u-1"])
        person = PersonFactory(
            first_name=f"P{chance.randint(0, PUPILS // 2)}",
            email=f"p{chance.randint(0, PUPILS // 2)}@example.nl",
            person_state=chance.choice("AAAAAAAAAB"),
            user_id=linked,
            user_id_changed_at=now - timedelta(days=2) if chance.random() < 0.5 else None,
            eck_id=chance.choice(["", "", "", f"eck-{number}"]),
            **state_of(chance, now),
        )
        for school in chance.sample(schools, chance.choice([0, 1, 1, 1, 1, 2])):
            place = SchoolPersonFactory(person=person, school=school, **state_of(chance, now))
            for _ in range(chance.choice([0, 1, 2, 4])):
                product_state = chance.choice(["Active"] * 8 + ["Returned"])
                credit = PersonCreditFactory(
                    school_person=place,
                    person_product_state=product_state,
                    **credit_columns(chance, now),
                )
                if chance.random() < 0.1:
                    queue_credit_push(credit=credit)
    persons = list(Person.objects.all())
    for person in chance.sample(persons, 5):
        if person.push_state != PushState.DELETED:
            queue_person_push(person=person)
    say_not_a_duplicate(person=persons[0], other=persons[1], reason="family", user=None)
    Message.objects.filter(pk__in=Message.objects.values("pk")[:4]).update(
        asked_at=now - timedelta(hours=1)
    )
    ServiceState.objects.create(service=SERVICE, beat_at=now, stopped_at=now if seed % 2 else None)
    return schools


def verdict_in(book: Book, now: Any) -> str:
    return verdict_on(book.facts, day=DAY, now=now).key


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks also with few pupils."""
    monkeypatch.setattr(access_facts, "CHUNK", 7)


@pytest.mark.parametrize("seed", [1, 2])
def test_together_is_what_it_is_one_by_one(seed: int, small_chunks: None) -> None:
    a_town(seed)
    persons = list(Person.objects.order_by("pk"))
    now = timezone.now()

    together = list(books_of_many(persons, day=DAY, now=now))
    alone = [books_of(person, day=DAY, now=now) for person in persons]

    assert together == alone


def test_the_same_where_a_school_is_asked_for(small_chunks: None) -> None:
    asked = a_town(1)[1].organisation_id
    persons = list(Person.objects.order_by("pk"))
    now = timezone.now()

    together = list(books_of_many(persons, day=DAY, now=now, organisation_id=asked))

    assert together == [
        books_of(person, day=DAY, now=now, organisation_id=asked) for person in persons
    ]


def test_these_towns_have_most_troubles_that_the_demonstration_has() -> None:
    stories = json.loads((settings.BASE_DIR / "examples" / "scenarios.json").read_text())
    now = timezone.now()
    a_town(1)
    seen = {
        verdict_in(book, now)
        for books in books_of_many(Person.objects.all(), day=DAY, now=now)
        for book in books
    }

    assert len({story["verdict"] for story in stories} & seen) >= 10
    assert "all_fine" in seen
    assert len(seen) >= 18


def test_the_number_of_queries_is_that_of_the_chunks() -> None:
    def count(persons: list[Person]) -> int:
        with CaptureQueriesContext(connection) as queries:
            list(books_of_many(persons, day=DAY, now=timezone.now()))
        return len(queries)

    a_town(1)
    persons = list(Person.objects.order_by("pk"))
    few, many = count(persons[:20]), count(persons)

    assert many <= few + 1  # a kind of row that the first twenty lack
    assert many <= 16


def test_nobody_gives_nothing() -> None:
    assert list(books_of_many([], day=DAY, now=timezone.now())) == []


@pytest.mark.parametrize("seed", [1])
def test_pupils_with_a_credit_are_those_who_have_a_book(seed: int) -> None:
    """Own credits anywhere, or without any a licence of this year of one of their schools."""
    for school in a_town(seed):
        here = SchoolPerson.objects.filter(school=school).exclude(push_state=PushState.DELETED)
        present = Person.objects.filter(pk__in=here.values("person")).exclude(
            push_state=PushState.DELETED
        )
        books = books_of_many(present, day=DAY, now=timezone.now())

        expected = {found[0].person.pk for found in books if found[0].ean}

        assert {one.pk for one in pupils_with_a_credit(school, day=DAY)} == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_who_is_counted_as_plainly_fine_really_is(seed: int) -> None:
    now = timezone.now()
    for school in a_town(seed):
        pupils = pupils_with_a_credit(school, day=DAY)
        counted = plainly_fine(pupils, day=DAY)

        for books in books_of_many(pupils.filter(pk__in=counted), day=DAY, now=now):
            assert {verdict_in(book, now) for book in books} == {"all_fine"}


def test_a_pupil_whose_only_book_works_is_plainly_fine() -> None:
    now = timezone.now()
    sent = {"push_state": PushState.IN_SYNC, "push_changed_at": now, "registered_at": now}
    place = SchoolPersonFactory(person=PersonFactory(user_id="u-1", **sent), **sent)
    credit = PersonCreditFactory(school_person=place, specification_state="Specified", **sent)
    pupils = pupils_with_a_credit(place.school, day=DAY)

    assert plainly_fine(pupils, day=DAY) == {place.person_id}

    queue_credit_push(credit=credit)
    PersonCredit.objects.update(push_state=PushState.IN_SYNC)

    assert plainly_fine(pupils, day=DAY) == set()


def test_a_licence_of_another_year_is_no_credit() -> None:
    place = SchoolPersonFactory()
    licence = SchoolCreditFactory(school=place.school, school_year=2526)

    assert not pupils_with_a_credit(place.school, day=DAY).exists()

    SchoolCredit.objects.filter(pk=licence.pk).update(school_year=school_year_of(DAY))

    assert [one.pk for one in pupils_with_a_credit(place.school, day=DAY)] == [place.person_id]
