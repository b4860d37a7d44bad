"""One login for all: a session per service, renewed when Edu-iX says it is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from backoffice.eduix.errors import EduixError, EduixRefused, EduixUncertain, EduixUnreachable

FAILURE_SECONDS: Final = 5.0  # threads that waited for a failed login do not each try it again


class SessionKeeper:
    """Holds the sessionID of one service; only one thread logs in at a time."""

    def __init__(self, login: Callable[[], str], *, minutes: float) -> None:
        self._login = login
        self._seconds = minutes * 60
        self._lock = threading.Lock()
        self._session = ""
        self._since = 0.0
        self._failed: EduixError | None = None
        self._failed_at = 0.0

    def current(self) -> str:
        """The session to use now; logs in when there is none or it is old.

        Raises what the login raises.
        """
        with self._lock:
            if not self._session or time.monotonic() - self._since > self._seconds:
                self._session = ""
                self._session = self._new()
                self._since = time.monotonic()
            return self._session

    def drop(self, session: str) -> None:
        """Forget this session, unless another thread has renewed it already."""
        with self._lock:
            if self._session == session:
                self._session = ""

    def _new(self) -> str:
        """Log in, unless that failed a moment ago: then everybody gets the same answer."""
        failed = self._failed
        if failed is not None and time.monotonic() - self._failed_at < FAILURE_SECONDS:
            if isinstance(failed, EduixRefused):
                raise EduixRefused(failed.code, failed.text, on_login=True, is_repeated=True)
            raise EduixUnreachable(failed.text)
        try:
            session = self._login()
        except EduixUncertain as lost:
            # Only the login was lost: nothing of what should be sent has left us.
            self._failed, self._failed_at = lost, time.monotonic()
            raise EduixUnreachable(f"The login was not answered. {lost.text}") from lost
        except EduixError as failure:
            self._failed, self._failed_at = failure, time.monotonic()
            raise
        self._failed = None
        return session
