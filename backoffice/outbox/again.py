"""Sending a message again, or taking it back, because a colleague says so."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
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


def take_back_batch(*, batch: int, limit: int) -> int:
    """Take back what one job asked for and nobody has tried yet; returns how many, 0 at the end.

    What goes first is taken first, so that workers soon find nothing of it. A message that somebody
    else asked for too stays, and so does what somebody else's message must go behind.
    """
    now = timezone.now()
    with transaction.atomic():
        chains = _never_tried(batch).order_by("position").values_list("chain", "joins")[:limit]
        lock_chain(*{chain for pair in chains for chain in pair if chain})
        first = _never_tried(batch).order_by("position")[:limit]  # now nobody can begin on them
        found = list(first.select_for_update())
        pks = [message.pk for message in found]
        Message.objects.filter(pk__in=pks).update(
            status=Message.Status.CANCELLED, finished_at=now, waits_for=None
        )
        by_operation: dict[str, list[str]] = defaultdict(list)
        for message in found:
            by_operation[message.operation].append(message.subject)
        for operation, subjects in by_operation.items():
            senders[operation].taken_back_together(subjects, now)
        held = Message.objects.filter(waits_for__in=pks).values_list("waits_for", flat=True)
        for root in Message.objects.filter(pk__in=set(held)):
            release_followers(root)
    return len(found)


def _never_tried(batch: int) -> QuerySet[Message]:
    later = Message.objects.open().filter(
        chain=OuterRef("chain"), position__gt=OuterRef("position")
    )
    is_needed = Exists(later.exclude(batch=batch)) & Exists(
        later.filter(requires=OuterRef("subject"))
    )
    return Message.objects.filter(
        ~is_needed,
        batch=batch,
        status__in=[Message.Status.QUEUED, Message.Status.WAITING],
        tries=0,
        ask_first=False,
    )
