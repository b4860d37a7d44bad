"""What was read about a pupil, as books with the facts behind each: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TypeVar

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import PublisherFault
from backoffice.outbox.models import Pushable, key_of
from credits.access import CreditFacts, Facts, PlaceFacts, Pushed, school_year_of
from credits.access_sending import Outgoing
from credits.models import PersonCredit, Product, SchoolCredit
from credits.services import AnyCredit, kind_of
from persons.models import Person, SchoolPerson

C = TypeVar("C", PersonCredit, SchoolCredit)


@dataclass(frozen=True)
class Book:
    """One thing the pupil should be able to open, with everything known about it.

    `newest` is the place where a new credit of this pupil would hang; `school` the name of the
    school that is asked for, else of that place.
    """

    ean: str
    title: str
    publisher: str
    person: Person
    credit: AnyCredit | None
    place: SchoolPerson | None
    newest: SchoolPerson | None
    school: str
    twin: Person | None
    fault: Explanation | None
    facts: Facts


@dataclass
class Held:
    """The places of one pupil, and the credits that may give access: own ones, or licences."""

    person: Person
    day: date
    ean: str = ""
    places: list[SchoolPerson] = field(default_factory=list)
    own: list[PersonCredit] = field(default_factory=list)
    of_school: list[SchoolCredit] = field(default_factory=list)

    @property
    def needs_licences(self) -> bool:
        """A school's licences matter for a pupil without a credit of their own."""
        return not any(one.ean == self.ean or not self.ean for one in self.own)

    @cached_property
    def eans(self) -> list[str]:
        """The asked book, or those that matter; one empty EAN when there is none."""
        return [self.ean] if self.ean else _eans(self.own, self.of_school, self.day)

    @cached_property
    def shown(self) -> list[AnyCredit]:
        """The credits of those books."""
        eans = set(self.eans)
        held: list[AnyCredit] = [*self.own, *self.of_school]
        return [one for one in held if one.ean in eans]

    @cached_property
    def person_facts(self) -> Pushed:
        """The person, as the chain looks at it; the same for every book."""
        return _pushed(self.person)

    @cached_property
    def place_facts(self) -> tuple[PlaceFacts, ...]:
        """Every place, as the chain looks at it."""
        return tuple(map(_place, self.places))

    @property
    def may_have_twin(self) -> bool:
        """Somebody else may hold what this pupil lacks."""
        return not any(one.ean == self.ean or not self.ean for one in self.shown)


@dataclass(frozen=True)
class Read:
    """Everything that was read, once for many pupils; `alike` and `twins` go by person."""

    products: Mapping[str, Product]
    faults: Mapping[PublisherFault, Explanation]
    waits: Mapping[str, timedelta]
    outgoing: Mapping[int, Outgoing]
    alike: Mapping[int, Sequence[int]]
    twins: Mapping[int, Person]
    organisation_id: str = ""
    school: str = ""


def books_in(held: Held, read: Read) -> list[Book]:
    """The books of one pupil, in the order of their EANs."""
    return [_book(held, read, ean) for ean in held.eans]


def _eans(own: Sequence[AnyCredit], of_school: Sequence[AnyCredit], day: date) -> list[str]:
    """The books that matter: of this school year, or valid on this day; else all there are."""
    held = [*own, *of_school]
    year = school_year_of(day)
    current = [one for one in held if one.school_year == year or _fits(one, day)]
    return sorted({one.ean for one in current or held}) or [""]


def _fits(credit: AnyCredit, day: date) -> bool:
    end = credit.credit_end_date
    return credit.credit_start_date <= day and (end is None or end >= day)


def _book(held: Held, read: Read, ean: str) -> Book:
    person, places = held.person, held.places
    product = read.products.get(ean)
    own = [one for one in held.own if one.ean == ean]
    licences = [one for one in held.of_school if one.ean == ean]
    elsewhere = {one.pk for one in own if _is_elsewhere(one, held)}
    credit: AnyCredit | None = _best(own, held.day, elsewhere)
    if credit is None:
        credit = _best(licences, held.day)
    place = _place_of(credit, places, read.organisation_id)
    twin = read.twins.get(person.pk) if credit is None else None
    fault = fault_of(credit, read.products) if credit is not None else None
    explanation = read.faults[fault] if fault is not None else None
    asked = [one for one in places if one.school.organisation_id == read.organisation_id]
    is_elsewhere = credit is not None and not asked and credit.pk in elsewhere
    is_awaited = any(not one.specification_state for one in (*own, *licences))
    newest = places[-1] if places else None
    facts = Facts(
        person=held.person_facts,
        is_blocked=person.person_state == Person.State.BLOCKED,
        places=held.place_facts,
        place=held.place_facts[places.index(place)] if place else None,
        asked_school=read.organisation_id,
        is_at_asked_school=not read.organisation_id or bool(asked),
        is_linked=bool(person.user_id),
        has_eck_id=bool(person.eck_id),
        user_id_changed_at=person.user_id_changed_at,
        credit=_credit(credit, explanation, is_elsewhere=is_elsewhere),
        twin=twin.full_name if twin else "",
        twin_pk=twin.pk if twin else None,
        look_alikes=len(read.alike.get(person.pk, ())),
        usual_wait=read.waits.get(ean) if is_awaited else None,
        sending=read.outgoing[person.pk].for_subjects(_subjects(person, place, credit)),
    )
    return Book(
        ean=ean,
        title=product.title if product else "",
        publisher=product.publisher if product else "",
        person=person,
        credit=credit,
        place=place,
        newest=asked[-1] if asked else newest,
        school=read.school or (newest.school.name if newest else ""),
        twin=twin,
        fault=explanation,
        facts=facts,
    )


