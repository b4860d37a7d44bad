"""Persons who may be one person, or who share what is usually one person's own.

Two causes make access fail without any fault: one pupil under two numbers, whose credits nobody
finds; and brother and sister on one e-mail address, whose credits land on one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from backoffice.outbox.models import PushState
from persons.duplicate_models import NotADuplicate
from persons.models import Person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User

Kind = Literal["name", "email"]
KINDS: Final[tuple[Kind, ...]] = ("name", "email")

MOST_READ: Final = 2_000  # of one page: an address of a whole school is no hint about anybody
MOST_SHARED: Final = 2_000  # names or addresses that a filter looks into


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another person who looks like this one; `said` when a colleague has said they are two."""

    kind: Kind
    other: Person
    said: NotADuplicate | None = None


def present() -> QuerySet[Person]:
    """Everybody who is still with us."""
    return Person.objects.exclude(push_state=PushState.DELETED)


def likenesses(persons: Sequence[Person]) -> dict[int, list[Likeness]]:
    """Who looks like each of these, by pk; three queries whatever their number.

    One person may look like another in both ways, and then stands there once, by name.
    """
    found: dict[int, dict[int, tuple[Kind, Person]]] = defaultdict(dict)
    for kind in KINDS:
        for person, other in _alike(kind, persons):
            found[person.pk].setdefault(other.pk, (kind, other))
    pairs = _said_of(found)
    return {
        pk: [
            Likeness(kind, other, pairs.get(_pair(pk, other.pk)))
            for kind, other in sorted(others.values(), key=lambda each: each[1].pk)
        ]
        for pk, others in found.items()
    }


def open_likenesses(persons: Sequence[Person]) -> dict[int, list[Likeness]]:
    """Those that nobody has said anything about yet."""
    return {
        pk: still
        for pk, found in likenesses(persons).items()
        if (still := [each for each in found if each.said is None])
    }


def _alike(kind: Kind, persons: Sequence[Person]) -> Iterator[tuple[Person, Person]]:
    by_key: dict[Any, list[Person]] = defaultdict(list)
    for person in persons:
        key = key_in(kind, person)
        if key:
            by_key[key].append(person)
    if not by_key:
        return
    # Without an order: with one and a limit PostgreSQL walks the whole table in that order.
    for other in sharing(kind, by_key).order_by()[:MOST_READ]:
        for person in by_key.get(key_in(kind, other), ()):
            if person.pk != other.pk:
                yield person, other


def key_in(kind: Kind, person: Person) -> Any:
    """What two persons share; empty when this one has nothing to share."""
    if kind == "email":
        return person.email_key
    return (person.name_key, person.date_of_birth) if person.date_of_birth else None


def sharing(kind: Kind, keys: Collection[Any]) -> QuerySet[Person]:
    """Everybody with one of these keys; each of the two has an index."""
    if kind == "email":
        # The exclusion is that of the index, which PostgreSQL would not use without it.
        return present().exclude(email_key="").filter(email_key__in=keys)
    names, days = {name for name, _day in keys}, {day for _name, day in keys}
    rows = present().filter(date_of_birth__isnull=False)
    return rows.filter(name_key__in=names, date_of_birth__in=days)


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _said_of(pks: Iterable[int]) -> dict[tuple[int, int], NotADuplicate]:
    keys = list(pks)
    if not keys:
        return {}
    rows = NotADuplicate.objects.filter(Q(first__in=keys) | Q(second__in=keys))
    return {(row.first_id, row.second_id): row for row in rows.select_related("created_by")}


def suspects(kind: Kind) -> list[int]:
    """The pks of everybody with an open likeness of one kind, for the filter of the list.

    The database counts what is shared from its index; only that is read.
    """
    # Counted from the index alone, so with the deleted, who then fall out by `sharing`.
    rows = Person.objects.filter(date_of_birth__isnull=False)
    columns: tuple[str, ...] = ("name_key", "date_of_birth")
    if kind == "email":
        rows, columns = Person.objects.exclude(email_key=""), ("email_key",)
    counted = rows.order_by().values_list(*columns).annotate(rows=Count("*")).filter(rows__gt=1)
    keys = [each[0] if kind == "email" else each[:2] for each in counted[:MOST_SHARED]]
    groups: dict[Any, list[int]] = defaultdict(list)
    for person in sharing(kind, keys).order_by() if keys else ():
        groups[key_in(kind, person)].append(person.pk)
    pairs = set(NotADuplicate.objects.values_list("first", "second"))
    return [
        pk
        for pks in groups.values()
        for pk in pks
        if any(other != pk and _pair(pk, other) not in pairs for other in pks)
    ]


def say_not_a_duplicate(
    *, person: Person, other: Person, reason: str, user: AbstractBaseUser | None
) -> NotADuplicate:
    """Remember that these are two; raises `ValueError` for a person and itself."""
    if person.pk == other.pk:
        raise ValueError("a person is no duplicate of itself")
    first, second = _pair(person.pk, other.pk)
    with transaction.atomic():
        row, _created = NotADuplicate.objects.update_or_create(
            first_id=first,
            second_id=second,
            defaults={"reason": NotADuplicate.Reason(reason), "created_by": cast("User", user)},
        )
    return row


def show_again(*, person: Person, other: Person) -> bool:
    """Take that back: the hint returns. False when nobody had said it."""
    first, second = _pair(person.pk, other.pk)
    deleted, _by_model = NotADuplicate.objects.filter(first=first, second=second).delete()
    return bool(deleted)
