"""`manage.py` with parts of the product replaced: first the names of patches, then the command.

A patch that finds its target gone ends the process, so that no control stays green in silence.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402  after Django is set up
from django.utils import timezone  # noqa: E402

from backoffice.eduix import exchange, gateway, records, session  # noqa: E402
from backoffice.outbox import breaker, clock, delivery, sessions, settling, stops  # noqa: E402
from tests.chaos.outbound.workers.wrong_clock import follow  # noqa: E402
from tests.chaos.workers.patching import replace  # noqa: E402

SHORT_SECONDS: Final = 0.4


def require(function: Callable[..., Any], *names: str) -> None:
    """Raises `TypeError` when a function that is replaced has other parameters by now."""
    missing = set(names) - set(inspect.signature(function).parameters)
    if missing:
        raise TypeError(f"{function.__qualname__} has no {', '.join(sorted(missing))}")


def short_deadline() -> None:
    """One call has a fraction of a second in all."""
    begin = exchange.Transport.__init__
    require(begin, "total_seconds")

    def started(self: exchange.Transport, address: str, **_options: Any) -> None:
        begin(self, address, total_seconds=SHORT_SECONDS)

    replace(exchange.Transport, "__init__", started)


def short_rests() -> None:
    """The same steps between tries, and after a failed login, a hundred times as short."""
    steps = settling.BACKOFF_SECONDS
    replace(settling, "BACKOFF_SECONDS", tuple(step / 100 for step in steps))
    replace(session, "FAILURE_SECONDS", session.FAILURE_SECONDS / 100)


def brief_outages() -> None:
    """A tenth of all times that have to do with an outage."""
    steps = settling.BACKOFF_SECONDS
    replace(settling, "BACKOFF_SECONDS", tuple(step / 10 for step in steps))
    replace(breaker, "LONGEST_PAUSE", breaker.LONGEST_PAUSE / 10)
    for name in ("LOOK_SECONDS", "RESCUE_SECONDS"):
        replace(delivery, name, getattr(delivery, name) / 10)


def no_breaker() -> None:
    """Nobody tells the others that Edu-iX cannot be reached."""
    replace(breaker, "note_unreachable", breaker.look)


def no_question() -> None:
    """An uncertain answer counts as "queued again"."""
    columns = settling._columns
    require(columns, "message", "result", "now")

    def without(*args: Any, **kwargs: Any) -> dict[str, object]:
        found = columns(*args, **kwargs)
        if "ask_first" not in found:
            raise KeyError("ask_first")
        return found | {"ask_first": False}

    replace(settling, "_columns", without)


def own_sessions() -> None:
    """Each thread logs in for itself."""
    keeper = session.SessionKeeper
    begin = keeper.__init__
    require(begin, "login")
    logins: dict[int, Callable[[], str]] = {}
    held: dict[tuple[int, int], str] = {}  # by keeper and thread

    def started(self: session.SessionKeeper, login: Callable[[], str], **more: Any) -> None:
        begin(self, login, **more)
        logins[id(self)] = login

    def current(self: session.SessionKeeper) -> str:
        mine = id(self), threading.get_ident()
        if mine not in held:
            held[mine] = logins[id(self)]()
        return held[mine]

    def drop(self: session.SessionKeeper, _session: str) -> None:
        held.pop((id(self), threading.get_ident()), None)

    replace(keeper, "__init__", started)
    replace(keeper, "current", current)
    replace(keeper, "drop", drop)


def no_stop() -> None:
    """A refused login is tried for ever."""
    for module in (sessions, stops):
        replace(module, "LOGIN_TRIES", 1_000_000)


def fresh_references() -> None:
    """Each try of a return has a reference of its own."""
    for name in ("return_person_credit", "return_school_credit"):
        _with_fresh_reference(name)


def _with_fresh_reference(name: str) -> None:
    give_back = getattr(gateway.Gateway, name)
    require(give_back, "reference")

    def fresh(self: gateway.Gateway, **values: Any) -> None:
        give_back(self, **values | {"reference": uuid4().hex})

    replace(gateway.Gateway, name, fresh)


def no_comparing() -> None:
    """Two records of one key are always equal."""
    require(records.Record.differences, "other")
    replace(records.Record, "differences", lambda _self, _other: [])


def wrong_clock() -> None:
    """Its clock stands where a file says."""
    follow()


def no_mending() -> None:
    """What a wrong clock has left behind stays."""
    require(clock.mend, "now")
    replace(clock, "mend", lambda now: 0)


def own_lease_clock() -> None:
    """Leases are told by the clock of this process."""
    replace(clock, "lease_now", timezone.now)


PATCHES: Final[dict[str, Callable[[], None]]] = {
    patch.__name__: patch
    for patch in (
        short_deadline,
        short_rests,
        brief_outages,
        no_breaker,
        no_question,
        own_sessions,
        no_stop,
        fresh_references,
        no_comparing,
        wrong_clock,
        no_mending,
        own_lease_clock,
    )
}


def main() -> None:
    arguments = sys.argv[1:]
    while arguments[0] in PATCHES:
        PATCHES[arguments.pop(0)]()
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main()
