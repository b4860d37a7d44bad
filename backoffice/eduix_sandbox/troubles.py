"""Troubles that can be ordered: the next calls of an operation go wrong in a chosen way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from backoffice.eduix.contract import OPERATIONS

ANY: Final = "*"
SERVICES: Final = ("profile", "credit")

Kind = Literal["fault", "unavailable", "cut", "drop_reply", "delay", "hang"]

KINDS: Final[dict[str, str]] = {
    "fault": "answer a Fault with `code` (and `sign` 1 or -1); nothing is applied",
    "unavailable": "answer 503 with Retry-After; nothing is applied",
    "cut": "close the connection without an answer; nothing is applied",
    "drop_reply": "apply, then close the connection without an answer",
    "delay": "wait `seconds` before applying, or after it with `after`",
    "hang": "as delay, but for an hour unless `seconds` says otherwise, and without an answer",
}
"""Kind -> what it does."""

_HANG_SECONDS: Final = 3600.0


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

    def meets(self, service: str, operation: str) -> bool:
        return self.service in {ANY, service} and self.operation in {ANY, operation}


def trouble_from(order: Mapping[str, object]) -> Trouble:
    """A trouble from plain data; raises `TroubleError` for an unknown name or a wrong value."""
    wrong = sorted(set(order) - set(Trouble.__dataclass_fields__))
    if wrong:
        raise TroubleError(f"unknown: {', '.join(wrong)}")
    kind = order.get("kind")
    if kind not in KINDS:
        raise TroubleError(f"kind must be one of {', '.join(KINDS)}")
    service = _text(order, "service")
    operation = _text(order, "operation")
    if service not in {ANY, *SERVICES}:
        raise TroubleError("service must be profile, credit or *")
    known = {name for one in SERVICES if service in {ANY, one} for name in OPERATIONS[one]}
    if operation not in {ANY, *known}:
        raise TroubleError(f"there is no operation {operation}")
    sign = order.get("sign")
    if sign not in {None, 1, -1}:
        raise TroubleError("sign must be 1 or -1")
    return Trouble(
        kind=str(kind),
        operation=operation,
        service=service,
        times=int(_number(order, "times", 1, least=1)),
        code=int(_number(order, "code", 1, least=0)),
        sign=None if sign is None else int(str(sign)),
        seconds=_number(order, "seconds", _HANG_SECONDS if kind == "hang" else 1.0, least=0),
        after=bool(order.get("after", False)),
    )


def _text(order: Mapping[str, object], name: str) -> str:
    value = order.get(name, ANY)
    if not isinstance(value, str):
        raise TroubleError(f"{name} must be a text")
    return value


def _number(order: Mapping[str, object], name: str, default: float, *, least: float) -> float:
    value = order.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < least:
        raise TroubleError(f"{name} must be a number of at least {least:g}")
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
