"""Whom a school's report is about, and who of them needs no look at each book."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from backoffice.outbox.models import Message, PushState
from credits.access import school_year_of
from credits.models import PersonCredit, SchoolCredit
from persons.models import Person, School, SchoolPerson
from persons.services import chain_of

AT_ONCE: Final = 500  # chains in one query
THE_PERSON: Final = OuterRef("pk")


def pupils_with_a_credit(school: School, *, day: date) -> QuerySet[Person]:
    """Everybody at this school who has a credit, so that access can be asked about.

    A credit of their own at any school; or, for who has none at all, a licence of this school
    year of one of their schools. Deleted persons, places and credits do not count.
    """
    here = _kept(SchoolPerson).filter(school=school)
    licences = _kept(SchoolCredit).filter(school_year=school_year_of(day))
    has_licence = _places().filter(school__in=licences.values("school"))
    persons: QuerySet[Person] = _kept(Person).filter(pk__in=here.values("person"))
    return persons.filter(Exists(_own()) | Exists(has_licence))


def plainly_fine(persons: QuerySet[Person], *, day: date) -> set[int]:
    """The pks of those whom the chain would find all in order, told by the database alone.

    Only the plain case: one place, everything in sync, every own credit specified and valid
    today, nothing under way. Whoever is not among them may be fine as well: the chain tells.
    """
    broken = (
        ~Q(push_state=PushState.IN_SYNC)
        | Q(person_product_state=PersonCredit.ProductState.RETURNED)
        | ~Q(school_year=school_year_of(day))
        | Q(credit_start_date__gt=day)
        | Q(credit_end_date__lt=day)
        | Q(specification_state__in=("", PersonCredit.SpecificationState.FAULT))
    )
    places: Any = _places().order_by().values("person")
    plain = (
        persons.filter(push_state=PushState.IN_SYNC)
        .exclude(person_state=Person.State.BLOCKED)
        .exclude(user_id="", eck_id="")
        .annotate(places=Subquery(places.annotate(number=Count("pk")).values("number")))
        .filter(Exists(_own()), ~Exists(_own().filter(broken)), places=1)
        .filter(~Exists(_places().exclude(push_state=PushState.IN_SYNC)))
    )
    return _without_messages(set(plain.order_by().values_list("pk", flat=True)))


def _kept(model: Any) -> Any:
    return model.objects.exclude(push_state=PushState.DELETED)


def _places() -> QuerySet[SchoolPerson]:
    found: QuerySet[SchoolPerson] = _kept(SchoolPerson).filter(person=THE_PERSON)
    return found


def _own() -> QuerySet[PersonCredit]:
    found: QuerySet[PersonCredit] = _kept(PersonCredit).filter(school_person__person=THE_PERSON)
    return found.exclude(school_person__push_state=PushState.DELETED)


def _without_messages(pks: set[int]) -> set[int]:
    """Those of whom nothing is still to go out."""
    pk_of = {chain_of(pk): pk for pk in pks}
    chains = list(pk_of)
    busy: set[str] = set()
    unfinished = Q(status__in=Message.ACTIVE) | Q(status=Message.Status.WAITING)
    for first in range(0, len(chains), AT_ONCE):
        part = chains[first : first + AT_ONCE]
        rows = Message.objects.filter(unfinished).filter(Q(chain__in=part) | Q(joins__in=part))
        for both in rows.values_list("chain", "joins"):
            busy.update(both)
    return {pk for chain, pk in pk_of.items() if chain not in busy}
