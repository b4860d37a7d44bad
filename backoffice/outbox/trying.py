"""One try of a message: claimed, prepared with others, sent within its lease.

What is read here in one go and sent one by one is what `docs/delivery.md` calls an attempt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from backoffice.eduix.client import recording
from backoffice.eduix.gateway import Gateway
from backoffice.outbox import clock, stops
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.push import NotOursAnyMore
from backoffice.outbox.registry import mark_rows, senders
from backoffice.outbox.settling import ACCEPTED, Result, Tried, result_of, settle
from backoffice.outbox.statements import begin_attempts, write_digests

logger = logging.getLogger(__name__)

CALL_SECONDS: Final = 40.0  # more than one call takes: 5 to connect and 30 in all
CALL_TIME: Final = timedelta(seconds=CALL_SECONDS)
DATABASE_GONE: Final = (OperationalError, InterfaceError)  # any other database error is a bug

QUERY_CANCELED: Final = "57014"  # SQLSTATE: by `statement_timeout`


def is_too_slow(problem: BaseException) -> bool:
    """The database ended one statement that took too long, and is there for all others.

    Django calls that an `OperationalError` too. Whoever waits for the database then waits for ever:
    the same statement takes as long next time.
    """
    return getattr(problem.__cause__, "sqlstate", None) == QUERY_CANCELED


def claim_due(limit: int) -> list[Message]:
    """Take up to `limit` heads of chains; each try is written down before it is made."""
    now = timezone.now()
    with transaction.atomic():
        lease = _lease() + (clock.lease_now() - now)  # it ends by the clock of the database
        claimed = Message.objects.claim(limit, now=now, lease=lease)
        if claimed:
            begin_attempts(claimed, now)
            mark_rows(claimed, PushState.SENDING, now=now)
    return claimed


UNREAD: Final = object()  # not prepared together with others


def prepare_together(messages: Sequence[Message]) -> dict[int, Any]:
    """Read what many claimed messages will send, and keep what tells our own requests apart.

    A message that is missing is prepared by itself when it is sent: its trouble is its own.
    """
    prepared: dict[int, Any] = {}
    for operation in dict.fromkeys(message.operation for message in messages):
        sender = senders[operation]
        of_kind = [message for message in messages if message.operation == operation]
        try:
            prepared |= sender.prepare_many(of_kind)
        except DATABASE_GONE:
            raise
        except Exception:  # one row that cannot be read must not keep the others
            logger.exception("outbox_not_prepared", extra={"operation": operation})
    changed = []
    for message in messages:
        found = prepared.get(message.pk)
        digest = senders[message.operation].digest_of(found) if found is not None else ""
        # Who must ask first still needs the digest of the request that may have arrived.
        if digest and digest != message.sent_digest and not message.ask_first:
            message.sent_digest = digest
            changed.append(message)
    if changed:
        # Before any of these calls: when an answer is lost, it tells our own request apart.
        write_digests(changed)
    return prepared


def deliver(message: Message, gateway: Gateway, prepared: Any = UNREAD) -> Result | None:
    """Send one claimed message and write down what came of it; None when it is no longer ours."""
    tried = attempt(message, gateway, prepared)
    if tried is None:
        return None
    settle(tried.message, tried.result, tried.exchanges)
    stops.take_note(tried.result, tried.exchanges)
    return tried.result


def attempt(message: Message, gateway: Gateway, prepared: Any = UNREAD) -> Tried | None:
    """Send one claimed message; None when it is no longer ours. Nothing is written down yet."""
    with recording() as exchanges:
        try:
            result = _send(message, gateway, prepared)
        except NotOursAnyMore:
            logger.warning("outbox_late_worker", extra={"message_id": message.pk})
            return None
        except Exception as problem:  # the border: an unknown error is uncertain, never lost
            result = result_of(problem, message)
            if result.traceback:
                logger.exception("outbox_unforeseen", extra={"message_id": message.pk})
    return Tried(message, result, exchanges)


def _send(message: Message, gateway: Gateway, prepared: Any) -> Result:
    sender = senders[message.operation]
    claimed_at = time.monotonic()

    def still_ours(digest: str = "") -> None:
        """The fence is checked in the same statement that renews the lease.

        While most of the lease is still to come nobody else can have taken the message, and no
        statement is needed. Both clocks are asked: one may jump, the other stands still in sleep.
        """
        now = clock.lease_now()
        is_new = bool(digest) and digest != message.sent_digest
        fresh_until = message.lease_until - CALL_TIME if message.lease_until else now
        if not is_new and now < fresh_until and time.monotonic() - claimed_at < CALL_SECONDS:
            return
        columns: dict[str, object] = {"lease_until": now + _lease()}
        if is_new:
            # Written before the call: when its answer is lost, it tells our own request apart.
            columns["sent_digest"] = message.sent_digest = digest
        mine = Message.objects.filter(
            pk=message.pk, fence=message.fence, status=Message.Status.SENDING
        )
        if not mine.update(**columns):
            raise NotOursAnyMore

    if prepared is UNREAD:
        still_ours()
        prepared = sender.prepare(message)
    if prepared is not None:
        sender.send(message, prepared, gateway, still_ours)
    return ACCEPTED


def _lease() -> timedelta:
    return timedelta(seconds=settings.EDUIX_LEASE_SECONDS)
