"""Credits: the right to use one book, for a person or for a school (Credit 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from backoffice.outbox.models import Pushable
from credits.querysets import CreditQuerySet
from credits.status import CreditStatus
from persons.models import School, SchoolPerson
from persons.preflight import validate_as_partner


class Product(models.Model):
    """Ours alone: the title behind an EAN, because nobody on the phone says an EAN."""

    ean = models.CharField(_("EAN"), max_length=30)
    title = models.CharField(_("title"), max_length=200)
    publisher = models.CharField(_("publisher"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["ean"], name="product_ean")]

    def __str__(self) -> str:
        return self.title


class Credit(Pushable):
    """What person credits and school credits share."""

    class SpecificationState(models.TextChoices):
        SPECIFIED = "Specified", _("Specified")
        FAULT = "Fault", _("Fault")

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (
        *Pushable.MACHINE_FIELDS,
        "status",
        "specification_state",
        "specification_state_date",
        "publisher_error_code",
        "publisher_response_id",
        "specification_changed_at",
    )

    ean = models.CharField(_("EAN"), max_length=30)
    credit_start_date = models.DateField(_("start date"))
    credit_end_date = models.DateField(_("end date"), null=True, blank=True)
    school_year = models.PositiveSmallIntegerField(
        _("school year"), help_text=_("2627 stands for 2026-2027.")
    )
    status = models.CharField(
        _("status"), max_length=24, choices=CreditStatus, default=CreditStatus.NOT_SENT, blank=True
    )  # empty: deleted
    specification_state = models.CharField(
        _("specification"), max_length=20, blank=True, choices=SpecificationState
    )
    specification_state_date = models.DateField(_("specification date"), null=True, blank=True)
    specification_changed_at = models.DateTimeField(
        _("specification told at"), null=True, blank=True
    )
    publisher_error_code = models.BigIntegerField(_("publisher's code"), null=True, blank=True)
    publisher_response_id = models.CharField(_("publisher's reference"), max_length=160, blank=True)

    objects = CreditQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def school_year_label(self) -> str:
        """2627 as people write it: 2026-2027."""
        text = f"{self.school_year:04d}"
        return f"20{text[:2]}-20{text[2:]}"


class PersonCredit(Credit):
    """The right of one person to use one book."""

    PARTNER_OBJECT: ClassVar[str] = "personCredit"
    PARTNER_FIELDS: ClassVar[Mapping[str, str]] = {
        "distributor_school_person_id": "school_person.distributor_school_person_id"
    }

    class ProductState(models.TextChoices):
        ACTIVE = "Active", _("Active")
        RETURNED = "Returned", _("Returned")

    distributor_person_credit_id = models.CharField(_("credit number"), max_length=160)
    school_person = models.ForeignKey(
        SchoolPerson,
        verbose_name=_("person at a school"),
        on_delete=models.PROTECT,
        related_name="person_credits",
    )
    person_product_state = models.CharField(
        _("state"), max_length=20, choices=ProductState, default=ProductState.ACTIVE
    )

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (*Credit.MACHINE_FIELDS, "person_product_state")

    history = HistoricalRecords(excluded_fields=list(MACHINE_FIELDS))

    class Meta:
        verbose_name = _("person credit")
        verbose_name_plural = _("person credits")
        permissions = [("push_personcredit", "Can push person credit to Edu-iX")]
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor_person_credit_id"], name="person_credit_key"
            )
        ]
        indexes = [
            # chips and filters over everything that is not simply usable
            models.Index(
                fields=["status", "id"],
                condition=~Q(status="usable"),
                name="person_credit_status",
            ),
            # which pupils have this book
            models.Index(fields=["ean", "id"], name="person_credit_ean"),
            # causes: faults of one code at one EAN
            models.Index(
                fields=["publisher_error_code", "ean"],
                condition=Q(publisher_error_code__isnull=False),
                name="person_credit_publisher_code",
            ),
        ]

    def __str__(self) -> str:
        return self.distributor_person_credit_id

    def clean(self) -> None:
        super().clean()
        validate_as_partner(self)


class SchoolCredit(Credit):
    """The right of a school to let a number of people use one book."""

    PARTNER_OBJECT: ClassVar[str] = "schoolCredit"
    PARTNER_FIELDS: ClassVar[Mapping[str, str]] = {"organisation_id": "school.organisation_id"}

    distributor_school_credit_id = models.CharField(_("credit number"), max_length=160)
    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="school_credits"
    )
    contact_name = models.CharField(_("contact person"), max_length=50)
    contact_email = models.CharField(_("e-mail of the contact"), max_length=254)
    amount = models.BigIntegerField(_("amount"), validators=[MinValueValidator(1)])
    returned = models.BigIntegerField(_("returned"), default=0)
    specified = models.BigIntegerField(_("specified"), default=0)

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (*Credit.MACHINE_FIELDS, "returned", "specified")

    history = HistoricalRecords(excluded_fields=list(MACHINE_FIELDS))

    class Meta:
        verbose_name = _("school credit")
        verbose_name_plural = _("school credits")
        permissions = [("push_schoolcredit", "Can push school credit to Edu-iX")]
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor_school_credit_id"], name="school_credit_key"
            ),
            models.CheckConstraint(
                condition=Q(returned__gte=0), name="school_credit_returned_not_negative"
            ),
        ]
        indexes = [
            # chips and filters over everything that is not simply usable
            models.Index(
                fields=["status", "id"],
                condition=~Q(status="usable"),
                name="school_credit_status",
            ),
            # which schools have this book
            models.Index(fields=["ean", "id"], name="school_credit_ean"),
        ]

    def __str__(self) -> str:
        return self.distributor_school_credit_id

    @property
    def remaining(self) -> int:
        """Licences left to give back; how many pupils used one is never told to a distributor."""
        return self.amount - self.returned

    def clean(self) -> None:
        super().clean()
        validate_as_partner(self)


class CreditReturnQuerySet(models.QuerySet["CreditReturn"]):
    """The office's words about returns."""

    def open(self) -> CreditReturnQuerySet:
        """Neither done nor taken back: what it gives back is no longer free."""
        return self.filter(registered_at=None, withdrawn_at=None)

    def of(self, credit: PersonCredit | SchoolCredit) -> CreditReturnQuerySet:
        """Those of one credit, newest first."""
        column = "person_credit" if isinstance(credit, PersonCredit) else "school_credit"
        return self.filter(**{column: credit.pk}).order_by("-pk")


