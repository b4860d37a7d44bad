"""Edu-iX in small for experiments: it notes who is inside at the same time, and fails at random.

A chain is told by the last digits of its keys: K000007 is a person, P000007 its place at the
school, C000007 its first credit and C100007 the next. Calls about two persons belong to both.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from backoffice.eduix_sandbox.reply import Reply
from backoffice.eduix_sandbox.rows import LedgerRow
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.soap import SoapService
from tests.outbox.conftest import SCHOOL

FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("drop_reply", {}),
    ("cut", {}),
    ("cut_answer", {}),
    ("unavailable", {"after": True}),
    ("unavailable", {"after": False}),
    ("html", {"status": 502, "after": True}),
    ("truncated", {}),
    ("empty", {"after": True}),
    ("fault", {"code": 1}),
    ("fault", {"code": 7}),
    ("fault", {"code": 11}),
    ("session_expired", {}),
    ("delay", {"seconds": 0.1, "after": True}),
    ("delay", {"seconds": 0.1}),
)
"""What may happen to any call and is nobody's mistake: before and after it took effect."""

HOLD_SECONDS: Final = 60.0  # the longest that an answer is held

_KEY: Final = re.compile(rb">[KPCN]\d(\d{5})<")
_REQUEST: Final = re.compile(rb"[<:](\w+)Request[ >]")


def working_with(sandbox: SandboxServer) -> dict[str, str]:
    """The environment of a process of the product whose Edu-iX is this one."""
    return {
        "EDUIX_PROFILE_URL": sandbox.profile_url,
        "EDUIX_CREDIT_URL": sandbox.credit_url,
        "EDUIX_USERNAME": sandbox.username,
        "EDUIX_PASSWORD": sandbox.password,
    }


class Partner:
    """The sandbox on a port of its own, in this process; `with` starts and stops it."""

    def __init__(self, *, faults: float = 0.0, seed: int = 0) -> None:
        self.sandbox = SandboxServer(schools=[SCHOOL], pace=0.02, seed=seed)
        self.overlaps: list[str] = []  # two calls of one chain at the same moment
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311  to be repeated, not to be secret
        self._inside: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self._gates: dict[str, threading.Event] = {}

    def __enter__(self) -> Partner:
        self.sandbox.start()
        application = self.sandbox._http.application if self.sandbox._http else None
        assert application is not None
        application.services = {
            name: cast(SoapService, _Watched(self, service))
            for name, service in application.services.items()
        }
        return self

    def __exit__(self, *exc_info: object) -> None:
        for gate in self._gates.values():
            gate.set()
        self.sandbox.stop()

    @property
    def environ(self) -> dict[str, str]:
        """What a process of the product needs to reach it."""
        return working_with(self.sandbox)

    def slow_down(self, operation: str, seconds: float, *, times: int = 1_000_000) -> None:
        """Let calls take effect at once and be answered later."""
        self.sandbox.control.trouble("delay", operation, seconds=seconds, after=True, times=times)

    def applied(self, operation: str = "") -> list[LedgerRow]:
        """The writes that took effect, oldest first."""
        return self.sandbox.control.ledger(operation=operation, applied=True)

    def applied_twice(self) -> list[str]:
        """Each write that took effect more than once."""
        times = Counter((row.operation, row.subject, row.intent) for row in self.applied())
        return [
            f"{operation} of {subject} took effect {number} times"
            for (operation, subject, _intent), number in times.items()
            if number > 1
        ]

    @contextmanager
    def holding(self, operation: str) -> Iterator[None]:
        """Calls take effect, and their answers wait until the end of this block."""
        gate = self._gates[operation] = threading.Event()
        try:
            yield
        finally:
            gate.set()

    def wait_at_gate(self, raw: bytes) -> None:
        """Where answers that are held wait."""
        gate = self._gates.get(_operation(raw))
        if gate is not None:
            gate.wait(HOLD_SECONDS)

    def calls(self, operation: str) -> int:
        """How often it was called, with or without effect."""
        return len(self.sandbox.control.ledger(operation=operation))

    @contextmanager
    def watching(self, raw: bytes) -> Iterator[None]:
        """Note a call from its arrival until its answer is ready."""
        chains = set(_KEY.findall(raw))
        operation = _operation(raw)
        with self._lock:
            for chain in chains:
                if self._inside[chain]:
                    self.overlaps.append(f"{operation} of {chain.decode()} beside another call")
            self._inside.update(chains)
            if chains and self._random.random() < self._faults:
                kind, options = self._random.choice(FAULTS)
                self.sandbox.control.trouble(kind, operation, **options)
        try:
            yield
        finally:
            with self._lock:
                self._inside.subtract(chains)


@dataclass(frozen=True)
class _Watched:
    """A service of the sandbox whose calls are noted."""

    partner: Partner
    service: SoapService

    def answer(self, raw: bytes, encoding: str | None = None) -> Reply:
        with self.partner.watching(raw):
            reply = self.service.answer(raw, encoding)
            self.partner.wait_at_gate(raw)
            return reply


def _operation(raw: bytes) -> str:
    found = _REQUEST.search(raw)
    return found[1].decode() if found else ""
