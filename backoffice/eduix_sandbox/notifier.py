"""Tells the distributor what changed: calls of Notification 4.0 or 4.3, until each is accepted.

The documentation publishes no schedule of retries; ours doubles the wait after each failure.
Every message holds the whole state at the moment it leaves, so a late one is never stale.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import urllib3

from backoffice.eduix.contract import soap_action, types_namespace

from .agenda import Agenda
from .checks import local
from .envelope import Node, NotXml, open_envelope, parse, write
from .faults import Refusal
from .notification_43 import in_43
from .rows import Credit, Entry, Outgoing, Person
from .troubles import NOTIFICATION, Trouble
from .world import World

logger = logging.getLogger(__name__)

LONGEST_CREDIT_ID: Final = {"4.0": 30, "4.3": 160}
_MOST_BYTES: Final = 65_536

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
NOT_UNDERSTOOD: Final = "not understood"
UNREACHABLE: Final = "unreachable"
IMPOSSIBLE: Final = "impossible"
GIVEN_UP: Final = "given up"
HELD: Final = "held back"
LOST: Final = "lost"

_FINAL: Final = frozenset({ACCEPTED, IMPOSSIBLE, LOST})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: `status` is the HTTP status, 0 when no answer came.

    `trouble` is the kind that was ordered for it.
    """

    at: str
    operation: str
    subject: str
    attempt: int
    outcome: str
    status: int
    milliseconds: int
    detail: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A message that was made and is kept back until `due`, or until a newer one has left."""

    body: bytes
    version: int
    due: float
    trouble: str


class Notifier:
    """Threads that send what stands in the store's `outgoing`, one at a time per subject."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._agenda = Agenda()
        self._busy: set[str] = set()
        self._held: dict[str, Held] = {}
        self._deliveries: deque[Delivery] = deque(maxlen=10_000)
        self._pool = urllib3.PoolManager(maxsize=world.options.notify_threads, retries=False)
        count = world.options.notify_threads if world.options.endpoint else 0
        self._threads = [
            threading.Thread(target=self._run, name=f"sandbox-notifier-{place}", daemon=True)
            for place in range(count)
        ]
        world.store.subscribe("outgoing", self._note)

    def start(self) -> None:
        with self._world.store.lock:
            self._note([row.key for row in self._world.store.outgoing])
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._world.store.unsubscribe("outgoing")
        self._agenda.close()
        for thread in self._threads:
            thread.join(timeout=1)
        self._pool.clear()

    def deliveries(self) -> list[Delivery]:
        """The last ten thousand attempts, oldest first."""
        return list(self._deliveries)

    def forget(self) -> None:
        self._deliveries.clear()
        self._held.clear()

    def _note(self, keys: list[str]) -> None:
        for key in keys:
            row = self._world.store.outgoing.get(key)
            if row is not None and not row.dead:
                self._agenda.add(key, row.due)

    def _run(self) -> None:
        while (key := self._agenda.take()) is not None:
            if (row := self._claim(key)) is None:
                continue
            try:
                self._deliver(row)
            except Exception:  # a thread's border: the next notification must still go
                logger.exception("sandbox_notification_failed", extra={"subject": row.subject})
            finally:
                with self._world.store.lock:
                    self._busy.discard(key)

    def _claim(self, key: str) -> Outgoing | None:
        with self._world.store.lock:
            row = self._world.store.outgoing.get(key)
            if row is None or row.dead or row.due > time.time() or key in self._busy:
                return None  # whoever holds it, or a later place in the agenda, goes on with it
            self._busy.add(key)
            return row

    def _deliver(self, row: Outgoing) -> None:
        try:
            with self._world.store.lock:
                body = message(self._world, row)
        except LookupError as problem:
            self._held.pop(row.key, None)
            self._note_down(row, 0, IMPOSSIBLE, detail=str(problem))
            self._settle(row, IMPOSSIBLE)
            return
        held = self._held.get(row.key)
        if held is not None:
            outcome = self._deliver_held(row, held, body)
        else:
            trouble = self._world.troubles.take(NOTIFICATION, row.operation)
            outcome = self._send(row, body) if trouble is None else self._spoil(row, body, trouble)
        self._settle(row, outcome)

    def _spoil(self, row: Outgoing, body: bytes, trouble: Trouble) -> str:
        """The outcome of a notification that meets an ordered trouble."""
        kind = trouble.kind
        if kind in {"late", "out_of_order"}:
            due = time.time() + trouble.seconds
            self._held[row.key] = Held(body, row.version, due, kind)
            return self._note_down(row, 0, HELD, trouble=kind)
        if kind in {"lost", "dropped"}:
            # A wait without an end is what a sender sees of an attempt that never arrives.
            outcome = LOST if kind == "lost" else UNREACHABLE
            return self._note_down(row, 0, outcome, trouble=kind)
        outcome = self._send(row, body, trouble=kind)
        if kind == "duplicate" and outcome == ACCEPTED:
            return self._send(row, body, trouble=kind)
        return outcome

    def _deliver_held(self, row: Outgoing, held: Held, body: bytes) -> str:
        """What is newer goes first; then what was held back, when its time has come."""
        newer = row.version != held.version
        outcome = self._send(row, body) if newer else ACCEPTED
        if outcome != ACCEPTED:
            return outcome
        if held.due > time.time() and held.trouble == "late":
            self._held[row.key] = replace(held, version=row.version)
            return HELD
        del self._held[row.key]
        return self._send(row, held.body, trouble=held.trouble)

    def _send(self, row: Outgoing, body: bytes, *, trouble: str = "") -> str:
        begun = time.monotonic()
        status, outcome, detail = self._post(row.operation, body)
        if trouble == "refused" and outcome == ACCEPTED:
            outcome, detail = REFUSED, "accepted, and taken for a refusal"
        if outcome != ACCEPTED and row.attempts + 1 >= self._world.options.notify_attempts:
            outcome = GIVEN_UP
        return self._note_down(row, status, outcome, detail=detail, trouble=trouble, begun=begun)

    def _note_down(
        self,
        row: Outgoing,
        status: int,
        outcome: str,
        *,
        detail: str = "",
        trouble: str = "",
        begun: float | None = None,
    ) -> str:
        """Add an attempt to the journal; returns its outcome."""
        self._deliveries.append(
            Delivery(
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                operation=row.operation,
                subject=row.subject,
                attempt=row.attempts + 1,
                outcome=outcome,
                status=status,
                milliseconds=0 if begun is None else round((time.monotonic() - begun) * 1000),
                detail=detail,
                trouble=trouble,
            )
        )
        return outcome

    def _settle(self, row: Outgoing, outcome: str) -> None:
        outgoing = self._world.store.outgoing
        if self._world.stopping.is_set():
            return  # it stays where it is and goes out again after a restart
        with self._world.store.change():
            self._busy.discard(row.key)
            now = outgoing.get(row.key)
            if now is None:
                return
            if now.version != row.version:
                outgoing.put(replace(now, due=time.time()))  # it changed while this one was out
            elif outcome in _FINAL:
                outgoing.remove(row.key)
            elif outcome == HELD and (held := self._held.get(row.key)):
                outgoing.put(replace(now, due=held.due))
            else:
                wait = self._wait(row.attempts) + time.time()
                dead = outcome == GIVEN_UP
                outgoing.put(replace(now, attempts=row.attempts + 1, due=wait, dead=dead))

    def _wait(self, attempts: int) -> float:
        options = self._world.options
        return float(min(options.notify_longest_wait, options.notify_first_wait * 2**attempts))

    def _post(self, operation: str, body: bytes) -> tuple[int, str, str]:
        options = self._world.options
        action = f'"{soap_action("notification", operation, options.notification_version)}"'
        try:
            answer = self._pool.request(
                "POST",
                options.endpoint,
                body=body,
                headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action},
                timeout=urllib3.Timeout(connect=3, read=options.notify_timeout),
                redirect=False,
                preload_content=False,
            )
            content = answer.read(_MOST_BYTES)
            if len(content) < _MOST_BYTES:
                answer.drain_conn()  # the end of a chunked body, or the connection is of no use
                answer.release_conn()
            else:
                answer.close()
        except urllib3.exceptions.HTTPError as problem:
            return 0, UNREACHABLE, type(problem).__name__
        if answer.status != 200:
            return answer.status, REFUSED, ""
        if not _is_response(content, operation):
            return answer.status, NOT_UNDERSTOOD, ""
        return answer.status, ACCEPTED, ""


