"""Reasons in the history of credits, also where no column of theirs is changed by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from credits.models import PersonCredit, SchoolCredit

REASON_LENGTH: Final = 100  # of `history_change_reason`


def write_reason(
    *,
    credits: Sequence[PersonCredit | SchoolCredit],
    reason: str,
    user: AbstractBaseUser | None,
    now: datetime,
) -> None:
    """Add a line to the history of these credits (all of one kind); the rows stay as they are."""
    if not credits:
        return
    history = type(credits[0]).history
    history.bulk_history_create(
        credits,
        update=True,
        default_user=user,
        default_change_reason=reason[:REASON_LENGTH],
        default_date=now,
    )


def not_made(reason: str) -> str:
    """The line of a credit that is not given back after all."""
    with override("nl"):  # everybody reads the history, whoever took the return back
        return _("Return not made after all: %(reason)s") % {"reason": reason}
