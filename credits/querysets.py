"""Questions about many credits."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models, transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When

from backoffice.outbox.models import PushState
from credits.status import CALENDAR_FREE, FAULT, FROM_PUSH_STATE, SPECIFIED, CreditStatus
from persons.models import SchoolPerson

if TYPE_CHECKING:
    from credits.models import Credit

_Credit = TypeVar("_Credit", bound="Credit")


class CreditQuerySet(models.QuerySet[_Credit]):
    """The office's words about credits."""

    def on(self, today: date) -> CreditQuerySet[Any]:
        """With `shown_status`: the stored status seen with the calendar of `today`.

        Empty for a deleted row, which has none.
        """
        as_stored = ["", *(status.value for status in CALENDAR_FREE)]
        return self.annotate(
            shown_status=Case(
                When(status__in=as_stored, then=F("status")),
                When(credit_end_date__lt=today, then=Value(CreditStatus.EXPIRED.value)),
                When(
                    Q(status=CreditStatus.USABLE) & Q(credit_start_date__gt=today),
                    then=Value(CreditStatus.NOT_YET_USABLE.value),
                ),
                default=F("status"),
                output_field=models.CharField(),
            )
        )

    def with_status(self, status: str, today: date) -> CreditQuerySet[_Credit]:
        """Those a colleague sees with this status today."""
        return self.on(today).filter(shown_status=status)

    def with_title(self) -> CreditQuerySet[Any]:
        """With `title` and `publisher` of the book; empty where nobody gave the EAN a title."""
        from credits.models import Product

        product: Any = Product.objects.filter(ean=OuterRef("ean"))
        return self.annotate(
            title=Subquery(product.values("title")[:1]),
            publisher=Subquery(product.values("publisher")[:1]),
        )

    def refresh_statuses(self) -> int:
        """Recompute the stored `status` from the facts; returns the number of rows.

        The rule of `credits.status.stored_status` in SQL; a test holds the two together. A deleted
        row has none: the column is empty, so no list or count by status finds it.
        """
        pushing = [
            When(push_state=state.value, then=Value(status.value))
            for state, status in FROM_PUSH_STATE.items()
        ]
        unrecognised, undone = [], []
        if self._is_of_persons:
            returned = Q(person_product_state="Returned")
            known = SchoolPerson.objects.exclude(person__user_id="", person__eck_id="")
            unlinked = SchoolPerson.objects.filter(
                person__user_id="", person__eck_id="", person__user_id_changed_at__isnull=False
            )
            undone = [
                When(
                    Q(school_person__in=unlinked.values("pk")),
                    then=Value(CreditStatus.WAITING_FOR_PREMATCH.value),
                )
            ]
            unrecognised = [
                When(
                    Q(specification_state="") & ~Q(school_person__in=known.values("pk")),
                    then=Value(CreditStatus.WAITING_FOR_PREMATCH.value),
                )
            ]
        else:
            returned = Q(returned__gte=F("amount"))
        rows = self.model._default_manager.filter(pk__in=self.order_by().values("pk"))
        return rows.update(
            status=Case(
                When(push_state=PushState.DELETED, then=Value("")),
                When(returned, then=Value(CreditStatus.RETURNED.value)),
                *pushing,
                When(specification_state=FAULT, then=Value(CreditStatus.PUBLISHER_FAULT.value)),
                *undone,
                When(specification_state=SPECIFIED, then=Value(CreditStatus.USABLE.value)),
                # the default is for a word that only a later version has, too
                *unrecognised,
                default=Value(CreditStatus.WAITING_FOR_PUBLISHER.value),
            )
        )

    def record_specification(
        self,
        *,
        state: str,
        state_date: date | None,
        code: int | None,
        response_id: str,
        at: datetime,
        product_state: str = "",
        specified: int | None = None,
    ) -> None:
        """Take over what Edu-iX tells about the publisher's side; machine columns, no history."""
        columns: dict[str, Any] = {
            "specification_state": state,
            "specification_state_date": state_date if state else None,
            "publisher_error_code": code,
            "publisher_response_id": response_id,
            "specification_changed_at": at,
        }
        if self._is_of_persons and product_state:
            columns["person_product_state"] = product_state
        if not self._is_of_persons and specified is not None:
            columns["specified"] = specified
        with transaction.atomic():
            self.update(**columns)
            self.refresh_statuses()

    @property
    def _is_of_persons(self) -> bool:
        return self.model._meta.model_name == "personcredit"
