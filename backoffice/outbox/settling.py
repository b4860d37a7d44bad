"""What an answer means for its message, written in one transaction with the row."""

from __future__ import annotations

import logging
import random
import traceback as tracebacks
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backoffice.eduix.errors import (
    LOGIN_REFUSED,
    PASSING,
    SESSION_GONE,
    EduixRefused,
    EduixUncertain,
    EduixUnreachable,
)
from backoffice.eduix.exchange import Exchange
from backoffice.explanations.models import UnknownCode
from backoffice.explanations.services import explain, note_unknown_code
from backoffice.outbox.models import Attempt, Message, PushState
from backoffice.outbox.push import Differs
from backoffice.outbox.registry import mark_rows
from backoffice.outbox.services import ROW_STATE, hold_followers, lock_chain
from backoffice.outbox.statements import end_accepted_attempts

logger = logging.getLogger(__name__)

PASSING_TRIES: Final = 8
ENDS: Final = (Message.Status.DONE, Message.Status.REFUSED, Message.Status.CONFLICT)
BACKOFF_SECONDS: Final = (2, 5, 15, 45, 120, 300, 600, 900)


def backoff(tries: int) -> float:
    """Seconds until the next try, with jitter so that a recovering partner is not stormed."""
    base = BACKOFF_SECONDS[min(max(tries, 1), len(BACKOFF_SECONDS)) - 1]
    return base * random.uniform(0.8, 1.2)  # noqa: S311  spreading load, not secrecy


@dataclass(frozen=True)
class Result:
    """How one try ended, before it is written down."""

    outcome: Attempt.Outcome
    status: Message.Status
    code: int | None = None
    text: str = ""
    traceback: str = ""
    is_not_now: bool = False
    is_login_refused: bool = False
    is_repeated: bool = False


ACCEPTED: Final = Result(Attempt.Outcome.ACCEPTED, Message.Status.DONE)


def result_of(problem: BaseException, message: Message) -> Result:
    """What an error means: the table of docs/delivery.md."""
    if isinstance(problem, Differs):
        return Result(
            Attempt.Outcome.CONFLICT, Message.Status.CONFLICT, text=", ".join(problem.columns)
        )
    if isinstance(problem, EduixUnreachable):
        # An uncertain message that could not even be asked about stays uncertain.
        status = Message.Status.UNCERTAIN if message.ask_first else Message.Status.QUEUED
        return Result(Attempt.Outcome.UNREACHABLE, status, text=problem.text)
    if isinstance(problem, EduixUncertain):
        return Result(Attempt.Outcome.UNCERTAIN, Message.Status.UNCERTAIN, text=problem.text)
    if isinstance(problem, EduixRefused):
        return _refused(problem, message)
    return Result(
        Attempt.Outcome.BROKEN,
        Message.Status.UNCERTAIN,
        # The type only: the text of an unforeseen error may quote a person's data.
        text=type(problem).__name__,
        traceback="".join(tracebacks.format_tb(problem.__traceback__))[-20_000:],
    )


def _refused(refused: EduixRefused, message: Message) -> Result:
    status = Message.Status.REFUSED
    login = refused.number in LOGIN_REFUSED
    passing = refused.number in PASSING or refused.number in SESSION_GONE
    if login or (passing and message.not_now + 1 < PASSING_TRIES):
        status = Message.Status.UNCERTAIN if message.ask_first else Message.Status.QUEUED
    return Result(
        Attempt.Outcome.REFUSED,
        status,
        code=refused.code,
        text=refused.text,
        is_not_now=passing,
        is_login_refused=login,
        is_repeated=refused.is_repeated,
    )


def settle(message: Message, result: Result, exchanges: Sequence[Exchange]) -> bool:
    """Write how a try ended; False when another worker has taken the message meanwhile.

    A message whose row changed while it was under way goes out once more.
    """
    now = timezone.now()
    with transaction.atomic():
        lock_chain(*message.chains)
        Attempt.objects.filter(
            message=message, fence=message.fence, outcome=Attempt.Outcome.OPEN
        ).update(
            finished_at=now,
            outcome=result.outcome,
            code=result.code,
            text=result.text,
            traceback=result.traceback,
            calls=[exchange.as_json() for exchange in exchanges],
        )
        status = _settled(message, result, now)
        if status is None:
            logger.warning("outbox_late_writer", extra={"message_id": message.pk})
            return False
        message.status = status
        mark_rows(
            [message],
            ROW_STATE.get(status, PushState.IN_SYNC),
            code=result.code,
            text=result.text,
            accepted=result.outcome == Attempt.Outcome.ACCEPTED,
            now=now,
        )
        if status in (Message.Status.REFUSED, Message.Status.CONFLICT):
            mark_rows(hold_followers(message), PushState.WAITING, now=now)
        if status == Message.Status.REFUSED and result.code is not None:
            _note_if_unknown(abs(result.code), now)
    return True


@dataclass(frozen=True)
class Tried:
    """One try that has ended and is still to be written down."""

    message: Message
    result: Result
    exchanges: Sequence[Exchange]


