"""Giving credits back: what may be given back, and asking for it.

Nothing changes with us before Edu-iX has taken the return (`return_senders.py`).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.outbox.again import take_back
from backoffice.outbox.models import Message, PushState, key_of
from backoffice.outbox.pushable import BULK_FROM, in_chunks
from backoffice.outbox.services import enqueue, lock_chain
from credits.history import not_made, write_reason
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.services import AnyCredit, chain_of_credit, kind_of
from persons.services import chain_of, show_queued

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.utils.functional import _StrOrPromise

OPERATION: Final = "credit_return.push"


class WhyNot(StrEnum):
    """What stands in the way of giving a credit back."""

    DELETED = "deleted"
    RETURNED = "returned"
    RETURN_OPEN = "return_open"
    NEVER_SENT = "never_sent"
    ON_ITS_WAY = "on_its_way"
    NEVER_TAKEN = "never_taken"
    CONFLICT = "conflict"
    TOO_MANY = "too_many"
    NO_NUMBER = "no_number"


WHY_NOT: Final[dict[WhyNot, _StrOrPromise]] = {
    WhyNot.DELETED: gettext_lazy("It was deleted."),
    WhyNot.RETURNED: gettext_lazy("It was given back already."),
    WhyNot.RETURN_OPEN: gettext_lazy("A return of it is under way already."),
    WhyNot.NEVER_SENT: gettext_lazy(
        "It is not at Edu-iX, so there is nothing to give back: delete it with us."
    ),
    WhyNot.ON_ITS_WAY: gettext_lazy(
        "It is on its way to Edu-iX for the first time: give it back when it has arrived."
    ),
    WhyNot.NEVER_TAKEN: gettext_lazy(
        "Edu-iX refused it and does not have it, so there is nothing to give back."
    ),
    WhyNot.CONFLICT: gettext_lazy(
        "Edu-iX holds something else under this number: compare first, then give it back."
    ),
    WhyNot.TOO_MANY: gettext_lazy("That is more than is left to give back."),
    WhyNot.NO_NUMBER: gettext_lazy("Give back at least 1."),
}
"""One line for a colleague: what is wrong and what to do."""

_NOT_THERE: Final[dict[str, WhyNot]] = {
    PushState.LOCAL_ONLY: WhyNot.NEVER_SENT,
    PushState.CHANGED: WhyNot.NEVER_SENT,
    PushState.REFUSED: WhyNot.NEVER_TAKEN,
}


class CannotReturn(Exception):
    """This credit, or this many of it, cannot be given back now."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(str(WHY_NOT[why]))
        self.why = why


@dataclass
class Told:
    """What became of a selection: how many returns were queued, and why others were not."""

    queued: int = 0
    skipped: Counter[WhyNot] = field(default_factory=Counter)


def new_reference() -> str:
    """32 characters; a page makes it, so that sending the page twice is one return."""
    return uuid.uuid4().hex


def open_amount(credit: AnyCredit) -> int:
    """How much is asked back and not yet taken by Edu-iX."""
    found = CreditReturn.objects.open().of(credit).aggregate(total=Sum("amount"))["total"]
    return int(found or 0)


def left_of(credit: AnyCredit) -> int:
    """What may still be given back; returns that are under way are no longer free."""
    if isinstance(credit, SchoolCredit):
        return max(0, credit.remaining - open_amount(credit))
    return 0 if _is_returned(credit) or open_amount(credit) else 1


def why_not(credit: AnyCredit, *, has_open_return: bool = False) -> WhyNot | None:
    """What stands in the way of giving any of it back; None when nothing does."""
    if credit.push_state == PushState.DELETED:
        return WhyNot.DELETED
    if _is_returned(credit):
        return WhyNot.RETURNED
    if credit.push_state == PushState.CONFLICT:
        return WhyNot.CONFLICT
    if credit.registered_at is None:
        return _NOT_THERE.get(credit.push_state, WhyNot.ON_ITS_WAY)
    if has_open_return:
        return WhyNot.RETURN_OPEN
    return None


def _is_returned(credit: AnyCredit) -> bool:
    if isinstance(credit, PersonCredit):
        return credit.person_product_state == PersonCredit.ProductState.RETURNED
    return credit.remaining <= 0


def why_not_so_many(credit: AnyCredit, amount: int) -> WhyNot | None:
    """What stands in the way of giving back this many; None when nothing does."""
    left = left_of(credit)
    why = why_not(credit, has_open_return=not left)
    if why is not None:
        return why
    if amount < 1:
        return WhyNot.NO_NUMBER
    return WhyNot.TOO_MANY if amount > left else None


def queue_return(
    *,
    credit: AnyCredit,
    reference: str,
    reason: str,
    user: AbstractBaseUser | None = None,
    amount: int = 1,
) -> CreditReturn:
    """Ask to give a credit back, or `amount` licences of a school credit.

    The same `reference` asks once, however often it is sent. Raises `CannotReturn`.
    """
    with transaction.atomic():
        # Two colleagues at the same moment: the second counts what the first has asked.
        lock_chain(chain_of_credit(credit))
        known = CreditReturn.objects.filter(reference=reference).first()
        if known is not None:
            return known
        credit = type(credit)._default_manager.get(pk=credit.pk)
        why = why_not_so_many(credit, amount)
        if why is not None:
            raise CannotReturn(why)
        back = CreditReturn.objects.create(
            reference=reference,
            reason=reason,
            amount=amount,
            created_by_id=user.pk if user is not None else None,
            **{kind_of(credit): credit},
        )
        show_queued(
            enqueue(
                operation=OPERATION,
                subject=key_of("credit_return", back.pk),
                chain=chain_of_credit(credit),
                requires=key_of(kind_of(credit), credit.pk),
                label=str(credit),
                user=user,
            )
        )
        _tell_history([back], [credit], user)
    back.refresh_from_db()
    return back


