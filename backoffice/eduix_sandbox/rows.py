"""What the sandbox remembers: frozen rows, each with a `key`, that survive as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """A person by distributorPersonID; `fields` holds the scalar elements as they were sent.

    `profile_id` and `user_id` are Edu-iX' to give: the first on create, the second when a
    portal links the person.
    """

    key: str
    profile_id: int
    fields: dict[str, str]
    user_id: str = ""

    @property
    def eck_id(self) -> str:
        return self.fields.get("eckID", "")


@dataclass(frozen=True, slots=True)
class SchoolPerson:
    """A person at a school, by distributorSchoolPersonID."""

    key: str
    fields: dict[str, str]

    @property
    def person(self) -> str:
        return self.fields["distributorPersonID"]

    @property
    def organisation(self) -> str:
        return self.fields["organisationID"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of a publisher to a specification or a correction; no error code = accepted.

    `at` is its moment in UTC, which version 4.3 of the notifications tells.
    """

    amount: int
    response_id: str = ""
    error_code: int | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """A person credit (amount 1) or a school credit, by its distributor key."""

    key: str
    fields: dict[str, str]
    returned: int = 0
    specification: tuple[Entry, ...] = ()
    correction: tuple[Entry, ...] = ()
    specified_on: str = ""

    @property
    def amount(self) -> int:
        return int(self.fields.get("amount", "1"))

    @property
    def state(self) -> str:
        return "Returned" if self.returned >= self.amount else "Active"

    @property
    def specified(self) -> int:
        """How many uses the publisher has accepted."""
        return sum(entry.amount for entry in self.specification if entry.error_code is None)

    @property
    def specification_state(self) -> str:
        """Specified, Fault, or empty while nothing was tried; the last answer decides."""
        if not self.specification:
            return ""
        return "Specified" if self.specification[-1].error_code is None else "Fault"


@dataclass(frozen=True, slots=True)
class Reference:
    """A returnCreditReferenceId that was used, so that it works once."""

    key: str
    credit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens later: a portal links, a publisher answers. `due` is a Unix time."""

    key: str
    kind: str
    subject: str
    due: float
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notification to send: it names its subject, the body is made when it leaves.

    `version` rises with every new reason to send, so that a change during a delivery is sent
    again; `dead` means that the sender gave up.
    """

    key: str
    operation: str
    subject: str
    due: float
    attempts: int = 0
    version: int = 1
    dead: bool = False


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One call with its outcome.

    `intent` is the SHA-256 of the request without headers; `applied` is true only when a write
    changed the state; `code` is the fault code with the sign it was sent with.
    """

    number: int
    at: str
    service: str
    operation: str
    subject: str
    intent: str
    session: str
    applied: bool
    code: int | None = None
    trouble: str = ""


Row = Person | SchoolPerson | Credit | Reference | Event | Outgoing


def to_json(row: Row | LedgerRow) -> dict[str, Any]:
    """The row as plain data."""
    return asdict(row)


def credit_from_json(data: Mapping[str, Any]) -> Credit:
    """The one row with rows inside."""
    inside = {
        name: tuple(Entry(**entry) for entry in data[name])
        for name in ("specification", "correction")
    }
    return Credit(**{**data, **inside})
