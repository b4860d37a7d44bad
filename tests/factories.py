"""Rows for tests, valid by the partner's rules unless a test says otherwise."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol, TypeVar, cast

import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from credits.models import PersonCredit, Product, SchoolCredit
from persons.models import Person, School, SchoolPerson

TODAY = date(2026, 11, 21)
T = TypeVar("T")


class Maker(Protocol[T]):
    """What a factory can do, with the type of what it makes."""

    def __call__(self, **values: Any) -> T: ...
    def create(self, **values: Any) -> T: ...
    def build(self, **values: Any) -> T: ...
    def create_batch(self, size: int, **values: Any) -> list[T]: ...


class _SchoolFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = School

    organisation_id = factory.Sequence(lambda n: f"97889c33-0000-4000-8000-{n:012d}")
    name = factory.Sequence(lambda n: f"Het Baken College {n}")
    city = "Rotterdam"
    country_code = "NL"
    brin = "35ZZ"


class _PersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Person

    distributor_person_id = factory.Sequence(lambda n: f"K{n:06d}")
    first_name = "Sanne"
    preposition = "van den"
    surname = "Berg"
    date_of_birth = date(2012, 3, 4)
    gender = "F"
    email = factory.Sequence(lambda n: f"sanne{n}@example.nl")
    postal_code = "3011 AB"
    house_number = 12
    country_code = "NL"


class _SchoolPersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SchoolPerson

    distributor_school_person_id = factory.Sequence(lambda n: f"SP{n:06d}")
    person = factory.SubFactory(_PersonFactory)
    school = factory.SubFactory(_SchoolFactory)
    school_student_number = factory.Sequence(lambda n: f"{20000 + n}")
    role = "Student"


class _PersonCreditFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PersonCredit

    distributor_person_credit_id = factory.Sequence(lambda n: f"C{n:06d}")
    school_person = factory.SubFactory(_SchoolPersonFactory)
    ean = "9789001234562"
    credit_start_date = date(2026, 8, 1)
    credit_end_date = date(2027, 7, 31)
    school_year = 2627


class _SchoolCreditFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SchoolCredit

    distributor_school_credit_id = factory.Sequence(lambda n: f"S{n:06d}")
    school = factory.SubFactory(_SchoolFactory)
    ean = "9789001234562"
    credit_start_date = date(2026, 8, 1)
    credit_end_date = date(2027, 7, 31)
    school_year = 2627
    contact_name = "Mw. De Wit"
    contact_email = "boeken@example.nl"
    amount = 30


class _ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    ean = "9789001234562"
    title = "Getal & Ruimte 2 vwo"
    publisher = "Uitgeverij Noorderlicht"


class _UserFactory(factory.django.DjangoModelFactory):
    """A colleague who may enter the admin; `groups=["Accountmanager"]` gives rights."""

    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"collega{n}")
    is_staff = True

    @factory.post_generation
    def groups(self: Any, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        if create and extracted:
            self.groups.set(Group.objects.filter(name__in=extracted))


SchoolFactory = cast(Maker[School], _SchoolFactory)
PersonFactory = cast(Maker[Person], _PersonFactory)
SchoolPersonFactory = cast(Maker[SchoolPerson], _SchoolPersonFactory)
PersonCreditFactory = cast(Maker[PersonCredit], _PersonCreditFactory)
SchoolCreditFactory = cast(Maker[SchoolCredit], _SchoolCreditFactory)
ProductFactory = cast(Maker[Product], _ProductFactory)
UserFactory = cast(Maker[User], _UserFactory)