def queue_returns(
    *, pks: Sequence[int], token: str, reason: str, user: AbstractBaseUser | None = None
) -> Told:
    """Ask to give many person credits back; those that cannot be are counted by why not."""
    told = Told()
    if len(pks) > BULK_FROM:
        for chunk in in_chunks(sorted(pks)):
            _queue_chunk(chunk, token, reason, user, told)
        return told
    for credit in PersonCredit.objects.filter(pk__in=pks).select_related("school_person"):
        reference = reference_of(token, credit.pk)
        try:
            queue_return(credit=credit, reference=reference, reason=reason, user=user)
        except CannotReturn as problem:
            told.skipped[problem.why] += 1
        else:
            told.queued += 1
    return told


def reference_of(token: str, pk: int) -> str:
    """The reference of one credit of a selection, at most 64 characters."""
    return f"{token}-{pk}"


def _queue_chunk(
    pks: list[int], token: str, reason: str, user: AbstractBaseUser | None, told: Told
) -> None:
    """A lot of credits in a few queries; the rest of the outbox goes before them."""
    with transaction.atomic():
        credits = lock_credits(pks)
        problems = why_not_each(credits)
        references = {credit.pk: reference_of(token, credit.pk) for credit in credits}
        known = set(
            CreditReturn.objects.filter(reference__in=references.values()).values_list(
                "person_credit_id", flat=True
            )
        )
        due = []
        for credit in credits:
            if credit.pk in known:
                told.queued += 1
            elif credit.pk in problems:
                told.skipped[problems[credit.pk]] += 1
            else:
                due.append(credit)
        backs = make_returns(due, references, reason=reason, user=user)
    told.queued += len(backs)


def lock_credits(pks: Sequence[int]) -> list[PersonCredit]:
    """These person credits as they are now; nobody changes their chains in this transaction."""
    rows = PersonCredit.objects.filter(pk__in=pks).select_related("school_person")
    lock_chain(*{chain_of(row.school_person.person_id) for row in rows})
    return list(rows.all())


def make_returns(
    credits: Sequence[PersonCredit],
    references: Mapping[int, str],
    *,
    reason: str,
    user: AbstractBaseUser | None,
    batch: int | None = None,
) -> list[CreditReturn]:
    """Ask to give back these credits, which `lock_credits` read, under these references.

    `batch` is the job that asks, see `enqueue`.
    """
    backs = CreditReturn.objects.bulk_create(
        CreditReturn(
            reference=references[credit.pk],
            person_credit=credit,
            reason=reason,
            created_by_id=user.pk if user is not None else None,
        )
        for credit in credits
    )
    enqueue_many([_wanted(back) for back in backs], user=user, batch=batch)
    _tell_history(backs, credits, user)
    return backs


def _with_return(pks: Sequence[int]) -> set[int | None]:
    """Those of these person credits that have an open return."""
    rows = CreditReturn.objects.open().filter(person_credit__in=pks)
    return set(rows.values_list("person_credit_id", flat=True))


def why_not_each(credits: Sequence[PersonCredit]) -> dict[int, WhyNot]:
    """What stands in the way, for those of these credits that cannot be given back."""
    with_return = _with_return([credit.pk for credit in credits])
    found = {
        credit.pk: why_not(credit, has_open_return=credit.pk in with_return) for credit in credits
    }
    return {pk: why for pk, why in found.items() if why is not None}


def _wanted(back: CreditReturn) -> Wanted:
    credit = back.person_credit
    assert credit is not None  # noqa: S101  only person credits are given back by the lot
    return Wanted(
        OPERATION,
        key_of("credit_return", back.pk),
        chain_of(credit.school_person.person_id),
        str(credit),
        requires=key_of("person_credit", credit.pk),
    )


def _tell_history(
    backs: Sequence[CreditReturn], credits: Sequence[AnyCredit], user: AbstractBaseUser | None
) -> None:
    if not backs:
        return
    with override("nl"):  # everybody reads the history, whoever wrote it
        words = _("Return asked (%(amount)d): %(reason)s")
        reason = words % {"amount": backs[0].amount, "reason": backs[0].reason}
    write_reason(credits=credits, reason=reason, user=user, now=timezone.now())


def message_of(back: CreditReturn) -> Message | None:
    """The message of a return that is not finished; None when there is none."""
    subject = key_of("credit_return", back.pk)
    return Message.objects.open().filter(operation=OPERATION, subject=subject).first()


def withdraw_return(*, back: CreditReturn, user: AbstractBaseUser | None = None) -> bool:
    """Give up a return that Edu-iX did not take; False when it is too late for that.

    Afterwards it can be asked anew, e.g. with another number.
    """
    message = message_of(back)
    if message is None or not take_back(message=message):
        return False
    reason, now = not_made(back.reason), timezone.now()
    write_reason(credits=[back.credit], reason=reason, user=user, now=now)
    return True
