"""One of the two services: calls with a session, and one login when there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backoffice.eduix.checks import refuse_wrong_address
from backoffice.eduix.client import SoapClient
from backoffice.eduix.errors import (
    LOGIN_REFUSED,
    NOT_THERE,
    SESSION_GONE,
    EduixRefused,
    EduixUncertain,
)
from backoffice.eduix.session import Login, SessionKeeper, SessionStore

StoreOf = Callable[[Login], SessionStore]
"""Where the session of a login is kept."""

MOST_SESSIONS: Final = 4  # for one call: others may use up a new one before it


class Service:
    """One of the two services with its own login and session."""

    def __init__(
        self,
        name: str,
        *,
        address: str,
        wsdl: str,
        user: str,
        password: str,
        minutes: float,
        environment: str = "embedded",
        store_of: StoreOf | None = None,
    ) -> None:
        self._client = SoapClient(name, address=address, wsdl=wsdl)
        refuse_wrong_address(name, self._client.address, wsdl, environment)
        self._user = user
        self._password = password
        login = Login(name, self._client.address, user, password)
        self._session = SessionKeeper(
            self.login, minutes=minutes, store=store_of(login) if store_of else None
        )

    @property
    def client(self) -> SoapClient:
        """For who looks at the service itself: its address, its dialect, its certificate."""
        return self._client

    def sign_on(self) -> None:
        """Make sure that there is a session; raises what the login raises."""
        self._session.current()

    def login(self) -> str:
        """A new sessionID; raises `EduixRefused` with `on_login` when we are not let in."""
        answer = self._client.call(
            "login",
            headers={"loginHeader": {"username": self._user, "password": self._password}},
        )
        session = str(getattr(answer, "sessionID", answer) or "").strip()
        if not session:
            raise EduixUncertain("The login was answered without a session.")
        return session

    def write(self, operation: str, **arguments: Any) -> None:
        """An operation that changes something, with a session."""
        self._with_session(
            operation, lambda session: {"sessionIDHeader": {"sessionID": session}}, arguments
        )

    def read(self, operation: str, **arguments: Any) -> Any:
        """A get; None where nothing was found."""
        try:
            return self._with_session(
                operation,
                lambda session: {"authHeader": {"sessionIDHeader": {"sessionID": session}}},
                arguments,
            )
        except EduixRefused as refused:
            if refused.number in NOT_THERE:
                return None
            raise

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _with_session(
        self,
        operation: str,
        headers: Callable[[str], dict[str, Any]],
        arguments: dict[str, Any],
    ) -> Any:
        """Call once; when the session is gone, log in once more and call again.

        The new session may be gone already, where many calls use it up: then another one is tried.
        """
        sessions = 0
        while True:
            session = self._session.current()
            sessions += 1
            try:
                return self._client.call(operation, headers=headers(session), **arguments)
            except EduixRefused as refused:
                is_gone = refused.number in SESSION_GONE
                # 2 on a call that carried a session speaks of the session, not of our password
                is_login = refused.number in LOGIN_REFUSED and sessions == 1
                if not (is_gone or is_login) or sessions == MOST_SESSIONS:
                    raise
                self._session.drop(session)
