"""Putting work in the outbox, and taking it up again.

Call these inside the transaction of the change itself: the intent exists exactly when the
change does. Nothing is sent here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, PositiveBigIntegerField, Q, Value, When
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerGone

from backoffice.outbox.models import Message, PushState
from backoffice.outbox.registry import is_question, mark_rows, senders

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User

logger = logging.getLogger(__name__)

REST_OF_RINGS: Final = 30.0  # seconds without a ring after one that failed
_no_ring_before = 0.0

MOST_LOCKS: Final = 1000  # of 6,400 that PostgreSQL has by default for all connections together
ALL_CHAINS: Final = 0x6F7574626F78  # "outbox"; shared by who locks some chains

# What a message's status means for the row it is about.
ROW_STATE: dict[str, PushState] = {
    Message.Status.QUEUED: PushState.QUEUED,
    Message.Status.WAITING: PushState.WAITING,
    Message.Status.SENDING: PushState.SENDING,
    Message.Status.UNCERTAIN: PushState.UNCERTAIN,
    Message.Status.REFUSED: PushState.REFUSED,
    Message.Status.CONFLICT: PushState.CONFLICT,
}


def enqueue(
    *,
    operation: str,
    subject: str,
    chain: str,
    joins: str = "",
    label: str = "",
    requires: str = "",
    priority: int = Message.Priority.INTERACTIVE,
    user: AbstractBaseUser | None = None,
    batch: int | None = None,
) -> Message:
    """Ask for one push or fetch; an open message for the same subject is taken up instead.

    A message that was refused goes out again with the data of now; one that is being sent goes
    out once more afterwards. `batch` is the job that asks, which may then take it back as long as
    nobody else has asked. Must run in the transaction of the change.
    """
    now = timezone.now()
    lock_chain(chain)
    message = _reopen(operation=operation, subject=subject, priority=priority, now=now, batch=batch)
    if message is None:
        message = Message.objects.create(
            operation=operation,
            subject=subject,
            label=label[:300],
            requires=requires,
            chain=chain,
            joins=joins,
            priority=priority,
            status=Message.Status.QUEUED,
            due_at=now,
            batch=batch,
            created_by=cast("User", user) if user is not None and user.pk else None,
        )
        Message.objects.filter(pk=message.pk).update(position=F("pk"))
        message.position = message.pk
    # What must go first is as urgent as what follows it.
    Message.objects.open().filter(chain__in=message.chains, priority__gt=priority).update(
        priority=priority
    )
    hold_behind_blockers([message])
    ring()
    return message


def lock_chain(*chains: str) -> None:
    """Let nobody else change these chains until the transaction ends.

    Every change of a chain begins here, before it touches a row: so two of them never wait for
    each other, and none misses what the other is writing. SQLite has one writer anyway. Who changes
    very many chains at once locks them all in one: PostgreSQL has room for some thousands of locks.
    """
    if connection.vendor == "postgresql":
        names = list(dict.fromkeys(chains))
        with connection.cursor() as cursor:
            if len(names) > MOST_LOCKS:
                cursor.execute("select pg_advisory_xact_lock(%s)", [ALL_CHAINS])
            else:
                cursor.execute(
                    "select case when number = 0 then pg_advisory_xact_lock_shared(key)"
                    " else pg_advisory_xact_lock(key) end"
                    " from (select 0 as number, %s::bigint as key union"
                    " select 1, hashtextextended(chain, 0) from unnest(%s::text[]) as chain"
                    " order by number, key) as keys",
                    [ALL_CHAINS, names],
                )
        open_ones = Message.objects.open().filter(chain__one_of=chains).order_by("position")
        list(open_ones.select_for_update().values_list("pk", flat=True))


def _reopen(
    *, operation: str, subject: str, priority: int, now: datetime, batch: int | None
) -> Message | None:
    """Take up the open message for this subject; None when there is none."""
    current = Message.objects.filter(operation=operation, subject=subject, status__in=Message.OPEN)
    in_flight = Q(status=Message.Status.SENDING)
    in_hands = Q(status__in=[Message.Status.REFUSED, Message.Status.CONFLICT])
    forgotten = Q(status=Message.Status.WAITING, waits_for=None)
    changed = current.update(
        again=Case(When(in_flight, then=True), default=F("again")),
        # An uncertain one stays uncertain: it must ask before anything is sent again.
        status=Case(
            When(in_hands | forgotten, then=Value(Message.Status.QUEUED)), default=F("status")
        ),
        tries=Case(When(in_hands, then=0), default=F("tries"), output_field=IntegerField()),
        not_now=Case(When(in_hands, then=0), default=F("not_now"), output_field=IntegerField()),
        due_at=Case(When(in_flight, then=F("due_at")), default=Value(now)),
        asked_at=Case(When(in_hands | forgotten, then=Value(now)), default=F("asked_at")),
        # What is under way already belongs to more than one from now on.
        batch=Case(
            When(in_hands | forgotten, then=Value(batch)),
            default=None,
            output_field=PositiveBigIntegerField(),
        )
        if batch is not None
        else None,
        priority=Case(
            When(priority__gt=priority, then=priority),
            default=F("priority"),
            output_field=IntegerField(),
        ),
    )
    if not changed:
        return None
    message = current.get()
    release_followers(message)
    return message


def hold_behind_blockers(messages: Iterable[Message]) -> None:
    """Let messages wait whose required subject is refused, and name the root cause."""
    for message in messages:
        if not message.requires or message.status not in (
            Message.Status.QUEUED,
            Message.Status.WAITING,
        ):
            continue
        blocker = (
            Message.objects.open()
            .filter(
                chain__in=message.chains,
                subject=message.requires,
                status__in=[
                    Message.Status.REFUSED,
                    Message.Status.CONFLICT,
                    Message.Status.WAITING,
                ],
            )
            .exclude(operation__in=[name for name in senders if is_question(name)])
            .order_by("position")
            .first()
        )
        if blocker is None:
            continue
        root = blocker.waits_for or blocker
        changed = Message.objects.filter(
            pk=message.pk, status__in=[Message.Status.QUEUED, Message.Status.WAITING]
        ).update(status=Message.Status.WAITING, waits_for=root)
        if changed:
            message.status, message.waits_for = Message.Status.WAITING, root


def hold_followers(message: Message) -> list[Message]:
    """Let everything wait that needs the subject of a refused message; returns what now waits."""
    held: list[Message] = []
    if is_question(message.operation):
        return held
    subjects = [message.subject]
    while subjects:
        followers = list(
            Message.objects.open().filter(
                chain=message.chain,
                requires__in=subjects,
                status__in=[Message.Status.QUEUED, Message.Status.WAITING],
            )
        )
        Message.objects.filter(
            pk__in=[follower.pk for follower in followers],
            status__in=[Message.Status.QUEUED, Message.Status.WAITING],
        ).update(status=Message.Status.WAITING, waits_for=message)
        held += followers
        subjects = [follower.subject for follower in followers]
    return held


def release_followers(message: Message) -> list[Message]:
    """What waited for this message may go again, in its old place in the chain."""
    now = timezone.now()
    followers = list(Message.objects.filter(waits_for=message, status=Message.Status.WAITING))
    Message.objects.filter(pk__in=[follower.pk for follower in followers]).update(
        status=Message.Status.QUEUED, waits_for=None, due_at=now
    )
    mark_rows(followers, PushState.QUEUED)
    return followers


def ring() -> None:
    """Wake a drainer after commit. Without a broker `manage.py deliver` looks by itself."""
    if settings.CELERY_BROKER_URL:
        # robust: nothing that goes wrong here may turn a saved change into an error page
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    """Ring; while the broker does not answer only now and then, for each ring would wait for it.

    The beat rings anyhow, as soon as the broker is back.
    """
    global _no_ring_before
    from backoffice.outbox.tasks import drain

    if time.monotonic() < _no_ring_before:
        return
    try:
        drain.apply_async(expires=settings.OUTBOX_DRAIN_SECONDS)
    except BrokerGone as problem:
        _no_ring_before = time.monotonic() + REST_OF_RINGS
        # Only the kind of error: its text may hold the address with its password.
        logger.error("outbox_not_rung", extra={"error": type(problem.__cause__).__name__})


def has_open(*, operation: str, subject: str) -> bool:
    """Whether a message for this subject is still to be sent or in a colleague's hands."""
    return Message.objects.open().filter(operation=operation, subject=subject).exists()
