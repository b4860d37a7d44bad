"""One login for all: a session per service, renewed when Edu-iX says it is gone.

A `SessionKeeper` stands in each process; what its threads share with other processes lies in a
`SessionStore`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from backoffice.eduix.errors import EduixError, EduixRefused, EduixUncertain, EduixUnreachable

FAILURE_SECONDS: Final = 5.0  # who waited for a failed login does not try it again at once
LEASE_SECONDS: Final = 40.0  # a login takes at most 35: 5 to connect and 30 in all
WAIT_SECONDS: Final = 45.0  # for the login of another process: longer than its lease
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Login:
    """Whose session it is: one of another address, user or password is never used."""

    service: str
    address: str
    username: str
    password: str


@dataclass(frozen=True)
class Failure:
    """The last login failed: `code` as received, None when it was not answered."""

    text: str
    code: int | None
    age: float  # seconds


@dataclass(frozen=True)
class Shared:
    """What is known of a session: "" for none, else with its age in seconds."""

    session: str
    version: int  # changes with every login that ended, well or badly
    age: float = 0.0
    failure: Failure | None = None


class SessionStore(Protocol):
    """Where the session of one login is kept; its methods may raise `EduixUnreachable`."""

    def look(self) -> Shared:
        """What is known now."""

    def begin(self, version: int) -> bool:
        """Take the right to log in; False when another has it, or has logged in since."""

    def succeed(self, version: int, session: str) -> Shared:
        """Keep the session of a login that was begun at this version."""

    def fail(self, version: int, failure: EduixError) -> None:
        """A login that was begun at this version did not succeed."""

    def drop(self, version: int) -> None:
        """Forget the session of this version, not a newer one."""


class MemoryStore:
    """A store for one process."""

    def __init__(self) -> None:
        self._version = 0
        self._session = ""
        self._since = 0.0
        self._failed: tuple[EduixError, float] | None = None

    def look(self) -> Shared:
        """What is known now."""
        now = time.monotonic()
        failure = None
        if self._failed is not None:
            error, at = self._failed
            code = error.code if isinstance(error, EduixRefused) else None
            failure = Failure(error.text, code, now - at)
        return Shared(self._session, self._version, now - self._since, failure)

    def begin(self, version: int) -> bool:
        """The keeper's lock lets one thread in."""
        return version == self._version

    def succeed(self, version: int, session: str) -> Shared:
        """Keep the session."""
        self._version, self._session = version + 1, session
        self._since, self._failed = time.monotonic(), None
        return self.look()

    def fail(self, version: int, failure: EduixError) -> None:
        """Remember why."""
        self._version, self._session = version + 1, ""
        self._failed = failure, time.monotonic()

    def drop(self, version: int) -> None:
        """Forget the session of this version."""
        if version == self._version:
            self._session = ""


class SessionKeeper:
    """Holds the sessionID of one service for this process; only one thread logs in at a time."""

    def __init__(
        self, login: Callable[[], str], *, minutes: float, store: SessionStore | None = None
    ) -> None:
        self._login = login
        self._seconds = minutes * 60
        self._store = MemoryStore() if store is None else store
        self._lock = threading.Lock()
        self._held = Shared("", -1)
        self._until = 0.0

    def current(self) -> str:
        """The session to use now; logs in when there is none or it is old.

        Raises what the login raises; `EduixUnreachable` when another process logs in for too long.
        """
        with self._lock:
            if not self._held.session or time.monotonic() > self._until:
                self._held = self._shared()
                self._until = time.monotonic() + self._seconds - self._held.age
            return self._held.session

    def drop(self, session: str) -> None:
        """Forget this session, unless another thread or process has renewed it already."""
        with self._lock:
            if self._held.session == session:
                self._store.drop(self._held.version)
                self._held = Shared("", -1)

    def _shared(self) -> Shared:
        """The session of all processes; the one that may logs in, the others wait for it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            known = self._store.look()
            if known.session and known.age < self._seconds:
                return known
            if known.failure is not None and known.failure.age < FAILURE_SECONDS:
                raise _again(known.failure)
            if self._store.begin(known.version):
                return self._new(known.version)
            if time.monotonic() > deadline:
                raise EduixUnreachable("Another process has been logging in for too long.")
            time.sleep(POLL_SECONDS)

    def _new(self, version: int) -> Shared:
        try:
            session = self._login()
        except EduixUncertain as lost:
            # Only the login was lost: nothing of what should be sent has left us.
            self._store.fail(version, lost)
            raise EduixUnreachable(f"The login was not answered. {lost.text}") from lost
        except EduixError as failure:
            self._store.fail(version, failure)
            raise
        return self._store.succeed(version, session)


def _again(failure: Failure) -> EduixError:
    """What everybody gets who waited for a login that failed a moment ago."""
    if failure.code is None:
        return EduixUnreachable(failure.text)
    return EduixRefused(failure.code, failure.text, on_login=True, is_repeated=True)
