"""The facts behind "why has this pupil no access?", read by a fixed number of queries a book."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F, Q

from backoffice.explanations.services import explain
from backoffice.outbox import stops
from backoffice.outbox.models import Message, Pushable, PushState, ServiceState, key_of
from credits.access import (
    CreditFacts,
    Facts,
    PlaceFacts,
    Pushed,
    SendingFacts,
    school_year_of,
)
from credits.models import PersonCredit, Product, SchoolCredit
from credits.services import AnyCredit
from persons.models import Person, SchoolPerson
from persons.services import chain_of

EXPERIENCE: Final = 50  # answers of a publisher about a book that tell how long it usually takes
LEAST_EXPERIENCE: Final = 5
WORKER_SILENT: Final = timedelta(seconds=90)
TWINS: Final = 20  # look-alikes that are looked at; a shared address of a school has more


@dataclass(frozen=True)
class Book:
    """One thing the pupil should be able to open, with everything known about it."""

    ean: str
    title: str
    publisher: str
    credit: AnyCredit | None
    place: SchoolPerson | None
    twin: Person | None
    facts: Facts


def books_of(
    person: Person, *, day: date, now: datetime, ean: str = "", organisation_id: str = ""
) -> list[Book]:
    """The asked book, or every book of this person; one without an EAN when there is none."""
    places = list(
        SchoolPerson.objects.filter(person=person)
        .exclude(push_state=PushState.DELETED)
        .select_related("school")
        .order_by("pk")
    )
    own = list(
        PersonCredit.objects.filter(school_person__in=places, **({"ean": ean} if ean else {}))
        .exclude(push_state=PushState.DELETED)
        .order_by("pk")
    )
    of_school = _school_credits(places, ean, own)
    eans = [ean] if ean else sorted({credit.ean for credit in own}) or [""]
    titles = {row.ean: row for row in Product.objects.filter(ean__in=eans)}
    sending = sending_of(person, of_school, now)
    alike = look_alikes(person)
    return [
        _book(
            person,
            one,
            day=day,
            places=places,
            own=own,
            of_school=of_school,
            product=titles.get(one),
            sending=sending,
            alike=alike,
            organisation_id=organisation_id,
        )
        for one in eans
    ]


def _book(
    person: Person,
    ean: str,
    *,
    day: date,
    places: Sequence[SchoolPerson],
    own: Sequence[PersonCredit],
    of_school: Sequence[SchoolCredit],
    product: Product | None,
    sending: SendingFacts,
    alike: Sequence[Person],
    organisation_id: str,
) -> Book:
    publisher = product.publisher if product else ""
    credit: AnyCredit | None = _best([one for one in own if one.ean == ean], day)
    if credit is None:
        credit = _best([one for one in of_school if one.ean == ean], day)
    place = _place_of(credit, places, organisation_id)
    twin = _holder(alike, ean) if credit is None and ean else None
    is_open = credit is not None and not credit.specification_state
    asked = [one for one in places if one.school.organisation_id == organisation_id]
    facts = Facts(
        person=_pushed(person),
        places=tuple(map(_place, places)),
        place=_place(place) if place else None,
        is_at_asked_school=not organisation_id or bool(asked),
        is_linked=bool(person.user_id),
        has_eck_id=bool(person.eck_id),
        user_id_changed_at=person.user_id_changed_at,
        credit=_credit(credit, publisher, _is_elsewhere(credit, own, places, day)),
        twin=twin.full_name if twin else "",
        twin_pk=twin.pk if twin else None,
        look_alikes=len(alike),
        usual_wait=usual_wait(ean) if is_open else None,
        sending=sending,
    )
    return Book(ean, product.title if product else "", publisher, credit, place, twin, facts)


def _school_credits(
    places: Sequence[SchoolPerson], ean: str, own: Sequence[PersonCredit]
) -> list[SchoolCredit]:
    """Licences of the pupil's schools for the asked book, when the pupil has none of their own."""
    if not ean or own or not places:
        return []
    rows = SchoolCredit.objects.filter(school__in=[place.school_id for place in places], ean=ean)
    return list(rows.exclude(push_state=PushState.DELETED).order_by("pk"))


