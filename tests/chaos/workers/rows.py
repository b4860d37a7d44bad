"""Rows and their messages, made as the pages make them: through the services."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import transaction

from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.returns import new_reference, queue_return
from credits.services import queue_credit_push, save_credit
from persons.changes import ask_merge, ask_rename
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push, save_person
from tests.outbox.conftest import SCHOOL

EAN: Final = "9789001234562"


def new_person(number: int, *, surname: str = "Berg") -> Person:
    """Not saved yet."""
    return Person(
        distributor_person_id=f"K{number:06d}",
        first_name="Sanne",
        surname=surname,
        date_of_birth=date(2012, 3, 4),
        gender="F",
        email=f"sanne{number}@example.nl",
        postal_code="3011 AB",
        house_number=12,
        country_code="NL",
    )


def new_credit(number: int, place: SchoolPerson) -> PersonCredit:
    """Not saved yet."""
    return PersonCredit(
        distributor_person_credit_id=f"C{number:06d}",
        school_person=place,
        ean=EAN,
        credit_start_date=date(2026, 8, 1),
        credit_end_date=date(2027, 7, 31),
        school_year=2627,
    )


def the_school() -> School:
    """The one that the partner knows."""
    school, _made = School.objects.get_or_create(
        organisation_id=SCHOOL["organisationID"],
        defaults={"name": SCHOOL["name"], "city": SCHOOL["city"], "country_code": "NL"},
    )
    return school


def queue_persons(first: int, count: int) -> None:
    """New persons, each with its intent, as a colleague saves them."""
    for number in range(first, first + count):
        save_person(person=new_person(number), push=True)


def queue_person_after(first: int, count: int) -> None:
    """The same as it must not be done: the intent in a transaction after that of the change."""
    for number in range(first, first + count):
        person = new_person(number)
        save_person(person=person)
        queue_person_push(person=person)


def queue_credits(first: int, count: int) -> None:
    """New persons at the school with a credit; sending the credit asks for all three."""
    school = the_school()
    for number in range(first, first + count):
        with transaction.atomic():
            person = new_person(number)
            person.save()
            place = SchoolPerson.objects.create(
                distributor_school_person_id=f"P{number:06d}",
                person=person,
                school=school,
                school_student_number=f"{20000 + number}",
                role="Student",
            )
            credit = new_credit(number, place)
            credit.save()
            queue_credit_push(credit=credit)


def queue_returns(most: int) -> None:
    """Give back the credits up to this number that Edu-iX has by now."""
    asked = CreditReturn.objects.values("person_credit")
    credits = PersonCredit.objects.filter(
        distributor_person_credit_id__lte=f"C{most:06d}", push_state="in_sync"
    )
    for credit in credits.exclude(pk__in=asked):
        queue_return(credit=credit, reference=new_reference(), reason="left")


def queue_school_credits(first: int, count: int) -> None:
    """New credits of the school, each with its intent."""
    school = the_school()
    for number in range(first, first + count):
        with transaction.atomic():
            credit = SchoolCredit.objects.create(
                distributor_school_credit_id=f"S{number:06d}",
                school=school,
                ean=EAN,
                credit_start_date=date(2026, 8, 1),
                credit_end_date=date(2027, 7, 31),
                school_year=2627,
                contact_name="Mw. De Wit",
                contact_email="boeken@example.nl",
                amount=30,
            )
            queue_credit_push(credit=credit)


def return_one_of_each(first: int, count: int) -> None:
    """Give back one licence of each of these credits of the school."""
    for number in range(first, first + count):
        credit = SchoolCredit.objects.get(distributor_school_credit_id=f"S{number:06d}")
        queue_return(credit=credit, reference=new_reference(), reason="fewer", amount=1)


def more_credits(first: int, count: int, offset: int) -> None:
    """One more credit for each of these persons, saved and sent; `offset` makes its number."""
    for number in range(first, first + count):
        place = SchoolPerson.objects.get(distributor_school_person_id=f"P{number:06d}")
        credit = new_credit(offset + number, place)
        credit.save()
        save_credit(credit=credit, push=True)


def merge_pairs(first: int, count: int, series: int) -> None:
    """Each second person is folded into the one before it.

    A credit of both is asked for before the merge, and one of the person that stays after it.
    """
    for number in range(first, first + count, 2):
        kept = Person.objects.get(distributor_person_id=f"K{number:06d}")
        gone = Person.objects.get(distributor_person_id=f"K{number + 1:06d}")
        more_credits(number, 2, series)
        ask_merge(gone=gone, kept=kept, reason="twice", user=None, token=f"merge-{number}")
        more_credits(number, 1, 2 * series)


def rename_first(first: int, count: int, series: int) -> None:
    """The first of each pair gets another number, between a credit before it and one after it."""
    for number in range(first, first + count, 2):
        person = Person.objects.get(distributor_person_id=f"K{number:06d}")
        key, token = f"N{number:06d}", f"rename-{number}"
        more_credits(number, 1, 3 * series)
        ask_rename(person=person, to_key=key, reason="new", user=None, token=token)
        more_credits(number, 1, 4 * series)
