"""Which persons somebody means who types a name, a number or a key."""

from __future__ import annotations

from django.db.models import Q

from backoffice.screens.search import every_word
from persons.models import Person, SchoolPerson

NAME_FIELDS = ("first_name", "preposition", "surname")


def persons_matching(text: str) -> Q:
    """A filter on Person for what was typed.

    Names in any order; customer number, student number, ECK iD, user ID and e-mail in full.
    """
    typed = text.strip()
    if not typed:
        return Q()
    found = every_word(typed, NAME_FIELDS)
    if " " not in typed:
        found |= Q(distributor_person_id__iexact=typed) | Q(eck_id=typed) | Q(user_id=typed)
        found |= Q(pk__in=SchoolPerson.objects.filter(_at_school(typed)).values("person"))
    if "@" in typed:
        found |= Q(email__iexact=typed)
    return found


def school_persons_matching(text: str) -> Q:
    """A filter on SchoolPerson for what was typed: the person, or the number at the school."""
    typed = text.strip()
    if not typed:
        return Q()
    persons = Person.objects.filter(persons_matching(typed)).values("pk")
    return Q(person__in=persons) | _at_school(typed)


def _at_school(typed: str) -> Q:
    return Q(school_student_number=typed) | Q(distributor_school_person_id__iexact=typed)


def schools_matching(text: str) -> Q:
    """A filter on School: words of name and city; BRIN and school ID in full."""
    typed = text.strip()
    if not typed:
        return Q()
    found = every_word(typed, ("name", "city"))
    return found | Q(brin__iexact=typed) | Q(organisation_id__iexact=typed)
