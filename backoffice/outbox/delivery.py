"""The drainer: takes what is due, sends it over a fixed number of connections, writes the result.

`manage.py deliver` and the Celery task run the same code. The promise is in docs/delivery.md.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any, Final

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.utils import timezone

from backoffice.eduix.client import recording
from backoffice.eduix.errors import EduixMisfit
from backoffice.eduix.gateway import Gateway, default_gateway
from backoffice.outbox import stops
from backoffice.outbox.models import Attempt, Message, PushState
from backoffice.outbox.push import NotOursAnyMore
from backoffice.outbox.registry import (
    background,
    mark_rows,
    register,
    register_background,
    senders,
)
from backoffice.outbox.settling import (
    ACCEPTED,
    Result,
    Tried,
    backoff,
    rescue,
    result_of,
    settle,
    settle_accepted,
)

__all__ = [
    "Counts",
    "Drainer",
    "drain_for",
    "drain_once",
    "register",
    "register_background",
]

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2
RESCUE_SECONDS: Final = 5.0
BACKGROUND_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.5
MISFIT_SECONDS: Final = 30.0  # until a WSDL that could not be used is read again
CALL_SECONDS: Final = 40.0  # more than one call takes: 5 to connect and 30 in all
CALL_TIME: Final = timedelta(seconds=CALL_SECONDS)
LAST: Final = 1_000_000  # after every priority
TOGETHER: Final = 128  # tries settled in one transaction
AHEAD: Final = 2  # messages claimed per connection, so that a free one never waits for a claim
AHEAD_OF_FAST: Final = 4  # larger claims cost less each, and hold nothing up while calls are short
FAST_SECONDS: Final = 0.2
DATABASE_GONE: Final = (OperationalError, InterfaceError)  # any other database error is a bug


@dataclass
class Counts:
    """What a drainer has done."""

    accepted: int = 0
    refused: int = 0
    later: int = 0
    uncertain: int = 0
    background: int = 0

    @property
    def sent(self) -> int:
        """Messages tried."""
        return self.accepted + self.refused + self.later + self.uncertain

    def add(self, outcome: str) -> None:
        """Count one outcome."""
        if outcome == Attempt.Outcome.ACCEPTED:
            self.accepted += 1
        elif outcome in (Attempt.Outcome.REFUSED, Attempt.Outcome.CONFLICT):
            self.refused += 1
        elif outcome == Attempt.Outcome.UNREACHABLE:
            self.later += 1
        else:
            self.uncertain += 1


def claim_due(limit: int) -> list[Message]:
    """Take up to `limit` heads of chains; each try is written down before it is made."""
    now = timezone.now()
    with transaction.atomic():
        claimed = Message.objects.claim(limit, now=now, lease=_lease())
        if claimed:
            Attempt.objects.bulk_create(
                Attempt(message=message, fence=message.fence, started_at=now) for message in claimed
            )
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
        Message.objects.write_digests(changed)
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
        now = timezone.now()
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


class Drainer:
    """One per process: a thread per connection to Edu-iX, fed by one loop.

    With `connections=0` everything happens in the calling thread.
    """

    def __init__(self, *, connections: int | None = None, gateway: Gateway | None = None) -> None:
        self.connections = settings.EDUIX_CONNECTIONS if connections is None else connections
        self.gateway = gateway
        self.counts = Counts()
        self.stopping = threading.Event()
        # Urgent ones pass others here too; what ends a thread comes last.
        self._jobs: queue.PriorityQueue[tuple[int, int, Message | None, Any]] = (
            queue.PriorityQueue()
        )
        self._ended: queue.SimpleQueue[Tried | None] = queue.SimpleQueue()
        self._in_flight = 0
        self._call_seconds = 1.0  # how long a call takes lately
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._pause_until = 0.0
        self._failures = 0
        self._last_rescue = self._last_background = self._last_look = 0.0
        self._stopped = False

    def run(self, *, until: Callable[[], bool], seconds: float = inf) -> Counts:
        """Drain until `until` says so, time is up, or `stop()`.

        `until` is asked when there is nothing to start.
        """
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, name=f"eduix-{number}", daemon=True)
            for number in range(self.connections)
        ]
        settler = threading.Thread(target=self._settle, name="eduix-settle", daemon=True)
        for thread in threads:
            thread.start()
        if threads:
            settler.start()
        try:
            while not self.stopping.is_set() and time.monotonic() < end:
                self._wake.clear()
                if not self._round():
                    if until():
                        break
                    if self.connections or self.is_paused:
                        self._wake.wait(POLL_SECONDS)
        finally:
            for number in range(len(threads)):
                self._jobs.put((LAST, number, None, None))
            for thread in threads:
                thread.join()
            if threads:
                self._ended.put(None)
                settler.join()
        return self.counts

    def stop(self) -> None:
        """Finish what is under way and return from `run`; safe in a signal handler."""
        self.stopping.set()
        self._wake.set()

    @property
    def is_idle(self) -> bool:
        """Nothing under way in this process."""
        return self._in_flight == 0

    @property
    def is_paused(self) -> bool:
        """Edu-iX could not be reached a moment ago."""
        return time.monotonic() < self._pause_until

    def _round(self) -> int:
        """One look at the outbox; returns how much was done or started."""
        try:
            if not connection.in_atomic_block:
                close_old_connections()
            done = self._background()
            now = time.monotonic()
            if now - self._last_rescue > RESCUE_SECONDS:
                self._last_rescue = now
                rescue(timezone.now())
                stops.beat()
            if self.is_paused or self._is_stopped() or not self._has_gateway():
                return done
            return done + self._start()
        except DATABASE_GONE as problem:
            logger.error("outbox_database", extra={"error": type(problem).__name__})
            connection.close()
            self.stopping.wait(1)
            return 0

    def _has_gateway(self) -> bool:
        """Make the gateway before anything is claimed: with an unusable WSDL nothing is sent."""
        if self.gateway is None:
            try:
                self.gateway = default_gateway()
            except EduixMisfit as problem:
                logger.error("eduix_wsdl_misfit", extra={"words": problem.text})
                self._pause_until = time.monotonic() + MISFIT_SECONDS
                return False
        return True

    def _is_stopped(self) -> bool:
        """Whether sending is stopped for all; asked of the database twice a second at most."""
        now = time.monotonic()
        if now - self._last_look > LOOK_SECONDS or not self.connections:
            self._last_look, self._stopped = now, stops.is_stopped()
        return self._stopped

    def _background(self) -> int:
        """Apply notifications and the like, at least once a second."""
        if time.monotonic() - self._last_background < BACKGROUND_SECONDS and self.connections:
            return 0
        self._last_background = time.monotonic()
        done = 0
        for work in background:
            try:
                done += work()
            except DATABASE_GONE:
                raise
            except Exception as problem:  # the border: one broken work must not stop the others
                logger.exception("outbox_background", extra={"work": work.__qualname__})
                if not connection.needs_rollback:
                    stops.note_trouble(work.__qualname__, problem)
        self.counts.background += done
        return done

    def _start(self) -> int:
        """Claim what there is room for, many at once: a claim costs as much for one as for all."""
        if not self.connections:
            claimed = claim_due(1)
        else:
            room = self._capacity - self._in_flight
            if room < self._capacity // 2 and self._in_flight:
                return 0
            claimed = claim_due(room)
        prepared = prepare_together(claimed) if self.connections else {}
        with self._lock:
            self._in_flight += len(claimed)
        for message in claimed:
            if self.connections:
                found = prepared.get(message.pk, UNREAD)
                self._jobs.put((message.priority, message.pk, message, found))
            else:
                self._handle(message, UNREAD)
        return len(claimed)

    @property
    def _capacity(self) -> int:
        """How many messages may be claimed at once; few where each call takes long."""
        is_fast = self._call_seconds < FAST_SECONDS
        return self.connections * (AHEAD_OF_FAST if is_fast else AHEAD)

    def _work(self) -> None:
        try:
            while True:
                _priority, _pk, message, prepared = self._jobs.get()
                if message is None:
                    return
                started = time.monotonic()
                self._handle(message, prepared)
                took = time.monotonic() - started
                self._call_seconds += (took - self._call_seconds) / 16  # a moving average
        finally:
            connections.close_all()

    def _handle(self, message: Message, prepared: Any) -> None:
        """Make the call. An ordinary success goes to the settler, all else is settled here."""
        is_passed_on = False
        result: Result | None = None
        try:
            tried = attempt(message, self.gateway or default_gateway(), prepared)
            if tried is None:
                return
            sender = senders[message.operation]
            if self.connections and tried.result == ACCEPTED and sender.is_settled_together:
                self._ended.put(tried)
                is_passed_on = True
                return
            settle(tried.message, tried.result, tried.exchanges)
            stops.take_note(tried.result, tried.exchanges)
            result = tried.result
        except Exception as problem:
            self._not_settled(message, problem)
        finally:
            if not is_passed_on:
                self._finish([result] if result is not None else [], ended=1)

    def _settle(self) -> None:
        """Write down accepted tries, as many at once as have ended meanwhile."""
        try:
            is_over = False
            while not is_over:
                tried = [self._ended.get()]
                while len(tried) < TOGETHER and not self._ended.empty():
                    tried.append(self._ended.get())
                is_over = None in tried
                self._settle_all([one for one in tried if one is not None])
        finally:
            connections.close_all()

    def _settle_all(self, tried: Sequence[Tried]) -> None:
        if not tried:
            return
        results: list[Result] = []
        try:
            settle_accepted(tried)
            results = [one.result for one in tried]
            for one in tried:
                stops.take_note(one.result, one.exchanges)
        except Exception:  # one of them must not cost the others their result
            logger.exception("outbox_not_settled_together", extra={"count": len(tried)})
            connection.close()
            results = [one.result for one in tried if self._settled_alone(one)]
        finally:
            self._finish(results, ended=len(tried))

    def _settled_alone(self, tried: Tried) -> bool:
        try:
            settle(tried.message, tried.result, tried.exchanges)
            stops.take_note(tried.result, tried.exchanges)
        except Exception as problem:
            self._not_settled(tried.message, problem)
            return False
        return True

    def _not_settled(self, message: Message, problem: Exception) -> None:
        """The border of a thread, which must outlive anything.

        The lease runs out and the message is asked about, so nothing is lost.
        """
        logger.error(
            "outbox_not_settled",
            extra={"message_id": message.pk, "error": type(problem).__name__},
            exc_info=problem,
        )
        if not connection.in_atomic_block:
            connection.close()

    def _finish(self, results: Sequence[Result], *, ended: int) -> None:
        """These tries are over: there is room for others."""
        with self._lock:
            self._in_flight -= ended
            for result in results:
                self.counts.add(result.outcome)
            has_room = self._in_flight <= self._capacity // 2
        for result in results:
            self._adapt(result)
        if has_room:
            self._wake.set()

    def _adapt(self, result: Result) -> None:
        """Give a partner that cannot be reached some rest instead of trying every message."""
        if result.outcome == Attempt.Outcome.UNREACHABLE or result.is_login_refused:
            self._failures += 1
            self._pause_until = time.monotonic() + min(backoff(self._failures), 30.0)
        elif result.outcome in (Attempt.Outcome.ACCEPTED, Attempt.Outcome.REFUSED):
            self._failures = 0


def drain_once(
    *, connections: int = 0, gateway: Gateway | None = None, limit: int | None = None
) -> Counts:
    """Send until nothing is due any more (or `limit` messages were tried), then return."""
    drainer = Drainer(connections=connections, gateway=gateway)
    idle_rounds = 0

    def finished() -> bool:
        nonlocal idle_rounds
        if limit is not None and drainer.counts.sent >= limit:
            return True
        if drainer.is_idle and not Message.objects.due(timezone.now()).exists():
            idle_rounds += 1
        else:
            idle_rounds = 0
        if drainer.is_paused or stops.is_stopped():
            return drainer.is_idle
        return idle_rounds > 1

    return drainer.run(until=finished)


_one_drainer = threading.Lock()


def drain_for(seconds: float) -> Counts:
    """Drain for so many seconds, busy or not: what comes in meanwhile is applied within a second.

    One drainer per process, whatever its concurrency: calls in flight never exceed the limit.
    A second call in the same process returns at once.
    """
    if not _one_drainer.acquire(blocking=False):
        return Counts()
    try:
        return Drainer().run(until=lambda: False, seconds=seconds)
    finally:
        _one_drainer.release()
