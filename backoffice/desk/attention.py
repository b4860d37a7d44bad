"""Which credits a colleague must look at, said once for the menu, the home page and its links."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db.models import Q

from backoffice.outbox.models import PushState
from credits.status import CreditStatus

# Refused, or held up by something that was: nothing happens until somebody acts.
STUCK: Final = (CreditStatus.REFUSED, CreditStatus.WAITING)


def needs_attention(today: date) -> Q:
    """Credits that stand still on our side or the publisher's.

    The status is the stored one, so that the index on it serves; an expired credit with a fault of
    its publisher is nobody's work any more (`credits.status.status_on`).
    """
    return Q(status__in=STUCK) & is_kept() | has_publisher_fault(today)


def has_publisher_fault(today: date) -> Q:
    """Credits that a publisher refused."""
    return Q(status=CreditStatus.PUBLISHER_FAULT) & is_kept() & still_counts(today)


def waits_for_school(today: date) -> Q:
    """Credits whose pupil the school has not linked yet."""
    return Q(status=CreditStatus.WAITING_FOR_PREMATCH) & is_kept() & still_counts(today)


def is_kept() -> Q:
    """Not deleted; such a row stays, and its stored status means nothing."""
    return ~Q(push_state=PushState.DELETED)


def still_counts(today: date) -> Q:
    """Not expired on this day."""
    return Q(credit_end_date__isnull=True) | Q(credit_end_date__gte=today)
