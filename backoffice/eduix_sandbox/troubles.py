"""Troubles that can be ordered: the next calls or notifications go wrong in a chosen way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from backoffice.eduix.contract import OPERATIONS

from .options import LOOPBACK

ANY: Final = "*"
SERVICES: Final = ("profile", "credit")
NOTIFICATION: Final = "notification"

BEFORE: Final = "before"
AFTER: Final = "after"
CHOICE: Final = "choice"
OWN: Final = "own"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of trouble does, and when.

    `moment`: BEFORE = nothing is applied, AFTER = the call is applied first, CHOICE = as `after`
    of the order says (`after_unless_said` when it says nothing), OWN = as `text` says. `takes`
    are the fields of an order that mean something to it, besides those that every kind knows.
    """

    text: str
    moment: str = CHOICE
    after_unless_said: bool = False
    takes: tuple[str, ...] = ()
    seconds: float = 0.0
    status: int = 0
    statuses: tuple[int, ...] = ()

    @property
    def description(self) -> str:
        """The text with what happens to the call."""
        if self.moment != CHOICE:
            return self.text
        if self.after_unless_said:
            return f"{self.text}; the call is applied, or with `after` false it is not"
        return f"{self.text}; nothing is applied, or with `after` everything"


CALL_KINDS: Final[dict[str, Kind]] = {
    "fault": Kind("answer a Fault with `code` and `sign` (1 or -1)", takes=("code", "sign")),
    "fault_without_detail": Kind(
        "answer a Fault that has no detail; `place` says where the code stands then: nowhere, "
        "faultcode or faultstring",
        takes=("code", "sign", "place"),
    ),
    "session_expired": Kind(
        "end the sessions of the service: this call gets 12, or with `after` the next one", OWN
    ),
    "unavailable": Kind("answer 503 with Retry-After"),
    "cut": Kind("close the connection without an answer; nothing is applied", BEFORE),
    "cut_answer": Kind("close the connection in the middle of the answer", after_unless_said=True),
    "drop_reply": Kind("apply, then close the connection without an answer", AFTER),
    "delay": Kind(
        "answer well, but wait `seconds` before applying, or after it with `after`",
        OWN,
        takes=("seconds",),
        seconds=1.0,
    ),
    "hang": Kind(
        "wait `seconds` (an hour unless said), then close the connection without an answer",
        takes=("seconds",),
        seconds=3600.0,
    ),
    "drip": Kind(
        "apply, then send the answer one byte per `seconds`", AFTER, takes=("seconds",), seconds=1.0
    ),
    "html": Kind(
        "answer an HTML page with `status`",
        takes=("status",),
        status=200,
        statuses=(200, 403, 404, 500, 502, 503, 504),
    ),
    "empty": Kind("answer 200 without a body"),
    "truncated": Kind("answer half of the XML as if it were all", after_unless_said=True),
    "gzip_bomb": Kind(
        "answer 64 kB that become 64 MB when they are unpacked", after_unless_said=True
    ),
    "dtd": Kind("answer with a document type and entities", after_unless_said=True),
    "wrong_operation": Kind("answer as another operation would", after_unless_said=True),
    "redirect": Kind(
        "send the caller with `status` to `location`; who follows stands in the ledger",
        takes=("status", "location"),
        status=302,
        statuses=(301, 302, 303, 307, 308),
    ),
}
"""Troubles of calls to the services."""

NOTIFICATION_KINDS: Final[dict[str, Kind]] = {
    "duplicate": Kind("deliver the notification twice", OWN),
    "late": Kind(
        "deliver what is true now `seconds` later; what is newer does not wait for it",
        OWN,
        takes=("seconds",),
        seconds=2.0,
    ),
    "out_of_order": Kind(
        "hold the notification until a newer one of its subject has been delivered, at most "
        "`seconds`",
        OWN,
        takes=("seconds",),
        seconds=60.0,
    ),
    "lost": Kind("lose the notification; nobody sends it again", OWN),
    "dropped": Kind("lose this attempt on its way; it is sent again after the usual wait", OWN),
    "refused": Kind("deliver, but take the answer for a refusal and send again", OWN),
}
"""Troubles of what the sandbox tells the endpoint."""

ALL_KINDS: Final = {**CALL_KINDS, **NOTIFICATION_KINDS}

KINDS: Final[dict[str, str]] = {name: kind.description for name, kind in ALL_KINDS.items()}
"""Kind -> what it does."""

_MOST: Final = 9_999_999_999
"""Ten digits: the largest code that a Fault has room for."""

PLACES: Final = ("nowhere", "faultcode", "faultstring")


