"""Queueing many pushes at once: what `enqueue` does, in a handful of queries.

Only for rows that have no open message; every other one takes the ordinary way, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backoffice.outbox.models import Message, PushState
from backoffice.outbox.registry import mark_rows
from backoffice.outbox.services import ROW_STATE, enqueue, hold_behind_blockers, lock_chain, ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Wanted:
    """One push to queue; the arguments of `enqueue`."""

    operation: str
    subject: str
    chain: str
    label: str
    requires: str = ""


def enqueue_many(
    wanted: Sequence[Wanted], *, user: AbstractBaseUser | None = None, batch: int | None = None
) -> int:
    """Queue these pushes with the priority of bulk work, in this order; returns how many.

    Two that name the same push count once. `batch` is the job that asks, see `enqueue`. Raises
    `IntegrityError` when somebody queues one of them at this very moment: the caller's transaction
    is then taken back and tried again.
    """
    wanted = list(dict.fromkeys(wanted))
    with transaction.atomic():
        lock_chain(*{each.chain for each in wanted})
        is_open = _open(wanted)
        messages = [
            enqueue(
                operation=each.operation,
                subject=each.subject,
                chain=each.chain,
                label=each.label,
                requires=each.requires,
                priority=Message.Priority.BULK,
                user=user,
                batch=batch,
            )
            for each in wanted
            if (each.operation, each.subject) in is_open
        ]
        fresh = [each for each in wanted if (each.operation, each.subject) not in is_open]
        messages += _create(fresh, user, batch)
        for status, state in ROW_STATE.items():
            mark_rows([each for each in messages if each.status == status], PushState(state))
    ring()
    return len(messages)


def _open(wanted: Sequence[Wanted]) -> set[tuple[str, str]]:
    """Those that have a message which is not finished."""
    subjects = [each.subject for each in wanted]
    found = Message.objects.open().filter(subject__in=subjects)
    return set(found.values_list("operation", "subject"))


def _create(
    wanted: Sequence[Wanted], user: AbstractBaseUser | None, batch: int | None
) -> list[Message]:
    now = timezone.now()
    messages = Message.objects.bulk_create(
        Message(
            operation=each.operation,
            subject=each.subject,
            chain=each.chain,
            label=each.label[:300],
            requires=each.requires,
            priority=Message.Priority.BULK,
            due_at=now,
            batch=batch,
            created_by_id=user.pk if user is not None else None,
        )
        for each in wanted
    )
    Message.objects.filter(pk__in=[each.pk for each in messages]).update(position=F("pk"))
    chains = {each.chain for each in messages if each.requires}
    in_hands = [Message.Status.REFUSED, Message.Status.CONFLICT, Message.Status.WAITING]
    blocked = set(
        Message.objects.open()
        .filter(chain__in=chains, status__in=in_hands)
        .values_list("chain", flat=True)
    )
    hold_behind_blockers([each for each in messages if each.chain in blocked])
    return messages
