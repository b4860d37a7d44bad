"""What a colleague mends on the page "why no access?", in one press: each changes and sends.

An ordinary edit through the ordinary services, with a reason in the history.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.outbox.services import lock_chain
from credits.access import SCHOOL_YEAR_STARTS, school_year_of
from credits.history import REASON_LENGTH
from credits.models import PersonCredit
from credits.services import AnyCredit, queue_credit_push, save_credit
from persons.services import chain_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from persons.models import SchoolPerson

LAST_MONTH, LAST_DAY = SCHOOL_YEAR_STARTS - 1, 31
NUMBER_BYTES: Final = 6


class CannotMend(Exception):
    """It is not what it was when the page was shown; one line for a colleague."""


def last_day_of(day: date) -> date:
    """The last day of the school year of this day: 31 July."""
    year = day.year if day.month < SCHOOL_YEAR_STARTS else day.year + 1
    return date(year, LAST_MONTH, LAST_DAY)


def first_day_of(day: date) -> date:
    """The first day of the school year of this day: 1 August."""
    return date(last_day_of(day).year - 1, SCHOOL_YEAR_STARTS, 1)


def make_credit(
    *, place: SchoolPerson, ean: str, day: date, user: AbstractBaseUser | None
) -> PersonCredit:
    """Make and send a credit for this school year; one that is there already is sent instead.

    The number is ours to choose and short enough for Edu-iX to tell us about it.
    """
    if not ean:
        raise CannotMend(_("Choose the book first."))
    with transaction.atomic():
        lock_chain(chain_of(place.person_id))
        there = PersonCredit.objects.filter(
            school_person=place,
            ean=ean,
            school_year=school_year_of(day),
            person_product_state=PersonCredit.ProductState.ACTIVE,
        ).exclude(push_state="deleted")
        credit = there.order_by("-pk").first()
        if credit is not None:
            queue_credit_push(credit=credit, user=user)
            return credit
        credit = PersonCredit(
            distributor_person_credit_id=f"W{secrets.token_hex(NUMBER_BYTES).upper()}",
            school_person=place,
            ean=ean,
            credit_start_date=first_day_of(day),
            credit_end_date=last_day_of(day),
            school_year=school_year_of(day),
        )
        with override("nl"):
            _sign(credit, _("Made on the page “Why no access?”"), user)
        save_credit(credit=credit, user=user, push=True)
    return credit


def set_school_year(*, credit: AnyCredit, day: date, user: AbstractBaseUser | None) -> None:
    """Give the credit the school year of this day, and send it."""
    credit.school_year = school_year_of(day)
    _save(credit, user)


def extend(*, credit: AnyCredit, day: date, user: AbstractBaseUser | None) -> None:
    """Let the credit run until the end of the school year, and send it."""
    if credit.credit_end_date is None or credit.credit_end_date >= day:
        raise CannotMend(_("The end date has been changed already."))
    credit.credit_end_date = last_day_of(day)
    _save(credit, user)


def start_on(*, credit: AnyCredit, day: date, user: AbstractBaseUser | None) -> None:
    """Let the credit begin on this day, and send it."""
    if credit.credit_start_date <= day:
        raise CannotMend(_("The start date has been changed already."))
    credit.credit_start_date = day
    _save(credit, user)


def _save(credit: AnyCredit, user: AbstractBaseUser | None) -> None:
    with override("nl"):
        _sign(credit, _("Mended on the page “Why no access?”"), user)
    save_credit(credit=credit, user=user, push=True)


def _sign(credit: AnyCredit, reason: str, user: AbstractBaseUser | None) -> None:
    credit._change_reason = reason[:REASON_LENGTH]  # type: ignore[union-attr]  # simple_history's
    credit._history_user = user  # type: ignore[union-attr]