def _best(credits: Sequence[AnyCredit], day: date) -> AnyCredit | None:
    """The credit that comes nearest to giving access on this day; the newest of equals."""

    def merits(credit: AnyCredit) -> tuple[bool, bool, bool, bool, int]:
        end = credit.credit_end_date
        return (
            not _is_returned(credit),
            credit.school_year == school_year_of(day),
            credit.credit_start_date <= day and (end is None or end >= day),
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


def _is_elsewhere(
    credit: AnyCredit | None,
    own: Sequence[PersonCredit],
    places: Sequence[SchoolPerson],
    day: date,
) -> bool:
    """The pupil moved: a newer school holds every other book of this year, but not this one."""
    if not isinstance(credit, PersonCredit) or len(places) < 2:
        return False
    newest = places[-1]
    others = (
        PersonCredit.objects.filter(school_person__in=places, school_year=school_year_of(day))
        .exclude(pk=credit.pk)
        .exclude(push_state=PushState.DELETED)
        .exclude(person_product_state=PersonCredit.ProductState.RETURNED)
    )
    if credit.school_person_id == newest.pk:
        return False
    held = set(others.values_list("school_person", flat=True))
    return held == {newest.pk}


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


def _credit(credit: AnyCredit | None, publisher: str, is_elsewhere: bool) -> CreditFacts | None:
    if credit is None:
        return None
    of_school = isinstance(credit, SchoolCredit)
    code = credit.publisher_error_code
    known = code is None or explain(f"publisher:{code}", ean=credit.ean, publisher=publisher).known
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
        publisher_error_code=code,
        publisher_code_is_known=known,
        is_elsewhere=is_elsewhere,
    )


def usual_wait(ean: str) -> timedelta | None:
    """How long the publisher of this book usually takes; None without enough experience."""
    rows = (
        PersonCredit.objects.filter(ean=ean, specification_changed_at__gt=F("push_changed_at"))
        .order_by("-pk")
        .values_list("push_changed_at", "specification_changed_at")[:EXPERIENCE]
    )
    waits = [(told - sent).total_seconds() for sent, told in rows if sent and told]
    if len(waits) < LEAST_EXPERIENCE:
        return None
    return timedelta(seconds=statistics.median(waits))


def look_alikes(person: Person) -> list[Person]:
    """Other persons who may be this one: the same name and birth date, or the same e-mail."""
    same = Q()
    if person.date_of_birth is not None:
        same |= Q(
            date_of_birth=person.date_of_birth,
            surname__iexact=person.surname,
            first_name__iexact=person.first_name,
        )
    if person.email:
        same |= Q(email__iexact=person.email)
    if not same:
        return []
    others = Person.objects.filter(same).exclude(pk=person.pk)
    return list(others.exclude(push_state=PushState.DELETED).order_by("pk")[:TWINS])


def _holder(persons: Iterable[Person], ean: str) -> Person | None:
    """The first of these who holds this book."""
    by_pk = {person.pk: person for person in persons}
    held = (
        PersonCredit.objects.filter(school_person__person__in=by_pk, ean=ean)
        .exclude(push_state=PushState.DELETED)
        .exclude(person_product_state=PersonCredit.ProductState.RETURNED)
        .order_by("school_person__person", "pk")
        .values_list("school_person__person", flat=True)
    )
    first = held.first()
    return by_pk[first] if first is not None else None


def sending_of(
    person: Person, school_credits: Sequence[SchoolCredit], now: datetime
) -> SendingFacts:
    """What is still to go out for this person, and whether anything goes out at all."""
    chains = [chain_of(person.pk), *(key_of("school_credit", one.pk) for one in school_credits)]
    pending = Message.objects.filter(
        Q(status__in=Message.ACTIVE) | Q(status=Message.Status.WAITING), chain__in=chains
    ).exclude(operation__endswith=".fetch")
    oldest = pending.order_by("asked_at").values_list("asked_at", flat=True).first()
    state = ServiceState.objects.filter(service=stops.SERVICE).first()
    queue = Message.objects.active().order_by("created_at")
    if state is None:
        return SendingFacts(oldest=oldest, queue=queue.count())
    failed = state.last_failure_at
    answered = state.last_success_at
    is_down = failed is not None and (answered is None or failed > answered)
    beat = state.beat_at
    return SendingFacts(
        oldest=oldest,
        queue=queue.count(),
        queue_oldest=queue.values_list("created_at", flat=True).first(),
        login_refused_at=state.stopped_at,
        unreachable_since=failed if is_down else None,
        worker_seen_at=beat,
        worker_is_gone=beat is None or now - beat > WORKER_SILENT,
    )
