"""Schools, persons, and persons at a school, as Edu-iX knows them (Profile 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from simple_history.models import HistoricalRecords

from backoffice.eduix.records import SchoolRecord
from backoffice.outbox.models import Pushable
from persons.change_models import PersonChange
from persons.duplicate_models import NotADuplicate, name_key
from persons.preflight import validate_as_partner

__all__ = ["NotADuplicate", "Person", "PersonChange", "School", "SchoolPerson"]

# A number is one person's; what is deleted frees it, and its row stays for the history.
NOT_DELETED = ~Q(push_state="deleted")


class SchoolQuerySet(models.QuerySet["School"]):
    """The office's words about schools."""

    def store(self, record: SchoolRecord, *, at: datetime) -> School:
        """Keep a school as Edu-iX tells it; our own columns stay."""
        columns = record.pushed() | {"fetched_at": at}
        school, created = self.get_or_create(
            organisation_id=record.organisation_id, defaults=columns
        )
        if not created:
            self.filter(pk=school.pk).update(**columns)
            school.refresh_from_db()
        return school


class School(models.Model):
    """A school as Edu-iX knows it; only fetched, because the service has no write for it."""

    organisation_id = models.CharField(_("school ID"), max_length=160)
    name = models.CharField(_("name"), max_length=50)
    address = models.CharField(_("street"), max_length=50, blank=True)
    house_number = models.BigIntegerField(
        _("house number"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    house_number_suffix = models.CharField(_("suffix"), max_length=10, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    city = models.CharField(_("city"), max_length=50, blank=True)
    country_code = CountryField(_("country"), default="NL")
    brin = models.CharField(_("BRIN"), max_length=6, blank=True)
    fetched_at = models.DateTimeField(_("last fetched"), null=True, blank=True)
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account manager"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="schools",
    )
    contact_name = models.CharField(_("contact person"), max_length=100, blank=True)
    contact_email = models.EmailField(_("e-mail of the contact"), max_length=254, blank=True)
    contact_phone = models.CharField(_("phone of the contact"), max_length=30, blank=True)

    history = HistoricalRecords(excluded_fields=["fetched_at"])
    objects = SchoolQuerySet.as_manager()

    class Meta:
        verbose_name = _("school")
        verbose_name_plural = _("schools")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organisation_id"], name="school_organisation_id")
        ]

    def __str__(self) -> str:
        return self.name or self.organisation_id


class Person(Pushable):
    """A pupil or teacher; the distributor's own key is `distributor_person_id`."""

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (
        *Pushable.MACHINE_FIELDS,
        "profile_id",
        "user_id",
        "user_id_changed_at",
        "name_key",
        "email_key",
    )

    PARTNER_OBJECT: ClassVar[str] = "person"
    PARTNER_FIELDS: ClassVar[Mapping[str, str]] = {}

    class State(models.TextChoices):
        ACTIVE = "A", _("Active (A)")
        BLOCKED = "B", _("Blocked (B)")

    class Gender(models.TextChoices):
        MALE = "M", _("Male")
        FEMALE = "F", _("Female")
        UNSPECIFIED = "U", _("Unspecified")

    distributor_person_id = models.CharField(_("customer number"), max_length=256)
    profile_id = models.BigIntegerField(_("profile ID of Edu-iX"), null=True, blank=True)
    first_name = models.CharField(_("first name"), max_length=50)
    preposition = models.CharField(_("preposition"), max_length=15, blank=True)
    surname = models.CharField(_("surname"), max_length=50)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    gender = models.CharField(_("gender"), max_length=1, choices=Gender, blank=True)
    person_state = models.CharField(_("state"), max_length=1, choices=State, default=State.ACTIVE)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)  # the service checks no form
    postal_code = models.CharField(_("postal code"), max_length=10)
    house_number = models.BigIntegerField(
        _("house number"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    country_code = CountryField(_("country"), default="NL")
    user_id = models.CharField(_("user ID in the portal"), max_length=256, blank=True)
    user_id_changed_at = models.DateTimeField(_("prematch since"), null=True, blank=True)
    eck_id = models.CharField(_("ECK iD"), max_length=256, blank=True)
    # Computed by the database, so that no way of writing a person can forget it.
    name_key = models.GeneratedField(
        expression=name_key("first_name", "preposition", "surname"),
        output_field=models.CharField(max_length=120),
        db_persist=True,
    )
    # A column and no index on LOWER(email): PostgreSQL keeps no numbers of such an expression in a
    # partial index, and read the whole table for one address.
    email_key = models.GeneratedField(
        expression=Lower("email"), output_field=models.CharField(max_length=254), db_persist=True
    )

    history = HistoricalRecords(
        excluded_fields=list(MACHINE_FIELDS),
        history_change_reason_field=models.TextField(null=True),
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        permissions = [("push_person", "Can push person to Edu-iX")]
        ordering = ["surname", "first_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor_person_id"], condition=NOT_DELETED, name="person_key"
            )
        ]
        indexes = [
            # files and notifications name a person by number; the constraint's index is a part
            models.Index(fields=["distributor_person_id"], name="person_by_key"),
            # the list, in the order people read it
            models.Index(fields=["surname", "first_name", "id"], name="person_by_name"),
            # what is not equal to Edu-iX: the list filter and the work lists
            models.Index(
                fields=["push_state", "id"],
                condition=~Q(push_state="in_sync"),
                name="person_not_in_sync",
            ),
            # who else has this name and birth date
            models.Index(
                fields=["name_key", "date_of_birth"],
                condition=Q(date_of_birth__isnull=False),
                name="person_name_key",
            ),
            # who else has this e-mail address
            models.Index(fields=["email_key"], condition=~Q(email_key=""), name="person_email_key"),
            # a pasted ECK iD or user ID finds its person
            models.Index(fields=["eck_id"], condition=~Q(eck_id=""), name="person_eck_id"),
            models.Index(fields=["user_id"], condition=~Q(user_id=""), name="person_user_id"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """First name, preposition and surname, as one says them."""
        return " ".join(filter(None, (self.first_name, self.preposition, self.surname)))

    @property
    def is_recognisable(self) -> bool:
        """A publisher can recognise this person: prematched, or an ECK iD makes that needless."""
        return bool(self.user_id or self.eck_id)

    @property
    def is_link_undone(self) -> bool:
        """The school had linked this person, and a publisher recognises nobody any more."""
        return self.user_id_changed_at is not None and not self.is_recognisable

    def clean(self) -> None:
        super().clean()
        _refuse_taken(self, "distributor_person_id")
        validate_as_partner(self)


class SchoolPerson(Pushable):
    """A person at a school, with a role; a credit hangs on this."""

    PARTNER_OBJECT: ClassVar[str] = "schoolperson"
    PARTNER_FIELDS: ClassVar[Mapping[str, str]] = {
        "organisation_id": "school.organisation_id",
        "distributor_person_id": "person.distributor_person_id",
    }

    class Role(models.TextChoices):
        STUDENT = "Student", _("Student")
        TEACHER = "Teacher", _("Teacher")

    distributor_school_person_id = models.CharField(_("school person number"), max_length=256)
    person = models.ForeignKey(
        Person, verbose_name=_("person"), on_delete=models.PROTECT, related_name="school_persons"
    )
    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="school_persons"
    )
    school_student_number = models.CharField(_("student number"), max_length=64, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.STUDENT)

    history = HistoricalRecords(
        excluded_fields=list(Pushable.MACHINE_FIELDS),
        history_change_reason_field=models.TextField(null=True),
    )

    class Meta:
        verbose_name = _("person at a school")
        verbose_name_plural = _("persons at schools")
        permissions = [("push_schoolperson", "Can push person at a school to Edu-iX")]
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor_school_person_id"],
                condition=NOT_DELETED,
                name="school_person_key",
            )
        ]
        indexes = [
            # files name a person at a school by number; the constraint's index is a part
            models.Index(fields=["distributor_school_person_id"], name="school_person_by_key"),
            # what is not equal to Edu-iX
            models.Index(
                fields=["push_state", "id"],
                condition=~Q(push_state="in_sync"),
                name="school_person_not_in_sync",
            ),
            # a school names a pupil by student number
            models.Index(
                fields=["school_student_number"],
                condition=~Q(school_student_number=""),
                name="school_person_student_number",
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(
            filter(None, (str(self.person), self.school_student_number, str(self.school)))
        )

    def clean(self) -> None:
        super().clean()
        _refuse_taken(self, "distributor_school_person_id")
        validate_as_partner(self)


def _refuse_taken(row: Person | SchoolPerson, field: str) -> None:
    """Raise `ValidationError` for a number that somebody has, or is about to get.

    Django itself skips a constraint whose condition is about a column that the form lacks.
    """
    key = getattr(row, field)
    others = type(row)._default_manager.filter(NOT_DELETED, **{field: key}).exclude(pk=row.pk)
    if others.exists():
        raise ValidationError({field: row.unique_error_message(type(row), (field,))})
    if isinstance(row, Person):
        promised = PersonChange.objects.open().filter(kind="rename", to_key=key)
        if promised.exclude(person=row.pk).exists():
            raise ValidationError({field: _("This number is being given to somebody else.")})
