"""Taking one notification over into our columns, by the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backoffice.explanations.services import explain, note_unknown_code
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit, Product, SchoolCredit
from credits.services import queue_credit_fetch, record_specification
from notifications import reasons
from notifications.models import Flag, Notification
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

    In order of arrival per subject, and each against the row as it is then:

    - the subject is not here: unmatched;
    - a later one about the same subject was applied already: superseded, because every
      notification carries the whole state;
    - an earlier one is still to be applied: put off until that is done;
    - equal to the one applied before it, and our row still says so: duplicate;
    - a step backwards: Edu-iX is asked first. The fetch itself writes the truth into our row; when
      that agrees the notification is applied (it knows the publisher's code, the fetch does not),
      else it is superseded.
    """
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
    told = told_specification(
        notification.parsed, is_school_credit=isinstance(credit, SchoolCredit)
    )
    settled = _settled_by_others(notification, now)
    if settled is not None:
        return settled
    if told.holds(credit) and _repeats(notification):
        return Outcome(Verdict.DUPLICATE, reasons.SAME_AGAIN, flags)
    question = notification.question
    if question is None and told.is_step_back(credit):
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
        at=notification.received_at,
        product_state=told.product_state,
        specified=told.specified,
    )
    _note_other_codes(notification, told, credit)
    if told.return_code is None:
        return Outcome(Verdict.APPLIED, flags=flags)
    reason = reasons.reason(reasons.RETURN_NOT_PROCESSED, told.return_code)
    return Outcome(Verdict.APPLIED, reason, flags)


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
    if same.filter(pk__gt=notification.pk, verdict__in=Notification.SETTLED).exists():
        return Outcome(Verdict.SUPERSEDED, reasons.NEWER_IS_HERE)
    earlier = same.filter(pk__lt=notification.pk, verdict=Verdict.WAITING, question__isnull=True)
    if earlier.exists():
        return Outcome(Verdict.WAITING, reasons.IN_TURN, due_at=now + IN_TURN_AFTER)
    return None


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