def _subjects(
    person: Person, place: SchoolPerson | None, credit: AnyCredit | None
) -> Iterable[str]:
    """The rows whose messages this book depends on."""
    yield key_of("person", person.pk)
    if place is not None:
        yield key_of("schoolperson", place.pk)
    if credit is not None:
        yield key_of(kind_of(credit), credit.pk)


def _best(credits: Sequence[C], day: date, elsewhere: Collection[int] = ()) -> C | None:
    """The credit that comes nearest to giving access on this day; the newest of equals."""

    def merits(credit: C) -> tuple[bool, bool, bool, bool, bool, int]:
        return (
            not _is_returned(credit),
            credit.school_year == school_year_of(day),
            _fits(credit, day),
            credit.pk not in elsewhere,
            credit.specification_state == "Specified",
            credit.pk,
        )

    return max(credits, key=merits, default=None)


def _is_returned(credit: AnyCredit) -> bool:
    if isinstance(credit, PersonCredit):
        return credit.person_product_state == PersonCredit.ProductState.RETURNED
    return credit.remaining <= 0


def _place_of(
    credit: AnyCredit | None, places: Sequence[SchoolPerson], organisation_id: str
) -> SchoolPerson | None:
    """Where the pupil should use this book."""
    if isinstance(credit, PersonCredit):
        return next((one for one in places if one.pk == credit.school_person_id), None)
    if isinstance(credit, SchoolCredit):
        return next((one for one in places if one.school_id == credit.school_id), None)
    asked = (one for one in places if one.school.organisation_id == organisation_id)
    return next(asked, places[-1] if places else None)


def _is_elsewhere(credit: PersonCredit, held: Held) -> bool:
    """The pupil moved: the newest school holds every other book of this year, but not this one."""
    if len(held.places) < 2 or credit.school_person_id == held.places[-1].pk:
        return False
    year = school_year_of(held.day)
    holding = {
        one.school_person_id
        for one in held.own
        if one.ean != credit.ean and one.school_year == year and not _is_returned(one)
    }
    return holding == {held.places[-1].pk}


def _place(place: SchoolPerson) -> PlaceFacts:
    return PlaceFacts(
        row=_pushed(place),
        school_id=place.school_id,
        school=place.school.name,
        number=place.school_student_number,
        role=place.role,
    )


def _pushed(row: Pushable) -> Pushed:
    return Pushed(
        pk=row.pk,
        push_state=row.push_state,
        push_code=row.push_code,
        push_changed_at=row.push_changed_at,
        is_registered=row.registered_at is not None,
    )


def fault_of(credit: AnyCredit, products: Mapping[str, Product]) -> PublisherFault | None:
    """The code that a publisher gave for this credit."""
    if credit.publisher_error_code is None:
        return None
    product = products.get(credit.ean)
    publisher = product.publisher if product else ""
    return PublisherFault(credit.publisher_error_code, credit.ean, publisher)


def _credit(
    credit: AnyCredit | None, fault: Explanation | None, *, is_elsewhere: bool
) -> CreditFacts | None:
    if credit is None:
        return None
    of_school = isinstance(credit, SchoolCredit)
    return CreditFacts(
        row=_pushed(credit),
        start=credit.credit_start_date,
        end=credit.credit_end_date,
        school_year=credit.school_year,
        is_of_school=of_school,
        is_returned=not of_school and _is_returned(credit),
        remaining=credit.remaining if isinstance(credit, SchoolCredit) else None,
        specification_state=credit.specification_state,
        specified_at=credit.specification_changed_at,
        publisher_error_code=credit.publisher_error_code,
        publisher_code_is_known=fault is None or fault.known,
        is_elsewhere=is_elsewhere,
    )