def _is_response(content: bytes, operation: str) -> bool:
    try:
        return local(open_envelope(parse(content)).body) == f"{operation}Response"
    except (NotXml, Refusal):
        return False


def message(world: World, row: Outgoing) -> bytes:
    """The envelope as it must leave now; `LookupError` when it cannot be made any more."""
    version = world.options.notification_version
    if row.operation == "prematchChanged":
        person = world.store.persons.first("profile", row.subject)
        if person is None:
            raise LookupError("the person is gone")
        content = _prematch(person, version)
    else:
        kind, _, key = row.subject.partition(":")
        credit = world.store.credits(kind).get(key)
        if credit is None:
            raise LookupError("the credit is gone")
        longest = LONGEST_CREDIT_ID[version]
        if len(key) > longest:
            raise LookupError(f"version {version} has room for {longest} characters")
        owner = _owner(world, kind, credit)
        content = _specification(credit) if version == "4.0" else in_43(credit, owner)
    return write(
        types_namespace("notification", version),
        (f"{row.operation}Request", content),
        headers=(
            "loginHeader",
            [
                ("username", world.options.endpoint_username),
                ("password", world.options.endpoint_password),
            ],
        ),
    )


def _owner(world: World, kind: str, credit: Credit) -> str:
    """4.3 names the userID of a pupil, or the organisationID of a school."""
    if kind == "schoolCredit":
        return credit.fields["organisationID"]
    schoolperson = world.store.schoolpersons.get(credit.fields["distributorSchoolPersonID"])
    person = world.store.persons.get(schoolperson.person) if schoolperson else None
    return person.user_id if person else ""


def _prematch(person: Person, version: str) -> list[Node]:
    content: list[Node] = [("distributorPersonID", person.key)]
    if person.user_id:
        content.append(("userID", person.user_id))
    if person.eck_id and version == "4.0":
        content.append(("eckID", person.eck_id))
    return content


def _specification(credit: Credit) -> list[Node]:
    return [
        ("distributorCreditID", credit.key),
        ("state", credit.state),
        *[("specification", _entry(entry)) for entry in credit.specification],
        *[("correction", _entry(entry)) for entry in credit.correction],
    ]


def _entry(entry: Entry) -> list[Node]:
    content: list[Node] = [("amount", str(entry.amount))]
    if entry.response_id:
        content.append(("responseID", entry.response_id))
    if entry.error_code is not None:
        content.append(("errorCode", str(entry.error_code)))
    return content
