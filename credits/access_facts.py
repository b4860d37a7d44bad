"""The facts behind "why has this pupil no access?": the same number of queries for every pupil."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import PublisherFault, explain_publisher_faults
from backoffice.outbox.models import Pushable, PushState, key_of
from credits.access import CreditFacts, Facts, PlaceFacts, Pushed, school_year_of
from credits.access_sending import Outgoing, outgoing_of
from credits.models import PersonCredit, Product, SchoolCredit
from credits.services import AnyCredit, kind_of
from persons.duplicates import open_likenesses
from persons.models import Person, School, SchoolPerson

EXPERIENCE: Final = 50  # answers of a publisher about a book that tell how long it usually takes
LEAST_EXPERIENCE: Final = 5
TWINS: Final = 20  # look-alikes that are looked at; a shared address of a school has more
LICENCES: Final = 50  # books of a school that are shown for a pupil without any of their own

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


@dataclass(frozen=True)
class _Found:
    """What is read once, for all books of a pupil."""

    person: Person
    day: date
    places: Sequence[SchoolPerson]
    own: Sequence[PersonCredit]
    of_school: Sequence[SchoolCredit]
    products: Mapping[str, Product]
    faults: Mapping[PublisherFault, Explanation]
    waits: Mapping[str, timedelta]
    outgoing: Outgoing
    alike: Sequence[Person]
    twin: Person | None
    organisation_id: str
    school: str


def books_of(
    person: Person, *, day: date, now: datetime, ean: str = "", organisation_id: str = ""
) -> list[Book]:
    """The asked book, or every book of this person that matters on this day.

    One without an EAN when there is none.
    """
    places = list(
        SchoolPerson.objects.filter(person=person)
        .exclude(push_state=PushState.DELETED)
        .select_related("school")
        .order_by("pk")
    )
    own = list(
        PersonCredit.objects.filter(school_person__in=places)
        .exclude(push_state=PushState.DELETED)
        .order_by("pk")
    )
    of_school = list(_school_credits(places, ean, day)) if _needs_licences(own, ean) else []
    eans = [ean] if ean else _eans(own, of_school, day)
    products = {row.ean: row for row in Product.objects.filter(ean__in=eans)}
    held: list[AnyCredit] = [*own, *of_school]
    shown = [one for one in held if one.ean in eans]
    alike = look_alikes(person)
    found = _Found(
        person=person,
        day=day,
        places=places,
        own=own,
        of_school=of_school,
        products=products,
        faults=explain_publisher_faults(
            fault for one in shown if (fault := _fault_of(one, products)) is not None
        ),
        waits=usual_waits({one.ean for one in shown if not one.specification_state}),
        outgoing=outgoing_of(person.pk, [one.pk for one in of_school], now),
        alike=alike,
        twin=_holder(alike, ean) if not any(one.ean == ean or not ean for one in shown) else None,
        organisation_id=organisation_id,
        school=_school_name(organisation_id),
    )
    return [_book(found, one) for one in eans]


def _school_name(organisation_id: str) -> str:
    """The school that was asked for; the pupil need not be there."""
    if not organisation_id:
        return ""
    names = School.objects.filter(organisation_id=organisation_id).values_list("name", flat=True)
    return names.first() or organisation_id


def _needs_licences(own: Sequence[PersonCredit], ean: str) -> bool:
    """A school's licences matter for a pupil without a credit of their own."""
    return not any(one.ean == ean or not ean for one in own)


def _eans(own: Sequence[AnyCredit], of_school: Sequence[AnyCredit], day: date) -> list[str]:
    """The books that matter: of this school year, or valid on this day; else all there are."""
    held = [*own, *of_school]
    year = school_year_of(day)
    current = [one for one in held if one.school_year == year or _fits(one, day)]
    return sorted({one.ean for one in current or held}) or [""]


def _fits(credit: AnyCredit, day: date) -> bool:
    end = credit.credit_end_date
    return credit.credit_start_date <= day and (end is None or end >= day)


