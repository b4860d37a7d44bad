"""Ending a message because a colleague has settled what it was about."""

from __future__ import annotations

from django.utils import timezone

from backoffice.outbox.models import Message, PushState
from backoffice.outbox.registry import senders
from backoffice.outbox.services import release_followers

IN_HANDS = (Message.Status.REFUSED, Message.Status.CONFLICT)


def settled_by_hand(*, operation: str, subject: str) -> None:
    """Our row and Edu-iX are equal now: its message is done, and what waited for it goes on.

    Call it in a transaction that holds the chain.
    """
    now = timezone.now()
    for message in Message.objects.filter(
        operation=operation, subject=subject, status__in=IN_HANDS
    ):
        Message.objects.filter(pk=message.pk).update(
            status=Message.Status.DONE, finished_at=now, code=None, text="", ask_first=False
        )
        release_followers(message)
    senders[operation].mark(
        [subject], PushState.IN_SYNC, code=None, text="", accepted=True, now=now
    )
