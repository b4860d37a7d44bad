"""How a return reaches Edu-iX: returnCredit, done once, and asked for when an answer is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.eduix.codes import INCORRECT_REQUEST
from backoffice.eduix.errors import ALREADY_EXISTS, EduixRefused
from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import SchoolCreditInformation
from backoffice.outbox.models import Message, Pushable, PushState, subject_pk
from backoffice.outbox.push import GONE, ActionSender, Differs, StillOurs
from credits.history import not_made, write_reason
from credits.models import CreditReturn, PersonCredit, SchoolCredit

RETURNED: Final = PersonCredit.ProductState.RETURNED.value
MORE_THAN_IS_LEFT: Final = "amount"


class CreditReturnPush(ActionSender):
    """returnCredit with the reference of the return, the same for all its tries.

    A school credit is asked for before the first try, so that a lost answer can be settled: what
    Edu-iX counts afterwards tells whether ours is among it. It is asked for after the try too: a
    return that Edu-iX had taken before, which an older backup does not know, counts once.
    """

    operation = "credit_return.push"
    model: ClassVar[type[Pushable]] = CreditReturn

    def prepare(self, message: Message) -> CreditReturn | None:
        """None when there is nothing left to give back, or a colleague gave the return up."""
        back = (
            CreditReturn.objects.open()
            .select_related("person_credit", "school_credit")
            .filter(pk=subject_pk(message.subject))
            .first()
        )
        if back is None or _is_returned(back.person_credit):
            return None
        return back

    def send(
        self, message: Message, prepared: CreditReturn, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        if prepared.school_credit is not None and prepared.returned_before is None:
            still_ours()
            self._note_before(prepared, prepared.school_credit, gateway)
        try:
            super().send(message, prepared, gateway, still_ours)
            if prepared.school_credit is not None:
                still_ours()
                self._note_after(prepared, prepared.school_credit, gateway)
        except EduixRefused as refused:
            # 4: the reference was used, so an earlier try arrived. 6: a person credit that was
            # given back in another way has nothing left. After a doubt any refusal may mean that
            # an earlier try reached Edu-iX only after we had asked.
            settles = refused.number in ALREADY_EXISTS or (
                refused.number == INCORRECT_REQUEST and prepared.person_credit is not None
            )
            if not (settles or message.ask_first):
                raise
            still_ours()
            if not self.has_arrived(prepared, gateway):
                raise

    def has_arrived(self, prepared: CreditReturn, gateway: Gateway) -> bool:
        if prepared.person_credit is not None:
            found = gateway.get_person_credit(
                distributor_person_credit_id=prepared.person_credit.distributor_person_credit_id
            )
            if found is None:
                raise Differs([GONE])
            return found.credit.person_product_state == RETURNED
        assert prepared.school_credit is not None  # noqa: S101  a constraint of the table holds it
        now_returned = _ask(prepared.school_credit, gateway).returned
        before = prepared.returned_before or 0
        if now_returned >= before + prepared.amount:
            return True
        if now_returned == before:
            return False
        raise Differs(["returned"])

    def act(self, prepared: CreditReturn, gateway: Gateway) -> None:
        if prepared.person_credit is not None:
            gateway.return_person_credit(
                distributor_person_credit_id=prepared.person_credit.distributor_person_credit_id,
                reference=prepared.reference,
            )
            return
        assert prepared.school_credit is not None  # noqa: S101  a constraint of the table holds it
        gateway.return_school_credit(
            distributor_school_credit_id=prepared.school_credit.distributor_school_credit_id,
            amount=prepared.amount,
            reference=prepared.reference,
        )

    def accepted(self, rows: QuerySet[Any], now: datetime) -> None:
        backs = list(rows.select_related("person_credit", "school_credit"))
        persons = [back.person_credit_id for back in backs if back.person_credit_id]
        person_credits = PersonCredit.objects.filter(pk__in=persons)
        person_credits.update(person_product_state=RETURNED)
        person_credits.refresh_statuses()
        for back in backs:
            if back.school_credit is not None:
                _count(back, back.school_credit)
        with override("nl"):  # everybody reads the history, whoever's answer it was
            for back in backs:
                write_reason(
                    credits=[back.credit],
                    reason=_("Given back (%(amount)d): %(reason)s")
                    % {"amount": back.amount, "reason": back.reason},
                    user=back.created_by,
                    now=now,
                )

    def taken_back(self, subject: str, now: datetime) -> None:
        """Given up: the credit stays as it is, and may be given back anew."""
        _withdraw(CreditReturn.objects.filter(pk=subject_pk(subject)), now)

    def taken_back_together(self, subjects: Sequence[str], now: datetime) -> None:
        """Those of a stopped job; each credit's history says so in the name of who asked."""
        backs = CreditReturn.objects.filter(pk__in=[subject_pk(one) for one in subjects])
        _withdraw(backs, now)
        asked: dict[tuple[str, Any], list[Any]] = defaultdict(list)
        related = backs.select_related("person_credit", "school_credit", "created_by")
        for back in related.exclude(person_credit=None):
            asked[back.reason, back.created_by].append(back.person_credit)
        for (reason, user), credits in asked.items():
            write_reason(credits=credits, reason=not_made(reason), user=user, now=now)

    def _note_before(self, back: CreditReturn, credit: SchoolCredit, gateway: Gateway) -> None:
        """Keep what Edu-iX counts before the first try; raises `Differs` when too little is left.

        No code exists for a return above what is left (contract 2.3), so nothing is risked.
        """
        found = _ask(credit, gateway)
        if found.returned + back.amount > found.credit.amount:
            raise Differs([MORE_THAN_IS_LEFT])
        CreditReturn.objects.filter(pk=back.pk).update(returned_before=found.returned)
        back.returned_before = found.returned

    def _note_after(self, back: CreditReturn, credit: SchoolCredit, gateway: Gateway) -> None:
        """Make what was counted before the first try true when this return was among it."""
        before = max(0, _ask(credit, gateway).returned - back.amount)
        if back.returned_before is not None and before < back.returned_before:
            CreditReturn.objects.filter(pk=back.pk).update(returned_before=before)


def _withdraw(backs: QuerySet[CreditReturn], now: datetime) -> None:
    backs.update(
        push_state=PushState.LOCAL_ONLY,
        push_code=None,
        push_text="",
        push_changed_at=now,
        withdrawn_at=now,
    )


def _is_returned(credit: PersonCredit | None) -> bool:
    return credit is not None and credit.person_product_state == RETURNED


def _ask(credit: SchoolCredit, gateway: Gateway) -> SchoolCreditInformation:
    """What Edu-iX holds, its count of returned ones taken over; raises `Differs` when nothing."""
    found = gateway.get_school_credit(
        distributor_school_credit_id=credit.distributor_school_credit_id
    )
    if found is None:
        raise Differs([GONE])
    rows = SchoolCredit.objects.filter(pk=credit.pk)
    with transaction.atomic():
        if rows.exclude(returned=found.returned).update(returned=found.returned):
            rows.refresh_statuses()
    return found


def _count(back: CreditReturn, credit: SchoolCredit) -> None:
    """Raise what a school gave back; never below what Edu-iX told meanwhile."""
    rows = SchoolCredit.objects.filter(pk=credit.pk)
    rows.update(returned=Greatest("returned", (back.returned_before or 0) + back.amount))
    rows.refresh_statuses()


RETURN_SENDERS = (CreditReturnPush(),)
