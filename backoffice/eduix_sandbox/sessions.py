"""Session tokens: one kind per service, with an end."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

from .faults import NOT_AUTHORISED, SESSION_EXPIRED, Refusal, field_refusal

SESSION_ID_BASE = 6860


@dataclass
class Session:
    """A login: `ends` on the monotonic clock, in seconds."""

    service: str
    ends: float
    calls: int = 0


class Sessions:
    """Sessions end after a time, after a number of calls, or when told to.

    How long the real ones live is not published; an ended session gets code 12.
    """

    def __init__(self, *, minutes: float, calls: int | None) -> None:
        self._seconds = minutes * 60
        self._most_calls = calls
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()
        self.logins = 0

    def begin(self, service: str) -> str:
        """A new sessionID (32 characters)."""
        token = secrets.token_hex(16)
        now = time.monotonic()
        with self._lock:
            self.logins += 1
            self._open = {key: one for key, one in self._open.items() if one.ends > now}
            self._open[token] = Session(service, now + self._seconds)
        return token

    def use(self, token: str, service: str) -> None:
        """Count a call; refuses with 12 when the session is gone, 6868 on the other service."""
        with self._lock:
            session = self._open.get(token)
            if session is None or session.ends <= time.monotonic():
                self._open.pop(token, None)
                raise Refusal(SESSION_EXPIRED, "the session has expired")
            if session.service != service:
                raise field_refusal(SESSION_ID_BASE, NOT_AUTHORISED, "sessionID")
            session.calls += 1
            if self._most_calls is not None and session.calls > self._most_calls:
                del self._open[token]
                raise Refusal(SESSION_EXPIRED, "the session has expired")

    def expire(self, service: str = "") -> int:
        """End all sessions, or those of one service; returns how many."""
        with self._lock:
            ended = [key for key, one in self._open.items() if service in {"", one.service}]
            for key in ended:
                del self._open[key]
        return len(ended)

    def count(self) -> int:
        now = time.monotonic()
        with self._lock:
            return sum(one.ends > now for one in self._open.values())
