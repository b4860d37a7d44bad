"""What can be chosen about a sandbox."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from .faults import FaultSign
from .publishers import TABLE
from .schools import EXAMPLES, Schools
from .visit import Page

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def new_password() -> str:
    """A random password: there is no default one to leave behind."""
    return secrets.token_urlsafe(12)


@dataclass(kw_only=True)
class SandboxOptions:
    """All choices with their defaults; times are in seconds unless their name says otherwise."""

    port: int = 0
    """Port on 127.0.0.1; 0 takes a free one."""
    username: str = "demo"
    password: str = field(default_factory=new_password)
    distributor_id: int = 1001

    schools: Path | Sequence[dict[str, Any]] = EXAMPLES
    """A file like `examples/schools.json`, or its rows."""
    publishers: Path = TABLE
    seed: int = 0
    """Decides signs of faults, profileIDs, userIDs and default publishers' delays."""
    state_file: Path | None = None
    """Where the state survives a restart; None keeps it in memory."""
    fresh: bool = False
    """Begin with an empty state file."""

    session_minutes: float = 15
    session_calls: int | None = None
    """Calls after which a session expires; None = no limit."""
    fault_sign: FaultSign = "both"
    not_found: str = "empty"
    """How a get answers that finds nothing: "empty" list, "general" code 5, or "field" code."""
    page: Page | None = None
    """The control page for a browser; None serves none."""
    replayed_return: Literal["accepted", "exists"] = "accepted"
    """How a return is answered that was made before: done (and not done twice), or code 4."""
    max_bytes: int = 1_048_576
    max_results: int = 5_000
    """More results than this get code 8."""

    pace: float = 1.0
    """Factor on the waits of publishers and portals: 0.05 makes a minute three seconds."""
    prematch_seconds: float = 1.0
    never_linked: str = "9999"
    """A schoolStudentNumber with this ending is never linked by the portal."""
    unknown_postal_code: str = "9999 XX"
    """A Dutch postal code of the right form that does not exist (4967)."""

    endpoint: str = ""
    """Address for notifications, on loopback; empty sends none."""
    notification_version: Literal["4.0", "4.3"] = "4.0"
    endpoint_username: str = ""
    endpoint_password: str = ""
    notify_threads: int = 2
    notify_timeout: float = 10.0
    notify_first_wait: float = 0.5
    notify_longest_wait: float = 60.0
    notify_attempts: int = 60
    """Deliveries after which a notification is given up."""

    def check_endpoint(self) -> None:
        """Raises `ValueError` when the endpoint is anything but http on loopback."""
        parts = urlsplit(self.endpoint)
        if self.endpoint and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise ValueError("the endpoint for notifications must be an http address on loopback")

    def read_schools(self) -> Schools:
        """Raises `SchoolsError`."""
        if isinstance(self.schools, Path):
            return Schools.from_file(self.schools)
        return Schools.from_data(list(self.schools))
