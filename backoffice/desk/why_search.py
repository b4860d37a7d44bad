"""Whom, which book, which day and which school somebody means who asks why there is no access."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.outbox.models import PushState
from backoffice.screens.search import ean_of, every_word, spaced_ean
from credits.models import PersonCredit, Product, SchoolCredit
from credits.search import products_matching
from persons.duplicate_models import folded
from persons.models import Person, School, SchoolPerson
from persons.near import persons_near
from persons.search import NAME_FIELDS, schools_matching

LONGEST: Final = 300
SHOWN: Final = 20
NEAR: Final = 5
FURTHEST: Final = timedelta(days=730)

ISO_DAY: Final = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", re.ASCII)
DUTCH_DAY: Final = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b", re.ASCII)


@dataclass(frozen=True)
class Found:
    """Who fits what was typed: one, several to choose from, or nobody with those that come near."""

    persons: tuple[Person, ...] = ()
    near: tuple[Person, ...] = ()
    is_cut: bool = False
    problem: str = ""
    ask_key: str = ""  # what looks like a number that Edu-iX may know

    @property
    def one(self) -> Person | None:
        """The only one that fits."""
        return self.persons[0] if len(self.persons) == 1 else None


def _book_titled(typed: str) -> str:
    """The title of the book whose EAN was typed where a person is asked."""
    ean = ean_of(typed)
    if not ean:
        return ""
    return Product.objects.filter(ean=ean).values_list("title", flat=True).first() or ""


def find_persons(text: str, *, school: School | None = None) -> Found:
    """By any number, key or address in full, or by name, with the date of birth if need be."""
    typed = " ".join(text.split())
    if not typed:
        return Found(problem=_("Type a name, a number or an e-mail address."))
    if len(typed) > LONGEST:
        return Found(problem=_("That is too long for a name or a number; type only that."))
    found = _by_key(typed) or _by_name(typed)
    here = _at(found, school) if school is not None and len(found) > 1 else found
    if here:
        return Found(tuple(here[:SHOWN]), is_cut=len(here) > SHOWN)
    if title := _book_titled(typed):
        return Found(
            problem=_(
                "That is the number of a book, “%(title)s”. Type it at Book, and the pupil at Who."
            )
            % {"title": title}
        )
    return Found(
        near=tuple(persons_near(date_in(typed)[1], NEAR)),
        problem=_("Nobody here has this name or number."),
        ask_key=typed if " " not in typed and "@" not in typed else "",
    )


def kept() -> QuerySet[Person]:
    """Everybody who is still with us."""
    return Person.objects.exclude(push_state=PushState.DELETED)


def _by_key(typed: str) -> list[Person]:
    """One small query for each kind of key; a number may be several things at once."""
    pks = set(kept().filter(distributor_person_id__in={typed, typed.upper()}).values_list("pk"))
    if len(typed) > 3:
        pks |= set(kept().filter(user_id=typed).values_list("pk"))
        pks |= set(kept().filter(eck_id=typed).values_list("pk"))
    places = SchoolPerson.objects.exclude(push_state=PushState.DELETED)
    pks |= set(places.filter(school_student_number=typed).values_list("person"))
    pks |= set(places.filter(distributor_school_person_id=typed).values_list("person"))
    credits = PersonCredit.objects.filter(distributor_person_credit_id=typed)
    pks |= set(credits.values_list("school_person__person"))
    if "@" in typed:
        pks |= set(kept().filter(email__iexact=typed).values_list("pk")[: SHOWN + 1])
    return list(_ordered(kept().filter(pk__in=[pk for (pk,) in pks])))


def _by_name(typed: str) -> list[Person]:
    born, rest = date_in(typed)
    rows = kept() if born is None else kept().filter(date_of_birth=born)
    if not rest:
        return list(_ordered(rows)[: SHOWN + 1]) if born is not None else []
    whole = list(_ordered(rows.filter(name_key=folded(rest)))[: SHOWN + 1])
    return whole or list(_ordered(rows.filter(every_word(rest, NAME_FIELDS)))[: SHOWN + 1])


def _ordered(rows: QuerySet[Person]) -> QuerySet[Person]:
    return rows.order_by("surname", "first_name", "pk").prefetch_related("school_persons__school")


def _at(persons: list[Person], school: School) -> list[Person]:
    """Those at the asked school; all when none is there, because that may be the very cause."""
    at = [one for one in persons if any(p.school_id == school.pk for p in one.school_persons.all())]
    return at or persons


def date_in(typed: str) -> tuple[date | None, str]:
    """`Sanne van den Berg 04-03-2012` is a birth date and a name."""
    for pattern, order in ((ISO_DAY, (1, 2, 3)), (DUTCH_DAY, (3, 2, 1))):
        found = pattern.search(typed)
        if found is None:
            continue
        try:
            born = date(*(int(found[part]) for part in order))
        except ValueError:
            continue
        return born, " ".join((typed[: found.start()] + typed[found.end() :]).split(" ")).strip(
            " ,"
        )
    return None, typed


def find_ean(text: str, person: Person) -> tuple[str, str]:
    """The EAN that is meant, by itself or by its title, and what is wrong with it; "" is all."""
    typed = " ".join(text.split())
    if not typed:
        return "", ""
    held = PersonCredit.objects.filter(school_person__person=person).values_list("ean", flat=True)
    if typed in held:
        return typed, ""
    digits = re.sub(r"[\s-]", "", typed)
    if digits.isascii() and digits.isdigit():
        return _known_ean(digits)
    found = list(Product.objects.filter(products_matching(typed[:LONGEST]))[: SHOWN + 1])
    mine = [one for one in found if one.ean in set(held)]
    if len(mine or found) == 1:
        return (mine or found)[0].ean, ""
    if not found:
        return "", _(
            "No book is called “%(title)s” here. These are the books of this person; an EAN of "
            "another one can be typed above."
        ) % {"title": typed[:80]}
    number = len(mine or found)
    words = ngettext(
        "%(number)d title fits “%(title)s”: choose one below, or type the EAN.",
        "%(number)d titles fit “%(title)s”: choose one below, or type the EAN.",
        number,
    )
    return "", words % {"number": number, "title": typed[:80]}


def _known_ean(digits: str) -> tuple[str, str]:
    if not ean_of(digits):
        return "", _(
            "An EAN has 13 digits and this has %(number)d. These are the books of this person."
        ) % {"number": len(digits)}
    known = (
        Product.objects.filter(ean=digits).exists()
        or PersonCredit.objects.filter(ean=digits).exists()
        or SchoolCredit.objects.filter(ean=digits).exists()
    )
    if known:
        return digits, ""
    return "", _(
        "EAN %(ean)s is not known here: nobody has a credit for it and it has no title. Check the "
        "number. These are the books of this person."
    ) % {"ean": spaced_ean(digits)}


def find_day(text: str, today: date) -> tuple[date, str]:
    """The day that is meant, else today with what is wrong."""
    typed = text.strip().lower()
    if typed in ("", "vandaag", "today"):
        return today, ""
    day, rest = date_in(typed)
    if day is None or rest:
        return today, _(
            "“%(day)s” is not a date; write a date as 21-11-2026. Today is taken instead."
        ) % {"day": typed[:40]}
    if abs(day - today) > FURTHEST:
        return today, _(
            "%(day)s is years away, and nobody knows that far. Take a day within two years; this "
            "is today."
        ) % {"day": day.strftime("%d-%m-%Y")}
    return day, ""


def find_school(text: str) -> tuple[School | None, str]:
    """The school that is meant by its ID, BRIN or name, and what is wrong with it."""
    typed = " ".join(text.split())
    if not typed:
        return None, ""
    exact = Q(organisation_id=typed) | Q(brin__iexact=typed) | Q(name__iexact=typed)
    found = list(School.objects.filter(exact)[:2])
    found = found or list(School.objects.filter(schools_matching(typed[:LONGEST]))[:2])
    if len(found) == 1:
        return found[0], ""
    if not found:
        return None, _("No school is called “%(name)s” here; it is left out.") % {
            "name": typed[:80]
        }
    return None, _(
        "More than one school fits “%(name)s”; it is left out. Write more of the name, or the "
        "school ID."
    ) % {"name": typed[:80]}
