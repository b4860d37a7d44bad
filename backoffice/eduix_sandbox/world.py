"""The parts of one sandbox, handed to whatever needs them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from .options import SandboxOptions
from .publishers import Publishers
from .rows import Credit, Event, Outgoing, Person
from .schools import Schools
from .sessions import Sessions
from .store import Store
from .troubles import Troubles

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


@dataclass
class World:
    """State and rules of one Edu-iX in small; `stopping` is set when the server goes down."""

    options: SandboxOptions
    store: Store
    schools: Schools
    publishers: Publishers
    sessions: Sessions
    troubles: Troubles = field(default_factory=Troubles)
    stopping: threading.Event = field(default_factory=threading.Event)

    def today(self) -> date:
        """The day in the Netherlands."""
        return datetime.now(AMSTERDAM).date()

    def token(self, *about: str) -> str:
        """Sixteen characters that follow from the seed and from what they are about."""
        text = ":".join([str(self.options.seed), *about])
        return sha256(text.encode()).hexdigest()[:16]

    def later(
        self, kind: str, subject: str, seconds: float, *, amount: int = 0, part: str = ""
    ) -> None:
        """Let something happen after so many seconds times the pace; planning again replaces."""
        due = time.time() + seconds * self.options.pace
        key = ":".join(filter(None, (kind, subject, part)))
        self.store.events.put(Event(key, kind, subject, due, amount))

    def tell_about_person(self, person: Person) -> None:
        """Queue a prematchChanged; one per person waits, since it tells the state of its leave."""
        self._tell("prematchChanged", str(person.profile_id))

    def tell_about_credit(self, kind: str, credit: Credit) -> None:
        """Queue a specificationChanged for a "personCredit" or a "schoolCredit"."""
        self._tell("specificationChanged", f"{kind}:{credit.key}")

    def _tell(self, operation: str, subject: str) -> None:
        if not self.options.endpoint:
            return
        key = f"{operation}:{subject}"
        new = Outgoing(key, operation, subject, due=time.time())
        if old := self.store.outgoing.get(key):
            new = replace(new, version=old.version + 1)
        self.store.outgoing.put(new)
