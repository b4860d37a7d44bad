"""How credits reach Edu-iX, and how their specification comes from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditRecord,
    SchoolCreditRecord,
    SpecificationRecord,
)
from backoffice.outbox.models import Message, Pushable, subject_pk
from backoffice.outbox.push import FetchSender, PushSender, StillOurs
from credits.models import PersonCredit, SchoolCredit
from credits.return_senders import RETURN_SENDERS


def person_credit_record(credit: PersonCredit) -> PersonCreditRecord:
    """A person credit as it goes to Edu-iX."""
    return PersonCreditRecord(
        distributor_person_credit_id=credit.distributor_person_credit_id,
        distributor_school_person_id=credit.school_person.distributor_school_person_id,
        ean=credit.ean,
        credit_start_date=credit.credit_start_date,
        credit_end_date=credit.credit_end_date,
        school_year=credit.school_year,
        person_product_state=credit.person_product_state,
    )


def school_credit_record(credit: SchoolCredit) -> SchoolCreditRecord:
    """A school credit as it goes to Edu-iX."""
    return SchoolCreditRecord(
        distributor_school_credit_id=credit.distributor_school_credit_id,
        organisation_id=credit.school.organisation_id,
        ean=credit.ean,
        credit_start_date=credit.credit_start_date,
        credit_end_date=credit.credit_end_date,
        contact_name=credit.contact_name,
        contact_email=credit.contact_email,
        school_year=credit.school_year,
        amount=credit.amount,
    )


class PersonCreditPush(PushSender[PersonCreditRecord]):
    """createPersonCredit or updatePersonCredit."""

    operation = "person_credit.push"
    model: ClassVar[type[Pushable]] = PersonCredit
    record = PersonCreditRecord
    columns: ClassVar[Mapping[str, str]] = {
        "distributor_school_person_id": "school_person__distributor_school_person_id"
    }

    def rows(self) -> QuerySet[Any]:
        return PersonCredit.objects.all()

    def find(self, record: PersonCreditRecord, gateway: Gateway) -> PersonCreditRecord | None:
        found = gateway.get_person_credit(
            distributor_person_credit_id=record.distributor_person_credit_id
        )
        return found.credit if found else None

    def create(self, record: PersonCreditRecord, gateway: Gateway) -> None:
        gateway.create_person_credit(record)

    def update(self, record: PersonCreditRecord, gateway: Gateway) -> None:
        gateway.update_person_credit(record)

    def marked(self, rows: QuerySet[Any]) -> None:
        rows.refresh_statuses()  # type: ignore[attr-defined]  # CreditQuerySet's


class SchoolCreditPush(PushSender[SchoolCreditRecord]):
    """createSchoolCredit or updateSchoolCredit."""

    operation = "school_credit.push"
    model: ClassVar[type[Pushable]] = SchoolCredit
    record = SchoolCreditRecord
    columns: ClassVar[Mapping[str, str]] = {"organisation_id": "school__organisation_id"}

    def rows(self) -> QuerySet[Any]:
        return SchoolCredit.objects.all()

    def find(self, record: SchoolCreditRecord, gateway: Gateway) -> SchoolCreditRecord | None:
        found = gateway.get_school_credit(
            distributor_school_credit_id=record.distributor_school_credit_id
        )
        return found.credit if found else None

    def create(self, record: SchoolCreditRecord, gateway: Gateway) -> None:
        gateway.create_school_credit(record)

    def update(self, record: SchoolCreditRecord, gateway: Gateway) -> None:
        gateway.update_school_credit(record)

    def marked(self, rows: QuerySet[Any]) -> None:
        rows.refresh_statuses()  # type: ignore[attr-defined]  # CreditQuerySet's


class PersonCreditFetch(FetchSender):
    """getPersonCredit: state and specification are taken over."""

    operation = "person_credit.fetch"

    def send(
        self, message: Message, prepared: str, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        still_ours()
        found = gateway.get_person_credit(distributor_person_credit_id=prepared)
        credit = PersonCredit.objects.filter(pk=subject_pk(message.subject)).first()
        if found is not None and credit is not None:
            take_over_specification(credit, found.specification, found.credit.person_product_state)


class SchoolCreditFetch(FetchSender):
    """getSchoolCredit: what was returned and the specification are taken over."""

    operation = "school_credit.fetch"

    def send(
        self, message: Message, prepared: str, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        still_ours()
        found = gateway.get_school_credit(distributor_school_credit_id=prepared)
        credit = SchoolCredit.objects.filter(pk=subject_pk(message.subject)).first()
        if found is None or credit is None:
            return
        with transaction.atomic():  # the status follows both
            SchoolCredit.objects.filter(pk=credit.pk).update(returned=found.returned)
            take_over_specification(credit, found.specification, "")


def take_over_specification(
    credit: PersonCredit | SchoolCredit,
    specification: SpecificationRecord | None,
    product_state: str,
) -> None:
    """A get tells state and date but no code: the last code stays while the fault stays."""
    state = specification.specification_state if specification else ""
    is_same = state == credit.specification_state
    rows: QuerySet[Any] = type(credit)._default_manager.filter(pk=credit.pk)
    rows.record_specification(  # type: ignore[attr-defined]  # CreditQuerySet's
        state=state,
        state_date=specification.specification_state_date if specification else None,
        code=credit.publisher_error_code if is_same else None,
        response_id=credit.publisher_response_id if is_same else "",
        at=timezone.now(),
        product_state=product_state,
    )


SENDERS = (
    PersonCreditPush(),
    SchoolCreditPush(),
    PersonCreditFetch(),
    SchoolCreditFetch(),
    *RETURN_SENDERS,
)
