"""What a credit's page lists: messages, notifications, returns, and what became of those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.outbox.again import MAY_BE_TAKEN_BACK, MAY_GO_AGAIN
from backoffice.outbox.calls import Try, failed_attempt_url, tries_of
from backoffice.outbox.cells import message_pill, service_of
from backoffice.outbox.models import Message, PushState, key_of
from backoffice.outbox.words import operation_words
from backoffice.screens.cells import Tone
from credits.columns import publisher_of, subject_of
from credits.models import CreditReturn, PersonCredit
from credits.return_words import return_pill, words_of
from credits.services import AnyCredit
from notifications.models import Notification
from notifications.reasons import in_words
from notifications.services import corrections_told

LINES_SHOWN = 20


@dataclass(frozen=True)
class MessageLine:
    """One message of this credit, or of the person it belongs to, with its tries."""

    label: str
    pill: SafeString
    url: str
    message: Message
    tries: list[Try]


@dataclass(frozen=True)
class NotificationLine:
    """One thing that Edu-iX told about this credit or its person."""

    label: str | Promise
    verdict: str | Promise
    tone: Tone
    reason: str
    received_at: datetime
    url: str


@dataclass(frozen=True)
class ReturnLine:
    """One return of this credit: who asked it and why, how it stands, what can be done."""

    back: CreditReturn
    pill: SafeString
    words: str | Promise
    explanation: Explanation | None
    failed_url: str
    again_url: str
    withdraw_url: str


@dataclass(frozen=True)
class CorrectionLine:
    """What the publisher made of a return, as the last notification tells it."""

    tone: Tone
    words: str
    explanation: Explanation | None


def subjects_of(credit: AnyCredit) -> list[str]:
    """The credit itself, what goes before it, and its returns."""
    backs = CreditReturn.objects.of(credit).values_list("pk", flat=True)[:LINES_SHOWN]
    own = [subject_of(credit), *(key_of("credit_return", pk) for pk in backs)]
    if isinstance(credit, PersonCredit):
        place = credit.school_person
        own += [key_of("schoolperson", place.pk), key_of("person", place.person_id)]
    return own


def messages_of(subjects: list[str]) -> list[MessageLine]:
    found = Message.objects.filter(subject__in=subjects).prefetch_related("attempts")
    return [
        MessageLine(
            label=operation_words(message.operation),
            pill=message_pill(message),
            url=reverse("admin:outbox_message_change", args=[message.pk]),
            message=message,
            tries=tries_of(list(message.attempts.all())[:3], service_of(message)),
        )
        for message in found.order_by("-id")[:LINES_SHOWN]
    ]


def notifications_of(request: HttpRequest, credit: AnyCredit) -> list[NotificationLine]:
    if not request.user.has_perm("notifications.view_notification"):
        return []
    about = Q(kind=Notification.Kind.SPECIFICATION_CHANGED, subject=str(credit))
    if isinstance(credit, PersonCredit):
        person = credit.school_person.person
        about |= Q(kind=Notification.Kind.PREMATCH_CHANGED, subject=person.distributor_person_id)
    found = Notification.objects.filter(about).defer("raw").order_by("-id")[:LINES_SHOWN]
    return [
        NotificationLine(
            label=row.get_kind_display(),
            verdict=row.get_verdict_display(),
            tone="ok" if row.verdict == Notification.Verdict.APPLIED else "idle",
            reason=in_words(row.reason) if row.reason else "",
            received_at=row.received_at,
            url=reverse("admin:notifications_notification_change", args=[row.pk]),
        )
        for row in found
    ]


def failed_url_of(credit: AnyCredit, root: Message | None) -> str:
    """The exact call that stands between this credit and Edu-iX; empty when none does.

    A credit that waits shows the call of what it waits for.
    """
    if root is not None:
        return failed_attempt_url([root.pk])
    if credit.push_state not in (PushState.REFUSED, PushState.CONFLICT, PushState.UNCERTAIN):
        return ""
    own = Message.objects.filter(subject=subject_of(credit)).order_by("-id")
    return failed_attempt_url(own.values_list("pk", flat=True)[:LINES_SHOWN])


def returns_of(credit: AnyCredit) -> list[ReturnLine]:
    """The returns of a credit, newest first."""
    backs = list(CreditReturn.objects.of(credit).select_related("created_by")[:LINES_SHOWN])
    subjects = {key_of("credit_return", back.pk): back.pk for back in backs}
    messages = {
        subjects[message.subject]: message
        for message in Message.objects.filter(subject__in=subjects).order_by("id")
    }
    return [_return_line(credit, back, messages.get(back.pk)) for back in backs]


def _return_line(credit: AnyCredit, back: CreditReturn, message: Message | None) -> ReturnLine:
    name = f"admin:credits_{type(credit)._meta.model_name}_return"
    args = [credit.pk, back.pk]
    is_refused = back.is_open and back.push_state == PushState.REFUSED
    stuck = back.is_open and message is not None
    again = stuck and message is not None and message.status in MAY_GO_AGAIN and is_refused
    withdraw = stuck and message is not None and message.status in MAY_BE_TAKEN_BACK
    explains = is_refused and back.push_code is not None
    return ReturnLine(
        back=back,
        pill=return_pill(back),
        words=words_of(back),
        explanation=explain(back.push_code, service="credit")
        if explains and back.push_code is not None
        else None,
        failed_url=failed_attempt_url([message.pk]) if message is not None and back.is_open else "",
        again_url=reverse(f"{name}_again", args=args) if again else "",
        withdraw_url=reverse(f"{name}_withdraw", args=args) if withdraw else "",
    )


def corrections_of(request: HttpRequest, credit: AnyCredit) -> Iterator[CorrectionLine]:
    """What the publisher made of the returns, as last told."""
    if not request.user.has_perm("notifications.view_notification"):
        return
    for entry in corrections_told(subject=str(credit)):
        yield _correction_line(credit, entry["amount"], entry["error_code"], entry["response_id"])


def _correction_line(
    credit: AnyCredit, amount: int, code: int | None, response_id: str
) -> CorrectionLine:
    if code is None:
        words = _("Return of %(amount)d confirmed by the publisher") % {"amount": amount}
        return CorrectionLine("ok", f"{words} · {response_id}" if response_id else words, None)
    words = _("Return of %(amount)d not processed by the publisher (code %(code)d)")
    found = explain(f"publisher:{code}", ean=credit.ean, publisher=publisher_of(credit))
    return CorrectionLine("bad", words % {"amount": amount, "code": code}, found)