class CreditReturn(Pushable):
    """A credit (or part of a school credit) given back; one reference for all its tries.

    `registered_at` says when Edu-iX took it. Before that the credit itself stays as it is.
    """

    reference = models.CharField(_("reference"), max_length=64)
    person_credit = models.ForeignKey(
        PersonCredit,
        verbose_name=_("person credit"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="returns",
    )
    school_credit = models.ForeignKey(
        SchoolCredit,
        verbose_name=_("school credit"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="returns",
    )
    amount = models.BigIntegerField(_("amount"), default=1, validators=[MinValueValidator(1)])
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # Of a school credit: tells after a lost answer whether our return is among what Edu-iX counts.
    returned_before = models.BigIntegerField(
        _("returned according to Edu-iX before the first try"), null=True, blank=True
    )
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (
        *Pushable.MACHINE_FIELDS,
        "returned_before",
        "withdrawn_at",
    )

    objects = CreditReturnQuerySet.as_manager()

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-pk"]
        constraints = [
            # returnCreditReferenceId is the partner's key of the action: never used twice
            models.UniqueConstraint(fields=["reference"], name="credit_return_reference"),
            # two colleagues, one pupil: the second is told about the first
            models.UniqueConstraint(
                fields=["person_credit"],
                condition=Q(withdrawn_at=None),
                name="credit_return_one_per_person_credit",
            ),
            models.CheckConstraint(
                condition=Q(person_credit__isnull=True, school_credit__isnull=False)
                | Q(person_credit__isnull=False, school_credit__isnull=True),
                name="credit_return_of_exactly_one",
            ),
            models.CheckConstraint(condition=Q(amount__gte=1), name="credit_return_amount"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def credit(self) -> PersonCredit | SchoolCredit:
        """What is given back."""
        found = self.person_credit or self.school_credit
        assert found is not None  # noqa: S101  a constraint of the table holds it
        return found

    @property
    def is_open(self) -> bool:
        """Neither done nor taken back."""
        return self.registered_at is None and self.withdrawn_at is None
