"""Which credits somebody means who types a name, a number or an EAN."""

from __future__ import annotations

from django.db.models import Q

from backoffice.screens.search import ean_of, every_word
from persons.models import School, SchoolPerson
from persons.search import school_persons_matching, schools_matching


def person_credits_matching(text: str) -> Q:
    """A filter on PersonCredit: an EAN however written, a credit number, or whose credit it is."""
    typed = text.strip()
    if not typed:
        return Q()
    ean = ean_of(typed)
    if ean:
        return Q(ean=ean)
    persons = SchoolPerson.objects.filter(school_persons_matching(typed)).values("pk")
    return Q(school_person__in=persons) | Q(distributor_person_credit_id__iexact=typed)


def school_credits_matching(text: str) -> Q:
    """A filter on SchoolCredit: an EAN, a credit number, or the school."""
    typed = text.strip()
    if not typed:
        return Q()
    ean = ean_of(typed)
    if ean:
        return Q(ean=ean)
    schools = School.objects.filter(schools_matching(typed)).values("pk")
    return Q(school__in=schools) | Q(distributor_school_credit_id__iexact=typed)


def products_matching(text: str) -> Q:
    """A filter on Product: words of title and publisher, or an EAN."""
    typed = text.strip()
    if not typed:
        return Q()
    ean = ean_of(typed)
    return Q(ean=ean) if ean else every_word(typed, ("title", "publisher", "ean"))
