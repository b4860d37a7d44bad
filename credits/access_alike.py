"""Other persons who may be this pupil, and may hold the book that this one lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q, Window
from django.db.models.functions import RowNumber

from backoffice.outbox.models import PushState
from credits.models import PersonCredit
from persons.duplicates import KINDS, Kind, key_in, sharing
from persons.models import NotADuplicate, Person

TWINS: Final = 20  # look-alikes that are looked at; a shared address of a school has more
READ: Final = 60  # of one name or address: room for those of whom was said that they are two


def look_alikes(persons: Sequence[Person]) -> dict[int, list[int]]:
    """The pks of others who may be each of these, the oldest first; three queries for all.

    Not those of whom a colleague has said that they are two.
    """
    found: dict[int, set[int]] = defaultdict(set)
    for kind in KINDS:
        keys = {person.pk: key for person in persons if (key := key_in(kind, person))}
        sharers = _sharers(kind, set(keys.values()))
        for pk, key in keys.items():
            others = set(sharers.get(key, ())) - {pk}
            if others:
                found[pk] |= others
    said = _said_of(found)
    return {pk: sorted(others - said[pk])[:TWINS] for pk, others in found.items()}


def _sharers(kind: Kind, keys: Collection[Any]) -> dict[Any, list[int]]:
    """Who has each of these names or addresses; never more than `READ` of one."""
    if not keys:
        return {}
    columns = ("email_key",) if kind == "email" else ("name_key", "date_of_birth")
    number = Window(RowNumber(), partition_by=list(columns), order_by="pk")
    rows = sharing(kind, keys).order_by().annotate(number=number).filter(number__lte=READ)
    found: dict[Any, list[int]] = defaultdict(list)
    for pk, *key in rows.values_list("pk", *columns):
        found[key[0] if kind == "email" else tuple(key)].append(pk)
    return found


def _said_of(pks: Iterable[int]) -> Mapping[int, set[int]]:
    """Of whom a colleague has said that they are somebody else."""
    found: dict[int, set[int]] = defaultdict(set)
    keys = list(pks)
    if keys:
        rows = NotADuplicate.objects.filter(Q(first__in=keys) | Q(second__in=keys))
        for first, second in rows.values_list("first", "second"):
            found[first].add(second)
            found[second].add(first)
    return found


def twins_of(alike: Mapping[int, Sequence[int]], ean: str) -> dict[int, Person]:
    """For each pupil the first look-alike who holds this book, or any when none is asked for."""
    asked = {pk for others in alike.values() for pk in others}
    if not asked:
        return {}
    held = PersonCredit.objects.filter(school_person__person__in=asked)
    if ean:
        held = held.filter(ean=ean)
    holders = set(
        held.exclude(push_state=PushState.DELETED)
        .exclude(person_product_state=PersonCredit.ProductState.RETURNED)
        .order_by()
        .values_list("school_person__person", flat=True)
        .distinct()
    )
    first = {pk: next((one for one in others if one in holders), 0) for pk, others in alike.items()}
    persons = Person.objects.in_bulk(set(first.values()) - {0})
    return {pk: persons[twin] for pk, twin in first.items() if twin}
