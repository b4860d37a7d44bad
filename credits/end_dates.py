"""Another end date for one credit or for many, with the reason in the history of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from simple_history.utils import bulk_update_with_history

from backoffice.jobs.queueing import enqueue_many
from backoffice.outbox.models import PushState
from backoffice.outbox.pushable import BULK_FROM, in_chunks
from backoffice.outbox.services import lock_chain
from credits.bulk import person_credit_pushes, school_credit_pushes
from credits.history import REASON_LENGTH
from credits.models import CreditReturn, PersonCredit
from credits.services import AnyCredit, chain_of_credit, save_credit

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.utils.functional import _StrOrPromise


class Skip(StrEnum):
    """Why a credit of a selection keeps its end date."""

    DELETED = "deleted"
    RETURNED = "returned"
    RETURN_OPEN = "return_open"
    CONFLICT = "conflict"
    BEFORE_START = "before_start"
    EQUAL = "equal"


SKIPPED: Final[dict[Skip, _StrOrPromise]] = {
    Skip.DELETED: gettext_lazy("deleted"),
    Skip.RETURNED: gettext_lazy("given back already"),
    Skip.RETURN_OPEN: gettext_lazy("a return of it is under way"),
    Skip.CONFLICT: gettext_lazy("different at Edu-iX: compare first"),
    Skip.BEFORE_START: gettext_lazy("starts after this end date"),
    Skip.EQUAL: gettext_lazy("ends on this day already"),
}


@dataclass(frozen=True)
class Line:
    """One credit of a selection; `skip` None means that it gets the new date."""

    credit: AnyCredit
    skip: Skip | None


@dataclass
class Told:
    """What became of a selection: changed, of those pushed, and the others by why."""

    changed: int = 0
    pushed: int = 0
    skipped: Counter[Skip] = field(default_factory=Counter)


def lines_of(credits: Sequence[AnyCredit], new_end: date) -> list[Line]:
    """What would become of each of these credits (all of one kind)."""
    with_return = _with_return(credits)
    return [
        Line(credit, _skip(credit, new_end, has_open_return=credit.pk in with_return))
        for credit in credits
    ]


def _with_return(credits: Sequence[AnyCredit]) -> set[Any]:
    """Person credits that are being given back; a school keeps the rest of its licences."""
    pks = [credit.pk for credit in credits if isinstance(credit, PersonCredit)]
    found = CreditReturn.objects.open().filter(person_credit__in=pks)
    return set(found.values_list("person_credit_id", flat=True))


def _skip(credit: AnyCredit, new_end: date, *, has_open_return: bool) -> Skip | None:
    is_returned = (
        credit.person_product_state == PersonCredit.ProductState.RETURNED
        if isinstance(credit, PersonCredit)
        else credit.remaining <= 0
    )
    rules = (
        (Skip.DELETED, credit.push_state == PushState.DELETED),
        (Skip.RETURNED, is_returned),
        (Skip.RETURN_OPEN, has_open_return),
        (Skip.CONFLICT, credit.push_state == PushState.CONFLICT),
        (Skip.BEFORE_START, new_end < credit.credit_start_date),
        (Skip.EQUAL, credit.credit_end_date == new_end),
    )
    return next((skip for skip, holds in rules if holds), None)


def change_end_dates(
    *,
    model: type[AnyCredit],
    pks: Sequence[int],
    new_end: date,
    reason: str,
    user: AbstractBaseUser | None = None,
) -> Told:
    """Give these credits another end date and push those that Edu-iX has or was to get.

    Asking the same twice changes nothing the second time.
    """
    told, why = Told(), reason_of(reason)
    for chunk in in_chunks(sorted(pks)):
        if len(pks) <= BULK_FROM or not _change_at_once(model, chunk, new_end, why, user, told):
            _change_each(model, chunk, new_end, why, user, told)
    return told


def reason_of(reason: str) -> str:
    """The line in the history."""
    with override("nl"):  # everybody reads the history, whoever wrote it
        return (_("End date changed: %(reason)s") % {"reason": reason})[:REASON_LENGTH]


def lock_and_read(model: type[Any], pks: Sequence[int]) -> list[Any]:
    """These credits as they are now; nobody changes their chains in this transaction."""
    lock_chain(*{chain_of_credit(credit) for credit in _rows(model, pks)})
    return list(_rows(model, pks))


def write_ends(
    credits: Sequence[Any], new_end: date, why: str, user: AbstractBaseUser | None
) -> None:
    """Write the new date (credits of one kind) with `why` in the history of each."""
    for credit in credits:
        credit.credit_end_date = new_end
    if credits:
        bulk_update_with_history(
            credits,
            type(credits[0]),
            ["credit_end_date"],
            default_user=user,
            default_change_reason=why,
            default_date=timezone.now(),
        )


def _rows(model: type[AnyCredit], pks: Sequence[int]) -> Any:
    related = "school_person" if issubclass(model, PersonCredit) else "school"
    return model._default_manager.filter(pk__in=pks).select_related(related).order_by("pk")


def _change_each(
    model: type[AnyCredit],
    pks: Sequence[int],
    new_end: date,
    why: str,
    user: AbstractBaseUser | None,
    told: Told,
) -> None:
    for found in _rows(model, pks):
        with transaction.atomic():
            lock_chain(chain_of_credit(found))
            credit = _rows(model, [found.pk]).get()
            [line] = lines_of([credit], new_end)
            if line.skip is not None:
                told.skipped[line.skip] += 1
                continue
            credit.credit_end_date = new_end
            credit._change_reason, credit._history_user = why, user
            is_there = credit.registered_at is not None
            message = save_credit(credit=credit, user=user, push=is_there)
            told.changed += 1
            told.pushed += message is not None


def _change_at_once(
    model: type[AnyCredit],
    pks: Sequence[int],
    new_end: date,
    why: str,
    user: AbstractBaseUser | None,
    told: Told,
) -> bool:
    """In a few queries; False when somebody queues one of these at this very moment."""
    try:
        with transaction.atomic():
            lines = lines_of(lock_and_read(model, pks), new_end)
            due: list[Any] = [line.credit for line in lines if line.skip is None]
            write_ends(due, new_end, why, user)
            pushed = [credit.pk for credit in due if credit.push_state != PushState.LOCAL_ONLY]
            rows = _rows(model, pushed)
            is_of_persons = issubclass(model, PersonCredit)
            enqueue_many(
                person_credit_pushes(rows) if is_of_persons else school_credit_pushes(rows),
                user=user,
            )
    except IntegrityError:
        return False
    told.changed += len(due)
    told.pushed += len(pushed)
    told.skipped.update(line.skip for line in lines if line.skip is not None)
    return True
