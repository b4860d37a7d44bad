"""How credits are sent by the lot."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.queueing import Wanted
from backoffice.jobs.registry import Described
from backoffice.outbox.models import PushState
from backoffice.outbox.pushable import SENDABLE
from credits.bulk import person_credit_pushes, school_credit_pushes
from credits.models import Credit, PersonCredit, Product, SchoolCredit
from credits.plans import person_credit_steps, school_credit_steps
from persons.plans import Step
from persons.pushing import CheckedPusher


def sendable_credits(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Not equal to Edu-iX; or equal and failed at the publisher, who then tries once more."""
    return rows.filter(
        Q(push_state__in=SENDABLE)
        | Q(
            push_state=PushState.IN_SYNC,
            specification_state=Credit.SpecificationState.FAULT,
        )
    )


class PersonCreditPusher(CheckedPusher):
    """Credits of persons, behind what Edu-iX lacks of the person and the link to the school."""

    kind = "person_credit"
    model = PersonCredit
    title = _("Send credits of persons")
    label = "distributor_person_credit_id"
    right = "credits.push_personcredit"
    related = ("school_person__person", "school_person__school")

    def sendable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return sendable_credits(rows)

    def steps(self, row: PersonCredit) -> list[Step]:
        return person_credit_steps(row)

    def wanted(self, pks: Collection[int]) -> list[Wanted]:
        return person_credit_pushes(PersonCredit.objects.filter(pk__in=pks).order_by("pk"))

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        rows = PersonCredit.objects.filter(pk__in=pks).select_related("school_person__person")
        titles = _titles(row.ean for row in rows)
        return {
            row.pk: Described(
                row.school_person.person.full_name,
                f"{titles.get(row.ean, row.ean)} · {row.distributor_person_credit_id}",
            )
            for row in rows
        }


class SchoolCreditPusher(CheckedPusher):
    """Credits of schools."""

    kind = "school_credit"
    model = SchoolCredit
    title = _("Send credits of schools")
    label = "distributor_school_credit_id"
    right = "credits.push_schoolcredit"
    related = ("school",)

    def sendable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return sendable_credits(rows)

    def steps(self, row: SchoolCredit) -> list[Step]:
        return school_credit_steps(row)

    def wanted(self, pks: Collection[int]) -> list[Wanted]:
        return school_credit_pushes(SchoolCredit.objects.filter(pk__in=pks).order_by("pk"))

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        rows = SchoolCredit.objects.filter(pk__in=pks).select_related("school")
        titles = _titles(row.ean for row in rows)
        return {
            row.pk: Described(
                row.school.name,
                f"{titles.get(row.ean, row.ean)} · {row.distributor_school_credit_id}",
            )
            for row in rows
        }


def _titles(eans: Any) -> dict[str, str]:
    return dict(Product.objects.filter(ean__in=set(eans)).values_list("ean", "title"))


PUSHERS = (PersonCreditPusher(), SchoolCreditPusher())
