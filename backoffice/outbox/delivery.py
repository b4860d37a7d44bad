"""The drainer: takes what is due, sends it over a fixed number of connections, writes the result.

`manage.py deliver` and the Celery task run the same code. The promise is in docs/delivery.md.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.utils import timezone

from backoffice.eduix.errors import EduixMisfit
from backoffice.eduix.gateway import Gateway, default_gateway
from backoffice.outbox import breaker, clock, stops
from backoffice.outbox.counts import Counts
from backoffice.outbox.in_hand import InHand
from backoffice.outbox.models import Attempt, Message
from backoffice.outbox.pace import Pace
from backoffice.outbox.registry import background, senders
from backoffice.outbox.settling import (
    ACCEPTED,
    Result,
    Tried,
    backoff,
    give_back,
    rescue,
    settle,
    settle_accepted,
)
from backoffice.outbox.trying import (
    DATABASE_GONE,
    UNREAD,
    attempt,
    claim_due,
    is_too_slow,
    prepare_together,
)

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2
RESCUE_SECONDS: Final = 5.0
BACKGROUND_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.5
MISFIT_SECONDS: Final = 30.0  # until a WSDL that could not be used is read again
TOGETHER: Final = 256  # tries settled in one transaction
GATHER_SECONDS: Final = 0.02
MOST_ENDING: Final = 1024  # answers that wait for the settler; more mean that the database is slow


class Drainer:
    """One per process: a thread per connection to Edu-iX, fed by one loop.

    With `connections=0` everything happens in the calling thread. `is_patient` heeds the pause
    that all workers share; without it a try is made at once.
    """

    def __init__(
        self,
        *,
        connections: int | None = None,
        gateway: Gateway | None = None,
        is_patient: bool = True,
    ) -> None:
        self.connections = settings.EDUIX_CONNECTIONS if connections is None else connections
        self.gateway = gateway
        self.is_patient = is_patient
        self.counts = Counts()
        self._is_stopping = False
        self._waiting = InHand()
        self._ended: queue.SimpleQueue[Tried | None] = queue.SimpleQueue()
        self._in_flight = 0  # claimed, and not written down yet
        self._ending = 0  # of these: answered, with the settler
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._pause_until = 0.0
        self._failures = 0
        self._last_rescue = self._last_background = self._last_look = 0.0
        self._clock = clock.Watch()
        self._seen = breaker.Seen()
        self._pace = Pace(self.connections)

    def run(self, *, until: Callable[[], bool], seconds: float = inf) -> Counts:
        """Drain until `until` says so, time is up, or `stop()`.

        `until` is asked when there is nothing to start.
        """
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(number,), name=f"eduix-{number}", daemon=True)
            for number in range(self.connections)
        ]
        settler = threading.Thread(target=self._settle, name="eduix-settle", daemon=True)
        for thread in threads:
            thread.start()
        if threads:
            settler.start()
        try:
            while not self._is_stopping and time.monotonic() < end:
                self._wake.clear()
                if not self._round():
                    if until():
                        break
                    if self.connections or self.is_paused:
                        self._wake.wait(POLL_SECONDS)
        finally:
            self._give_back_waiting()
            self._waiting.end(len(threads))
            for thread in threads:
                thread.join()
            if threads:
                self._ended.put(None)
                settler.join()
        return self.counts

    def stop(self) -> None:
        """Finish the calls under way, give back the rest, and return from `run`.

        Safe in a signal handler: those run between two instructions of the main thread, which
        may hold the lock of any Event at that moment, and would then wait for itself.
        """
        self._is_stopping = True

    def _give_back_waiting(self) -> None:
        """What was claimed and not begun is for whoever comes next, or for later."""
        if left := self._waiting.take_all():
            self._give_back(left)
            self._finish([], ended=len(left))

    def _give_back(self, messages: Sequence[Message]) -> None:
        try:
            give_back(messages)
        except Exception:  # the border: their leases run out, and they are asked about
            logger.exception("outbox_not_given_back", extra={"count": len(messages)})
            self._hang_up()

    @property
    def is_idle(self) -> bool:
        """Nothing under way in this process."""
        return self._in_flight == 0

    @property
    def is_paused(self) -> bool:
        """Edu-iX could not be reached, or refused our login, a moment ago."""
        shared = self.is_patient and self._seen.is_paused(timezone.now())
        return shared or time.monotonic() < self._pause_until

    def _round(self) -> int:
        """One look at the outbox; returns how much was done or started."""
        if self._pace.look():
            self._waiting.let(self._pace.at_once)
        try:
            if not connection.in_atomic_block:
                close_old_connections()
            done = self._background()
            now = time.monotonic()
            is_time = now - self._last_rescue > RESCUE_SECONDS
            if is_time:
                self._last_rescue = now
                if self._clock.was_put_back():
                    clock.mend(timezone.now())
                rescue(clock.lease_now())
            self._look()
            if not (self.is_paused or self._seen.is_stopped) and self._has_gateway():
                done += self._start()
            if is_time:
                stops.beat()  # after a whole round: who cannot claim gives no sign of life
            return done
        except DATABASE_GONE as problem:
            logger.error("outbox_database", extra={"error": type(problem).__name__})
            connection.close()
            time.sleep(1)
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

    def _look(self) -> None:
        """Whether sending is stopped or paused for all; asked twice a second at most."""
        now = time.monotonic()
        if now - self._last_look > LOOK_SECONDS or not self.connections:
            before, self._last_look, self._seen = self._seen, now, breaker.look()
            if self._seen.resumed_at != before.resumed_at:  # a colleague said: try now
                self._pause_until, self._failures = 0.0, 0

    def _background(self) -> int:
        """Apply notifications and the like, at least once a second."""
        if time.monotonic() - self._last_background < BACKGROUND_SECONDS and self.connections:
            return 0
        self._last_background = time.monotonic()
        done = 0
        for work in background:
            try:
                done += work()
            except Exception as problem:  # the border: one broken work must not stop the others
                if isinstance(problem, DATABASE_GONE) and not is_too_slow(problem):
                    raise
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
            room = self._room
            if room < max(1, self._capacity // 2) and self._in_flight:
                return 0
            if self._seen.failures and self.is_patient and not breaker.take_turn(timezone.now()):
                return 0  # the rest is over, and another worker asks
            claimed = claim_due(room)
        prepared = self._prepared(claimed) if self.connections else {}
        with self._lock:
            self._in_flight += len(claimed)
        for message in claimed:
            if self.connections:
                self._waiting.put(message, prepared.get(message.pk, UNREAD))
            else:
                self._handle(message, UNREAD)
        return len(claimed)

    def _prepared(self, claimed: Sequence[Message]) -> dict[int, Any]:
        try:
            return prepare_together(claimed)
        except DATABASE_GONE:  # or a lock that was waited for too long
            self._hang_up()
            self._give_back(claimed)
            raise

    @property
    def _capacity(self) -> int:
        """How many messages may be claimed at once."""
        if self._seen.failures and self.is_patient:
            return 1  # one asks whether Edu-iX is back
        return self._pace.capacity

    @property
    def _room(self) -> int:
        """How many more may be claimed; what the settler has keeps no connection busy."""
        if self._ending > MOST_ENDING or (self._seen.failures and self.is_patient):
            return self._capacity - self._in_flight
        return self._capacity - self._in_flight + self._ending

    def _work(self, number: int) -> None:
        try:
            while True:
                message, prepared = self._waiting.take(number)
                if message is None:
                    return
                self._pace.begin(number)
                cpu = time.thread_time()
                self._handle(message, prepared)
                self._pace.end(number, time.thread_time() - cpu)
                if self._pace.is_overtaken(len(self._waiting)):
                    self._give_back_waiting()
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
                with self._lock:
                    self._ending += 1
                self._ended.put(tried)
                is_passed_on = True
                if self._room >= self._capacity // 2:
                    self._wake.set()
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
                if self._in_flight > self._ending and self._ended.qsize() < TOGETHER // 2:
                    time.sleep(GATHER_SECONDS)  # others end meanwhile, and are written with it
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
            with self._lock:
                self._ending -= len(tried)
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
        self._hang_up()

    def _hang_up(self) -> None:
        """Make a new connection to the database next time: this one may be broken."""
        if not connection.in_atomic_block:
            connection.close()

    def _finish(self, results: Sequence[Result], *, ended: int) -> None:
        """These tries are over: there is room for others."""
        with self._lock:
            self._in_flight -= ended
            for result in results:
                self.counts.add(result.outcome)
            has_room = self._room >= self._capacity // 2
        for result in results:
            self._adapt(result)
        if has_room:
            self._wake.set()

    def _adapt(self, result: Result) -> None:
        """Give a partner that cannot be reached some rest, and one that falters fewer calls."""
        outcome, now = result.outcome, time.monotonic()
        if outcome == Attempt.Outcome.UNREACHABLE or result.is_login_refused:
            self._failures += 1
            if result.is_login_refused or not self.is_patient:
                self._pause_until = now + min(backoff(self._failures), breaker.LONGEST_PAUSE)
            if outcome == Attempt.Outcome.UNREACHABLE:
                self._note(breaker.note_unreachable)
            self._give_back_waiting()
        elif outcome == Attempt.Outcome.UNCERTAIN:
            if self._pace.slow_down():
                self._give_back_waiting()
        elif outcome in (Attempt.Outcome.ACCEPTED, Attempt.Outcome.REFUSED):
            self._failures = 0
            self._pace.speed_up()
            if self._seen.failures:
                self._note(breaker.note_reachable)

    def _note(self, tell: Callable[[], breaker.Seen]) -> None:
        try:
            self._seen = tell()
        except DATABASE_GONE as problem:  # the next round finds out by itself
            logger.error("outbox_database", extra={"error": type(problem).__name__})