def settle_accepted(tried: Sequence[Tried]) -> None:
    """`settle` for tries that all were accepted, in a handful of statements.

    What is out of the ordinary among them, a late worker or a row that changed meanwhile, is
    settled one by one.
    """
    now = timezone.now()
    others = list(tried)
    with transaction.atomic():
        lock_chain(*(chain for one in tried for chain in one.message.chains))
        held = Message.objects.filter(
            pk__one_of=[one.message.pk for one in tried], status=Message.Status.SENDING, again=False
        )
        fences = dict(held.values_list("pk", "fence"))
        ours = [one for one in tried if fences.get(one.message.pk) == one.message.fence]
        if ours:
            _settle_together(ours, now)
        others = [one for one in tried if fences.get(one.message.pk) != one.message.fence]
    for one in others:
        settle(one.message, one.result, one.exchanges)


def _settle_together(tried: Sequence[Tried], now: datetime) -> None:
    """Their chains are locked, and nobody else has taken them."""
    if end_accepted_attempts(tried, now) != len(tried):
        _write_attempts(tried, now)
    messages = [one.message for one in tried]
    # Accepted ones all get the same columns, whatever happened to them before.
    columns = _columns(messages[0], ACCEPTED, now)
    Message.objects.filter(pk__one_of=[message.pk for message in messages]).update(**columns)
    for message in messages:
        message.status = ACCEPTED.status
    mark_rows(messages, PushState.IN_SYNC, accepted=True, now=now)


def _write_attempts(tried: Sequence[Tried], now: datetime) -> None:
    """Also where the row that was written before the call is gone."""
    Attempt.objects.bulk_create(
        [
            Attempt(
                message=one.message,
                fence=one.message.fence,
                started_at=now,
                finished_at=now,
                outcome=one.result.outcome,
                code=one.result.code,
                text=one.result.text,
                calls=[exchange.as_json() for exchange in one.exchanges],
            )
            for one in tried
        ],
        update_conflicts=True,
        unique_fields=["message", "fence"],
        update_fields=["finished_at", "outcome", "code", "text", "calls"],
    )


def _note_if_unknown(code: int, now: datetime) -> None:
    """Put a code that is in no list of Edu-iX on our list of unknown codes."""
    if not explain(code).known:
        note_unknown_code(code=code, source=UnknownCode.Source.EDUIX, now=now)


def _settled(message: Message, result: Result, now: datetime) -> Message.Status | None:
    """Write the end of this try; None when the message is no longer ours.

    A message whose row changed while it was under way goes out once more.
    """
    mine = Message.objects.filter(pk=message.pk, fence=message.fence, status=Message.Status.SENDING)
    columns = _columns(message, result, now)
    if result.status in ENDS:
        if mine.filter(again=False).update(**columns):
            return result.status
        # Other data than went out waits already: it decides, whatever this answer said.
        columns |= {"status": Message.Status.QUEUED, "finished_at": None, "tries": 0}
        return Message.Status.QUEUED if mine.update(**columns) else None
    return result.status if mine.update(**columns) else None


def _columns(message: Message, result: Result, now: datetime) -> dict[str, object]:
    """The new columns of the message."""
    ends = result.status in ENDS
    return {
        "status": result.status,
        "code": result.code,
        "text": result.text,
        "lease_until": None,
        "finished_at": now if ends else None,
        "due_at": now if ends else now + timedelta(seconds=backoff(message.tries)),
        "tries": 0 if result.status == Message.Status.DONE else message.tries,
        "not_now": message.not_now + 1 if result.is_not_now else 0,
        "ask_first": result.status == Message.Status.UNCERTAIN,
    }


def give_back(messages: Sequence[Message]) -> None:
    """Claimed messages that were not begun are as before their claim: no try was made."""
    now = timezone.now()
    with transaction.atomic():
        lock_chain(*(chain for message in messages for chain in message.chains))
        held = Message.objects.filter(
            pk__one_of=[message.pk for message in messages], status=Message.Status.SENDING
        )
        fences = dict(held.values_list("pk", "fence"))
        ours = [message for message in messages if fences.get(message.pk) == message.fence]
        for status in (Message.Status.QUEUED, Message.Status.UNCERTAIN):
            asks_first = status == Message.Status.UNCERTAIN
            some = [message for message in ours if message.ask_first == asks_first]
            keys = [message.pk for message in some]
            Attempt.objects.filter(message__in=keys, outcome=Attempt.Outcome.OPEN).delete()
            Message.objects.filter(pk__one_of=keys).update(
                status=status, lease_until=None, tries=F("tries") - 1
            )
            mark_rows(some, ROW_STATE[status], now=now)


def rescue(now: datetime) -> int:
    """Take over what a vanished worker left in flight: nobody knows whether it arrived.

    `now` is by the clock of the leases (`clock.py`).
    """
    rescued, at = 0, timezone.now()
    for message in Message.objects.left_behind(now)[:100]:
        with transaction.atomic():
            taken = Message.objects.left_behind(now).filter(pk=message.pk, fence=message.fence)
            if not taken.update(
                status=Message.Status.UNCERTAIN,
                ask_first=True,
                lease_until=None,
                due_at=at,
                fence=message.fence + 1,
            ):
                continue
            Attempt.objects.filter(
                message=message, fence=message.fence, outcome=Attempt.Outcome.OPEN
            ).update(outcome=Attempt.Outcome.LOST, finished_at=at)
            mark_rows([message], PushState.UNCERTAIN, now=at)
            rescued += 1
    if rescued:
        logger.warning("outbox_rescued", extra={"count": rescued})
    return rescued
