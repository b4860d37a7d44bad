"""Who comes near to what was typed when nobody fits: a typing error in a name, address or number.

Every question has an index, so that it also holds with a million persons. PostgreSQL has trigrams
for surnames (`has_trigrams`); elsewhere they must begin as they should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from typing import Final

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from backoffice.outbox.models import PushState
from persons.duplicate_models import folded
from persons.models import Person, SchoolPerson

CANDIDATES: Final = 400  # read and compared
SURNAMES: Final = 5_000  # different ones with the same beginning
KEPT: Final = 40  # surnames of those that are looked at
ALIKE: Final = 0.68  # `Brge` is 0.75 of `Berg`, `Jansen` 0.5 of `Hansma`
ALIKE_ADDRESS: Final = 0.7
LONGEST_NUMBER: Final = 20
LONGEST_ADDRESS: Final = 60
IN_ADDRESSES: Final = "abcdefghijklmnopqrstuvwxyz0123456789.-_@"
DIGITS: Final = "0123456789"
INDEX: Final = "person_near_surname"  # made by the migration where the database has trigrams


class _Alike(Func):
    """The operator that an index of trigrams serves."""

    template = "%(expressions)s"
    arg_joiner = " %% "
    output_field = BooleanField()


def persons_near(typed: str, limit: int) -> list[Person]:
    """The persons who come nearest, the best first; nobody when nothing is alike."""
    if "@" in typed:
        asked = typed.lower()
        return _nearest(
            _by_address(asked), asked, lambda one: [one.email_key], ALIKE_ADDRESS, limit
        )
    if " " not in typed and any(sign.isdigit() for sign in typed):
        return _by_number(typed, limit)
    asked = folded(typed)
    words = [word for word in typed.split() if len(word) > 2]
    return _nearest(_by_name(asked, words), asked, _names, ALIKE, limit) if words else []


def has_trigrams() -> bool:
    """Whether this database compares by trigrams: PostgreSQL with its extension, and the index."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s)", [INDEX])
        return cursor.fetchone()[0] is not None


def _kept() -> QuerySet[Person]:
    return Person.objects.exclude(push_state=PushState.DELETED)


def _by_name(asked: str, words: list[str]) -> Iterable[Person]:
    """Surnames first, because each stands once in their index however many have it."""
    begins = Q()
    with_trigrams = has_trigrams()
    for word in words:
        begins |= Q(surname__in=_moved(word))
        if with_trigrams:
            begins |= Q(_Alike(F("surname"), Value(word)))
            continue
        for start in dict.fromkeys(word[0] + sign for sign in word[1:5]):
            begins |= _range("surname", start.title()) | _range("surname", start.lower())
    rows = _kept().filter(begins).order_by().values_list("surname", flat=True).distinct()
    alike = sorted(rows[:SURNAMES], key=lambda name: -max(_ratio(w, name) for w in words))[:KEPT]
    named = Q(surname__in=alike)
    first = _range("first_name", words[0][0].upper())
    found = {one.pk: one for one in _kept().filter(named & first)[:CANDIDATES]}
    found |= {one.pk: one for one in _kept().filter(named)[:CANDIDATES]}
    # A wrong surname beside a right first name: by the whole name, which begins with that.
    whole = Q(date_of_birth__isnull=False) & _range("name_key", asked[:4])
    found |= {one.pk: one for one in _kept().filter(whole).order_by("name_key")[:CANDIDATES]}
    return found.values()


def _ratio(word: str, name: str) -> float:
    return SequenceMatcher(None, word.lower(), name.lower()).ratio()


def _range(column: str, start: str) -> Q:
    """Begins with this, written so that a plain index serves it."""
    return Q(**{f"{column}__gte": start, f"{column}__lt": start[:-1] + chr(ord(start[-1]) + 1)})


def _by_address(asked: str) -> Iterable[Person]:
    """One sign wrong, missing or too many, two changed about, or another address behind the `@`.

    Written out: by trigrams all addresses of one provider are alike.
    """
    if len(asked) > LONGEST_ADDRESS:
        return ()
    local, _at, _domain = asked.partition("@")
    near = Q(email_key__in=list(dict.fromkeys(_misread(asked, IN_ADDRESSES))))
    if local:
        near |= _range("email_key", f"{local}@")
    return _kept().exclude(email_key="").filter(near)[:CANDIDATES]


def _by_number(typed: str, limit: int) -> list[Person]:
    """Numbers with two digits changed about, one wrong, one missing or one too many."""
    if len(typed) > LONGEST_NUMBER:
        return []
    near = list(dict.fromkeys(_misread(typed.upper(), DIGITS)))
    places = SchoolPerson.objects.filter(school_student_number__in=near)
    here = places.exclude(push_state=PushState.DELETED).values_list("person", flat=True)
    whose = Q(distributor_person_id__in=near) | Q(pk__in=list(here[:CANDIDATES]))
    rows = list(_kept().filter(whose).prefetch_related("school_persons__school")[:CANDIDATES])
    order = {number: at for at, number in enumerate(near)}

    def nearness(person: Person) -> tuple[int, int]:
        return min(order.get(number.upper(), len(near)) for number in _numbers(person)), person.pk

    return sorted(rows, key=nearness)[:limit]


def _misread(typed: str, signs: str) -> Iterator[str]:
    """With one mistake in these signs; the likeliest first: two neighbours changed about."""
    mistaken = [at for at, sign in enumerate(typed) if sign in signs]
    for at in range(len(typed) - 1):
        if typed[at] != typed[at + 1]:
            yield typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :]
    for at in mistaken:
        for sign in signs:
            if sign != typed[at]:
                yield typed[:at] + sign + typed[at + 1 :]
    for at in mistaken:
        yield typed[:at] + typed[at + 1 :]
    for at in range(len(typed) + 1):
        for sign in signs:
            yield typed[:at] + sign + typed[at:]


def _moved(word: str) -> set[str]:
    """With one letter in another place; trigrams do not see that in a short name."""
    found = set()
    for at, letter in enumerate(word[:LONGEST_NUMBER]):
        rest = word[:at] + word[at + 1 :]
        found |= {(rest[:to] + letter + rest[to:]).title() for to in range(len(word))}
    return found


def _numbers(person: Person) -> list[str]:
    places = person.school_persons.all()
    return [person.distributor_person_id, *(place.school_student_number for place in places)]


def _names(person: Person) -> list[str]:
    return [person.name_key, folded(person.surname), folded(person.preposition, person.surname)]


def _nearest(
    rows: Iterable[Person],
    asked: str,
    names: Callable[[Person], list[str]],
    least: float,
    limit: int,
) -> list[Person]:
    scored = []
    for person in rows:
        best = max(SequenceMatcher(None, asked, name).ratio() for name in names(person))
        if best >= least:
            scored.append((-best, person.pk))
    best_first = [pk for _best, pk in sorted(scored)[:limit]]
    found = Person.objects.prefetch_related("school_persons__school").in_bulk(best_first)
    return [found[pk] for pk in best_first]