def _book(found: _Found, ean: str) -> Book:
    product = found.products.get(ean)
    own = [one for one in found.own if one.ean == ean]
    newest = found.places[-1] if found.places else None
    elsewhere = {one.pk for one in own if _is_elsewhere(one, found)}
    credit: AnyCredit | None = _best(own, found.day, elsewhere)
    if credit is None:
        credit = _best([one for one in found.of_school if one.ean == ean], found.day)
    place = _place_of(credit, found.places, found.organisation_id)
    twin = found.twin if credit is None else None
    fault = _fault_of(credit, found.products) if credit is not None else None
    explanation = found.faults[fault] if fault is not None else None
    asked = [one for one in found.places if one.school.organisation_id == found.organisation_id]
    is_elsewhere = credit is not None and not asked and credit.pk in elsewhere
    facts = Facts(
        person=_pushed(found.person),
        is_blocked=found.person.person_state == Person.State.BLOCKED,
        places=tuple(map(_place, found.places)),
        place=_place(place) if place else None,
        asked_school=found.organisation_id,
        is_at_asked_school=not found.organisation_id or bool(asked),
        is_linked=bool(found.person.user_id),
        has_eck_id=bool(found.person.eck_id),
        user_id_changed_at=found.person.user_id_changed_at,
        credit=_credit(credit, explanation, is_elsewhere=is_elsewhere),
        twin=twin.full_name if twin else "",
        twin_pk=twin.pk if twin else None,
        look_alikes=len(found.alike),
        usual_wait=found.waits.get(ean),
        sending=found.outgoing.for_subjects(_subjects(found.person, place, credit)),
    )
    return Book(
        ean=ean,
        title=product.title if product else "",
        publisher=product.publisher if product else "",
        person=found.person,
        credit=credit,
        place=place,
        newest=asked[-1] if asked else newest,
        school=found.school or (newest.school.name if newest else ""),
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


def _school_credits(places: Sequence[SchoolPerson], ean: str, day: date) -> Iterable[SchoolCredit]:
    """Licences of the pupil's schools: for the asked book, else those of this school year."""
    if not places:
        return ()
    rows = SchoolCredit.objects.filter(school__in=[place.school_id for place in places])
    asked = {"ean": ean} if ean else {"school_year": school_year_of(day)}
    kept = rows.exclude(push_state=PushState.DELETED)
    return kept.filter(**asked).order_by("pk")[:LICENCES]


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


def _is_elsewhere(credit: PersonCredit, found: _Found) -> bool:
    """The pupil moved: the newest school holds every other book of this year, but not this one."""
    if len(found.places) < 2 or credit.school_person_id == found.places[-1].pk:
        return False
    year = school_year_of(found.day)
    held = {
        one.school_person_id
        for one in found.own
        if one.ean != credit.ean and one.school_year == year and not _is_returned(one)
    }
    return held == {found.places[-1].pk}


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


def _fault_of(credit: AnyCredit, products: Mapping[str, Product]) -> PublisherFault | None:
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


# The newest answers about one book, where nothing but the publisher was waited for. A part for
# each book: a limit over all of them would let a popular book push a rare one out.
ANSWERS: Final = f"""
select * from (
  select credit.id, credit.ean, credit.push_changed_at, credit.specification_changed_at
  from credits_personcredit credit
  join persons_schoolperson place on place.id = credit.school_person_id
  join persons_person person on person.id = place.person_id
  where credit.ean = %s and credit.specification_changed_at > credit.push_changed_at
    and (person.user_id_changed_at is null
         or person.user_id_changed_at <= credit.push_changed_at)
  order by credit.id desc limit {EXPERIENCE}
) answers
"""  # noqa: S608  the only thing put in is a number of our own


def usual_waits(eans: Collection[str]) -> dict[str, timedelta]:
    """How long publishers usually take for these books; those without enough experience miss."""
    if not eans:
        return {}
    asked = sorted(eans)
    seconds: dict[str, list[float]] = {}
    for row in PersonCredit.objects.raw(" union all ".join([ANSWERS] * len(asked)), asked):
        if row.push_changed_at is not None and row.specification_changed_at is not None:
            wait = row.specification_changed_at - row.push_changed_at
            seconds.setdefault(row.ean, []).append(wait.total_seconds())
    return {
        ean: timedelta(seconds=statistics.median(waits))
        for ean, waits in seconds.items()
        if len(waits) >= LEAST_EXPERIENCE
    }


def look_alikes(person: Person) -> list[Person]:
    """Others who may be this person; not those of whom a colleague has said that they are two."""
    return [each.other for each in open_likenesses([person]).get(person.pk, [])][:TWINS]


def _holder(persons: Iterable[Person], ean: str) -> Person | None:
    """The first of these who holds this book, or any book when none is asked for."""
    by_pk = {person.pk: person for person in persons}
    if not by_pk:
        return None
    held = PersonCredit.objects.filter(school_person__person__in=by_pk)
    if ean:
        held = held.filter(ean=ean)
    first = (
        held.exclude(push_state=PushState.DELETED)
        .exclude(person_product_state=PersonCredit.ProductState.RETURNED)
        .order_by("school_person__person", "pk")
        .values_list("school_person__person", flat=True)
        .first()
    )
    return by_pk[first] if first is not None else None
