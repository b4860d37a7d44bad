"""The facts behind "why has this pupil no access?", read for one pupil or for a whole school.

The number of queries depends on neither pupils nor books: a round of them for every `CHUNK` pupils.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from django.db.models import Window
from django.db.models.functions import RowNumber

from backoffice.explanations.services import explain_publisher_faults
from backoffice.outbox.models import PushState
from credits.access import SendingFacts, school_year_of
from credits.access_alike import look_alikes, twins_of
from credits.access_books import Book, Held, Read, books_in, fault_of
from credits.access_sending import outgoing_of, service_facts
from credits.access_waits import usual_waits
from credits.models import PersonCredit, Product, SchoolCredit
from persons.models import Person, School, SchoolPerson

__all__ = ["Book", "books_of", "books_of_many"]

CHUNK: Final = 400  # pupils whose rows are in memory at one time
LICENCES: Final = 50  # books of a school that are shown for a pupil without any of their own


@dataclass
class _Asked:
    """What is the same for every pupil that is asked about; waits grow with the books met."""

    day: date
    ean: str
    organisation_id: str
    school: str
    service: SendingFacts
    waits: dict[str, timedelta] = field(default_factory=dict)
    waits_asked: set[str] = field(default_factory=set)


def books_of(
    person: Person, *, day: date, now: datetime, ean: str = "", organisation_id: str = ""
) -> list[Book]:
    """The asked book, or every book of this person that matters on this day.

    One without an EAN when there is none.
    """
    asked = _asked(day, now, ean, organisation_id)
    return next(_books_of_chunk([person], asked))


def books_of_many(
    persons: Iterable[Person], *, day: date, now: datetime, organisation_id: str = ""
) -> Iterator[list[Book]]:
    """For each person what `books_of` gives, in their order; never more than a chunk at a time."""
    asked = _asked(day, now, "", organisation_id)
    waiting = iter(persons)
    while chunk := list(islice(waiting, CHUNK)):
        yield from _books_of_chunk(chunk, asked)


def _asked(day: date, now: datetime, ean: str, organisation_id: str) -> _Asked:
    return _Asked(day, ean, organisation_id, _school_name(organisation_id), service_facts(now))


def _school_name(organisation_id: str) -> str:
    """The school that was asked for; the pupil need not be there."""
    if not organisation_id:
        return ""
    names = School.objects.filter(organisation_id=organisation_id).values_list("name", flat=True)
    return names.first() or organisation_id


def _books_of_chunk(persons: Sequence[Person], asked: _Asked) -> Iterator[list[Book]]:
    held = _held_by(persons, asked)
    read = _read_for(held, asked)
    for each in held:
        yield books_in(each, read)


def _held_by(persons: Sequence[Person], asked: _Asked) -> list[Held]:
    """Places and credits of each of these."""
    found = {person.pk: Held(person, asked.day, asked.ean) for person in persons}
    places = list(
        SchoolPerson.objects.filter(person__in=found)
        .exclude(push_state=PushState.DELETED)
        .prefetch_related("school")  # many share one; each row its own would double the work
        .order_by("pk")
    )
    for place in places:
        found[place.person_id].places.append(place)
    whose = {place.pk: place.person_id for place in places}
    own = PersonCredit.objects.filter(school_person__in=whose).exclude(push_state=PushState.DELETED)
    for credit in own.order_by("pk"):
        found[whose[credit.school_person_id]].own.append(credit)
    _add_licences([each for each in found.values() if each.needs_licences], asked)
    return [found[person.pk] for person in persons]


def _add_licences(held: Sequence[Held], asked: _Asked) -> None:
    """Licences of the pupils' schools: for the asked book, else those of this school year."""
    schools = {place.school_id for each in held for place in each.places}
    if not schools:
        return
    rows = SchoolCredit.objects.filter(school__in=schools).exclude(push_state=PushState.DELETED)
    year = {"ean": asked.ean} if asked.ean else {"school_year": school_year_of(asked.day)}
    number = Window(RowNumber(), partition_by="school", order_by="pk")
    by_school: dict[int, list[SchoolCredit]] = defaultdict(list)
    for credit in rows.filter(**year).annotate(number=number).filter(number__lte=LICENCES):
        by_school[credit.school_id].append(credit)
    for each in held:
        at = {place.school_id for place in each.places}
        mine = [credit for school in at for credit in by_school[school]]
        each.of_school = sorted(mine, key=lambda credit: credit.pk)[:LICENCES]


def _read_for(held: Sequence[Held], asked: _Asked) -> Read:
    """What books and persons need besides."""
    products = {
        row.ean: row
        for row in Product.objects.filter(ean__in={ean for each in held for ean in each.eans})
    }
    shown = [credit for each in held for credit in each.shown]
    alike = look_alikes([each.person for each in held])
    lacking = {each.person.pk for each in held if each.may_have_twin}
    return Read(
        products=products,
        faults=explain_publisher_faults(
            fault for one in shown if (fault := fault_of(one, products)) is not None
        ),
        waits=_waits({one.ean for one in shown if not one.specification_state}, asked),
        outgoing=outgoing_of(
            {each.person.pk: [one.pk for one in each.of_school] for each in held}, asked.service
        ),
        alike=alike,
        twins=twins_of({pk: alike[pk] for pk in alike.keys() & lacking}, asked.ean),
        organisation_id=asked.organisation_id,
        school=asked.school,
    )


def _waits(eans: set[str], asked: _Asked) -> dict[str, timedelta]:
    """A school has the same books in every chunk: each is asked for once."""
    asked.waits |= usual_waits(eans - asked.waits_asked)
    asked.waits_asked |= eans
    return asked.waits
