"""Taking one notification over into our columns, by the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q

from backoffice.explanations.services import explain, note_unknown_code
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit, Product, SchoolCredit
from credits.services import queue_credit_fetch, record_specification
from notifications import reasons
from notifications.marks import is_test
from notifications.models import Flag, Notification
from notifications.piecing import Piece, together
from notifications.querysets import NotificationQuerySet
from notifications.told import (
    ToldSpecification,
    codes_of,
    told_prematch,
    told_specification,
)
from persons.models import Person
from persons.services import record_prematch

Verdict = Notification.Verdict

ASK_AGAIN_AFTER = timedelta(seconds=5)
IN_TURN_AFTER = timedelta(seconds=1)


class FetchFailed(Exception):
    """Edu-iX could not tell whether a step backwards is true; ask again later."""


@dataclass(frozen=True)
class Outcome:
    """What became of one notification.

    `due_at` with the verdict `waiting` puts it off; that is no try.
    """

    verdict: Verdict
    reason: str = ""
    flags: tuple[Flag, ...] = ()
    due_at: datetime | None = None
    question: Message | None = None


def take_over(*, notification: Notification, now: datetime) -> Outcome:
    """Apply one notification by the rules; call it in the transaction that holds its claim.

    In order of arrival per subject, and each against the row as it is then. Where the sender tells
    moments (4.3) those decide instead, for whatever they can be compared with:

    - a test of our own changes nothing;
    - the subject is not here: unmatched;
    - a later one about the same subject was applied already: superseded, because every
      notification carries the whole state;
    - an earlier one is still to be applied: put off until that is done;
    - equal to the one applied before it, and our row still says so: duplicate;
    - a step backwards, or (4.3) older than what our row says: Edu-iX is asked first. The fetch
      itself writes the truth into our row; when that agrees the notification is applied (it knows
      the publisher's code, the fetch does not), else it is superseded.
    """
    if is_test(notification.subject):
        return Outcome(Verdict.TEST)
    if notification.kind == Notification.Kind.PREMATCH_CHANGED:
        return _take_over_prematch(notification, now)
    return _take_over_specification(notification, now)


def _take_over_prematch(notification: Notification, now: datetime) -> Outcome:
    person = (
        Person.objects.select_for_update()
        .filter(distributor_person_id=notification.subject)
        .exclude(push_state=PushState.DELETED)  # its number may be somebody else's by now
        .first()
    )
    if person is None:
        return Outcome(Verdict.UNMATCHED, reasons.UNKNOWN_SUBJECT)
    told = told_prematch(notification.parsed)
    settled = _settled_by_others(notification, now)
    if settled is not None:
        return settled
    if told.holds(person) and _repeats(notification):
        return Outcome(Verdict.DUPLICATE, reasons.SAME_AGAIN)
    record_prematch(
        person=person, user_id=told.user_id, eck_id=told.eck_id, at=notification.received_at
    )
    return Outcome(Verdict.APPLIED)


def _take_over_specification(notification: Notification, now: datetime) -> Outcome:
    credit, flags = _credit_of(notification.subject)
    if credit is None:
        return Outcome(Verdict.UNMATCHED, reasons.UNKNOWN_SUBJECT)
    settled = _settled_by_others(notification, now)
    if settled is not None:
        return settled
    reading = _reading(notification, credit)
    told = reading.told
    if reading.is_outdated:
        return Outcome(Verdict.SUPERSEDED, reasons.NEWER_IS_HERE, flags)
    if reading.is_repeated and (reading.is_block or told.holds(credit)):
        return Outcome(Verdict.DUPLICATE, reasons.SAME_AGAIN, flags)
    if reading.is_block:
        _note_other_codes(notification, told, credit)
        return Outcome(Verdict.APPLIED, reasons.LICENSE_BLOCK, flags)
    question = notification.question
    if question is None and (reading.is_late or told.is_step_back(credit)):
        question = queue_credit_fetch(credit=credit)
        return Outcome(
            Verdict.WAITING, reasons.ASKED, flags, due_at=now + ASK_AGAIN_AFTER, question=question
        )
    if question is not None:
        if question.status in (*Message.ACTIVE, Message.Status.WAITING):
            return Outcome(Verdict.WAITING, reasons.ASKED, flags, now + ASK_AGAIN_AFTER, question)
        if question.status != Message.Status.DONE:
            raise FetchFailed(f"message {question.pk} is {question.status}")
        if not told.agrees(credit):
            return Outcome(Verdict.SUPERSEDED, reasons.NOT_CONFIRMED, flags)
    record_specification(
        credit=credit,
        state=told.state,
        code=told.code,
        response_id=told.response_id,
        at=reading.at,
        product_state=told.product_state,
        specified=told.specified,
    )
    _note_other_codes(notification, told, credit)
    if told.return_code is None:
        return Outcome(Verdict.APPLIED, flags=flags)
    reason = reasons.reason(reasons.RETURN_NOT_PROCESSED, told.return_code)
    return Outcome(Verdict.APPLIED, reason, flags)


@dataclass(frozen=True)
class Reading:
    """What a notification says about a credit, together with those that it adds to.

    `is_outdated`: a newer one says all of it; `is_late`: our row says something else since.
    """

    told: ToldSpecification
    at: datetime
    is_repeated: bool
    is_outdated: bool = False
    is_late: bool = False
    is_block: bool = False


def _reading(notification: Notification, credit: PersonCredit | SchoolCredit) -> Reading:
    is_school_credit = isinstance(credit, SchoolCredit)
    alone = told_specification(notification.parsed, is_school_credit=is_school_credit)
    if not notification.is_in_pieces:
        return Reading(alone, notification.received_at, _repeats(notification))
    this = Piece(notification.parsed, notification.received_at)
    others = Notification.objects.of_subject(notification).exclude(pk=notification.pk)
    whole = together(this, pieces_of(others))
    told = replace(
        told_specification(whole.parsed, is_school_credit=is_school_credit),
        return_code=alone.return_code,
    )
    changed_at = credit.specification_changed_at
    return Reading(
        told,
        whole.told_at,
        is_repeated=not whole.is_new,
        is_outdated=not whole.counts,
        is_late=changed_at is not None and whole.told_at < changed_at and not told.holds(credit),
        is_block=this.is_block,
    )


def pieces_of(notifications: NotificationQuerySet) -> list[Piece]:
    """Those of 4.3 among these that were taken over, or left to a newer one by a replay."""
    left = Q(verdict=Verdict.SUPERSEDED, reason=reasons.NEWER_REPLAYED)
    taken = notifications.filter(Q(verdict__in=Notification.SETTLED) | left).in_pieces()
    return [Piece(*row) for row in taken.values_list("parsed", "received_at")]


def _note_other_codes(
    notification: Notification, told: ToldSpecification, credit: PersonCredit | SchoolCredit
) -> None:
    """Put codes on the list of unknown ones that no column holds: of returns, of earlier entries.

    `record_specification` notes the one that the credit keeps.
    """
    codes = [code for code in codes_of(notification.parsed) if code != told.code]
    if not codes:
        return
    product = Product.objects.filter(ean=credit.ean).first()
    publisher = product.publisher if product is not None else ""
    for code in codes:
        if not explain(f"publisher:{code}", ean=credit.ean, publisher=publisher).known:
            note_unknown_code(code=code, ean=credit.ean, publisher=publisher)


def _credit_of(key: str) -> tuple[PersonCredit | SchoolCredit | None, tuple[Flag, ...]]:
    """The credit of this number, locked; both kinds may have it, then it is the person credit."""
    person_credit = (
        PersonCredit.objects.select_for_update().filter(distributor_person_credit_id=key).first()
    )
    school_credits = SchoolCredit.objects.filter(distributor_school_credit_id=key)
    if person_credit is not None:
        return person_credit, (Flag.BOTH_CREDITS,) if school_credits.exists() else ()
    return school_credits.select_for_update().first(), ()


def _settled_by_others(notification: Notification, now: datetime) -> Outcome | None:
    """What other notifications of this subject make of it; the row of the subject is locked."""
    same = Notification.objects.of_subject(notification)
    later = same.filter(pk__gt=notification.pk, verdict__in=Notification.SETTLED)
    if later.exists() and _is_older_than(notification, later):
        return Outcome(Verdict.SUPERSEDED, reasons.NEWER_IS_HERE)
    earlier = same.filter(pk__lt=notification.pk, verdict=Verdict.WAITING, question__isnull=True)
    if earlier.exists():
        return Outcome(Verdict.WAITING, reasons.IN_TURN, due_at=now + IN_TURN_AFTER)
    return None


def _is_older_than(notification: Notification, later: NotificationQuerySet) -> bool:
    """Whether one that came in later says something newer; of 4.3 that is not always so.

    4.0 tells the state of the moment at which it was sent, so that is its moment. Two of 4.3 are
    compared entry by entry, see `piecing.py`.
    """
    if later.in_full().exists():
        return True
    if notification.is_in_pieces:
        return False
    return any(
        piece.told_at >= notification.received_at
        for piece in pieces_of(later)
        if not piece.is_block
    )


def _repeats(notification: Notification) -> bool:
    """Equal to the previous applied one of the same subject: A, B, A is three events, not two."""
    previous = (
        Notification.objects.of_subject(notification)
        .filter(pk__lt=notification.pk, verdict=Verdict.APPLIED)
        .order_by("-pk")
        .values_list("parsed", flat=True)
        .first()
    )
    return previous is not None and previous == notification.parsed
