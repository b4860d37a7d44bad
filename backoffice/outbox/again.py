"""Sending a message again because a colleague says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from backoffice.outbox.models import Message
from backoffice.outbox.registry import mark_rows
from backoffice.outbox.services import ROW_STATE, enqueue

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
            requires=message.requires,
            label=message.label,
            user=user,
        )
        if again.status in ROW_STATE:
            mark_rows([again], ROW_STATE[again.status], code=again.code, text=again.text)
    return again
