"""Sending a message again, or taking it back, because a colleague says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backoffice.outbox.models import Message
from backoffice.outbox.registry import mark_rows, senders
from backoffice.outbox.services import ROW_STATE, enqueue, lock_chain, release_followers

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

# Waiting ones go when their cause is mended; a conflict needs a choice, not another try.
MAY_GO_AGAIN = (Message.Status.REFUSED, Message.Status.UNCERTAIN, Message.Status.QUEUED)


def send_again(*, message: Message, user: AbstractBaseUser | None = None) -> Message:
    """Try a refused, uncertain or queued message now, without waiting for its next turn.

    An uncertain one still asks Edu-iX first what became of it.
    """
    with transaction.atomic():
        again = enqueue(
            operation=message.operation,
            subject=message.subject,
            chain=message.chain,
            joins=message.joins,
            requires=message.requires,
            label=message.label,
            user=user,
        )
        if again.status in ROW_STATE:
            mark_rows([again], ROW_STATE[again.status], code=again.code, text=again.text)
    return again


# Nothing of these is under way, and nothing of them is known to have reached Edu-iX.
MAY_BE_TAKEN_BACK = (
    Message.Status.WAITING,
    Message.Status.REFUSED,
    Message.Status.CONFLICT,
)


def take_back(*, message: Message) -> bool:
    """Give up a message that was refused, waits, or was never tried; False when it is too late.

    What waited for it goes on without it.
    """
    now = timezone.now()
    never_tried = Q(status=Message.Status.QUEUED, tries=0, ask_first=False)
    with transaction.atomic():
        lock_chain(*message.chains)
        taken = Message.objects.filter(
            Q(status__in=MAY_BE_TAKEN_BACK) | never_tried, pk=message.pk, ask_first=False
        ).update(status=Message.Status.CANCELLED, finished_at=now, waits_for=None)
        if not taken:
            return False
        senders[message.operation].taken_back(message.subject, now)
        release_followers(message)
    return True
