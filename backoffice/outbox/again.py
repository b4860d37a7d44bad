"""Sending a message again, or taking it back, because a colleague says so."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backoffice.outbox.models import Message
from backoffice.outbox.registry import mark_rows, senders
from backoffice.outbox.services import ROW_STATE, enqueue, lock_chain, release_followers

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LOT: Final = 5_000  # rows a statement: half a million took 14.5 of the 15 s that it is given

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

    `limit` is of chains, and each is taken back whole: what is left of one would go out without
    what must go before it. A message that somebody else asked for too stays, and so does what
    somebody else's message must go behind.
    """
    now = timezone.now()
    with transaction.atomic():
        first = _never_tried(batch).order_by("position").values_list("chain", flat=True)[:limit]
        chains = list(dict.fromkeys(first))
        lock_chain(*chains)  # nobody can begin on them from here
        found = list(_never_tried(batch).filter(chain__in=chains).select_for_update())
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


def hold_batch(*, batch: int, until: datetime, after: int, seconds: float) -> int | None:
    """Let nobody begin on what one job asked for, so that there is time to take it back.

    Begins behind the position `after`, and does as much as so many seconds allow; returns the
    position where to go on, None when all of it is held.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lot, after = _lot(batch, after)
        lot.filter(due_at__lt=until).update(due_at=until)
        if not after:
            return None
    return after


def let_go_batch(*, batch: int) -> None:
    """What was held and could not be taken back, because others need it, goes after all."""
    after = 0
    while True:
        lot, after = _lot(batch, after)
        lot.update(due_at=timezone.now(), batch=None)
        if not after:
            return


def _lot(batch: int, after: int) -> tuple[QuerySet[Message], int]:
    """The next messages of a batch, and behind which position the ones after them begin; 0: none.

    Without their numbers: by those PostgreSQL would look through the whole batch for each lot.
    """
    rest = _untouched(batch).filter(position__gt=after)
    last = rest.order_by("position").values_list("position", flat=True)[LOT - 1 : LOT].first()
    return (rest, 0) if last is None else (rest.filter(position__lte=last), last)


def _untouched(batch: int) -> QuerySet[Message]:
    return Message.objects.filter(
        batch=batch,
        status__among=(Message.Status.QUEUED, Message.Status.WAITING),
        tries=0,
        ask_first=False,
    )


def _never_tried(batch: int) -> QuerySet[Message]:
    later = Message.objects.open().filter(
        chain=OuterRef("chain"), position__gt=OuterRef("position")
    )
    is_needed = Exists(later.exclude(batch=batch)) & Exists(
        later.filter(requires=OuterRef("subject"))
    )
    return _untouched(batch).filter(~is_needed)
