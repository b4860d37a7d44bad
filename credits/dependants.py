"""The credits that hang on a person at a school, for the wizards of persons."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from backoffice.outbox.models import PushState, key_of
from backoffice.screens.admin import cells_of
from credits.columns import edit_url, lay_statuses, status_pill, title_of
from credits.models import PersonCredit
from persons.dependants import Dependant

# These leave, or have left, for Edu-iX.
LEAVING: Final = (PushState.QUEUED, PushState.SENDING, PushState.UNCERTAIN)


def credits_on(school_person_ids: Collection[int]) -> list[Dependant]:
    """The credits of these persons at schools, newest first."""
    found = (
        PersonCredit.objects.filter(school_person__in=school_person_ids)
        .exclude(push_state=PushState.DELETED)
        .with_title()
        .select_related("school_person__person", "school_person__school")
        .order_by("-school_year", "-pk")
    )
    credits = list(found)
    lay_statuses(credits, today=timezone.localdate())
    return [
        Dependant(
            subject=key_of("person_credit", credit.pk),
            school_person_id=credit.school_person_id,
            key=credit.distributor_person_credit_id,
            title=title_of(credit),
            pill=status_pill(cells_of(credit)["status"]),
            url=edit_url(credit),
            is_held=credit.registered_at is not None or credit.push_state in LEAVING,
            is_ended=credit.person_product_state == PersonCredit.ProductState.RETURNED,
            end_url=_return_url(credit),
        )
        for credit in credits
    ]


def _return_url(credit: PersonCredit) -> str:
    try:
        return reverse("admin:credits_personcredit_return", args=[credit.pk])
    except NoReverseMatch:
        return edit_url(credit)


def remove_credits(school_person_ids: Collection[int], now: datetime) -> None:
    """Mark the credits of deleted persons at schools deleted; the rows stay."""
    credits = PersonCredit.objects.filter(school_person__in=school_person_ids)
    with transaction.atomic():
        credits.update(
            push_state=PushState.DELETED, push_code=None, push_text="", push_changed_at=now
        )
        credits.refresh_statuses()