class TroubleError(ValueError):
    """An order that makes no sense; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with the next `times` calls of an operation ("*" = all) of a service."""

    kind: str
    operation: str = ANY
    service: str = ANY
    times: int = 1
    code: int = 1
    sign: int | None = None
    seconds: float = 1.0
    after: bool = False
    status: int = 0
    place: str = "nowhere"
    location: str = ""

    @property
    def applies(self) -> bool:
        """Whether the call is applied, be it that its answer goes wrong."""
        return self.after or self.kind == "delay" or ALL_KINDS[self.kind].moment == AFTER

    def meets(self, service: str, operation: str) -> bool:
        """A kind for notifications never meets a call; a login has no session that could end."""
        if (self.kind in NOTIFICATION_KINDS) != (service == NOTIFICATION):
            return False
        if self.kind == "session_expired" and operation == "login":
            return False
        return self.service in {ANY, service} and self.operation in {ANY, operation}


def trouble_from(order: Mapping[str, object]) -> Trouble:
    """A trouble from plain data; raises `TroubleError` for an unknown name or a wrong value."""
    wrong = sorted(set(order) - set(Trouble.__dataclass_fields__))
    if wrong:
        raise TroubleError(f"unknown: {', '.join(wrong)}")
    name = str(order.get("kind"))
    if name not in ALL_KINDS:
        raise TroubleError(f"kind must be one of {', '.join(ALL_KINDS)}")
    kind = ALL_KINDS[name]
    service, operation = _target(order, name)
    sign = order.get("sign")
    if sign not in {None, 1, -1}:
        raise TroubleError("sign must be 1 or -1")
    return Trouble(
        kind=name,
        operation=operation,
        service=service,
        times=int(_number(order, "times", 1, least=1)),
        code=int(_number(order, "code", 1, least=0)),
        sign=None if sign is None else int(str(sign)),
        seconds=_number(order, "seconds", kind.seconds, least=0),
        after=_after(order, name, kind),
        status=_status(order, kind),
        place=_place(order),
        location=_location(order),
    )


def _target(order: Mapping[str, object], kind: str) -> tuple[str, str]:
    """The service and the operation, each a name or ANY."""
    services = (NOTIFICATION,) if kind in NOTIFICATION_KINDS else SERVICES
    service, operation = _text(order, "service", ANY), _text(order, "operation", ANY)
    if service not in {ANY, *services}:
        raise TroubleError(f"service must be {', '.join(services)} or * for {kind}")
    known = {name for one in services if service in {ANY, one} for name in OPERATIONS[one]}
    if operation not in {ANY, *known}:
        raise TroubleError(f"there is no operation {operation} that could meet {kind}")
    return service, operation


def _after(order: Mapping[str, object], name: str, kind: Kind) -> bool:
    after = order.get("after", kind.after_unless_said)
    if not isinstance(after, bool):
        raise TroubleError("after must be true or false")
    if after and kind.moment == BEFORE:
        raise TroubleError(f"{name} comes before applying; drop_reply is what comes after it")
    if name in NOTIFICATION_KINDS and after:
        raise TroubleError(f"{name} has no after")
    return after


def _status(order: Mapping[str, object], kind: Kind) -> int:
    status = order.get("status") or kind.status
    if status and kind.statuses and status not in kind.statuses:
        raise TroubleError(f"status must be one of {', '.join(map(str, kind.statuses))}")
    return int(str(status)) if kind.statuses else 0


def _place(order: Mapping[str, object]) -> str:
    place = _text(order, "place", PLACES[0])
    if place not in PLACES:
        raise TroubleError(f"place must be one of {', '.join(PLACES)}")
    return place


def _location(order: Mapping[str, object]) -> str:
    """On this machine only: nobody may use the sandbox to send a client into the world."""
    location = _text(order, "location", "")
    parts = urlsplit(location)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not location.isprintable() or (location and not local):
        raise TroubleError("location must be an http address on loopback")
    return location


def _text(order: Mapping[str, object], name: str, default: str) -> str:
    value = order.get(name, default)
    if not isinstance(value, str):
        raise TroubleError(f"{name} must be a text")
    return value


def _number(order: Mapping[str, object], name: str, default: float, *, least: float) -> float:
    value = order.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= least:
        raise TroubleError(f"{name} must be a number of at least {least:g}")
    if value > _MOST:
        raise TroubleError(f"{name} must be a number of at most {_MOST}")
    return value


class Troubles:
    """The orders that wait; the oldest that fits a call is taken first."""

    def __init__(self) -> None:
        self._waiting: list[Trouble] = []
        self._lock = threading.Lock()

    def add(self, trouble: Trouble) -> None:
        with self._lock:
            self._waiting.append(trouble)

    def take(self, service: str, operation: str) -> Trouble | None:
        """The trouble for this call, counted off; None when all is well."""
        with self._lock:
            for place, trouble in enumerate(self._waiting):
                if trouble.meets(service, operation):
                    if trouble.times > 1:
                        self._waiting[place] = replace(trouble, times=trouble.times - 1)
                    else:
                        del self._waiting[place]
                    return trouble
        return None

    def waiting(self) -> list[Trouble]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
