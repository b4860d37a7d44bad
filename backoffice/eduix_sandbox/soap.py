"""From the bytes of a request to the bytes of its answer."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from lxml.etree import _Element

from backoffice.eduix.contract import types_namespace, wsdl_namespace

from . import credit, profile
from .checks import Record, local, read
from .envelope import (
    Envelope,
    NotXml,
    into_namespace,
    open_envelope,
    parse,
    write,
    write_fault,
)
from .faults import DATABASE, GENERAL, NOT_IMPLEMENTED, SESSION_EXPIRED, Refusal, signed
from .fields import REQUESTS
from .headers import check_header
from .operation import Operation
from .reply import TEXT, Reply
from .rows import LedgerRow
from .schema import Schema
from .spoil import ORDERED, Place, spoiled
from .troubles import ALL_KINDS, Trouble
from .world import World

logger = logging.getLogger(__name__)

OPERATIONS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "profile": profile.OPERATIONS,
    "credit": credit.OPERATIONS,
}


@dataclass(slots=True)
class Call:
    """A request that could be read: whom it is about and what it asks."""

    service: str
    name: str
    operation: Operation
    envelope: Envelope
    subject: str
    intent: str
    session: str = ""
    trouble: str = ""
    told: int | None = None
    """The code of the Fault that was ordered instead of the true answer."""


class SoapService:
    """One service ("profile" or "credit") of a world."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service
        self._schema = Schema(service)
        self._namespace = types_namespace(service)
        self._accepted = frozenset({wsdl_namespace(service), ""})

    def answer(self, raw: bytes, encoding: str | None = None) -> Reply:
        """The reply to a POST, with the trouble that was ordered for it."""
        try:
            call = self._read_call(raw, encoding)
        except NotXml:
            return Reply(400, b"The body is not XML.\n", TEXT)
        except Refusal as refusal:
            code = self._sign(refusal, "")
            with self._world.store.change():
                self._world.store.write_down(self._row(None, applied=False, code=code))
            return self._fault(refusal, code)
        trouble = self._world.troubles.take(self._service, call.name)
        if trouble is None:
            return self._perform(call)
        return self._in_trouble(call, trouble)

    def _in_trouble(self, call: Call, trouble: Trouble) -> Reply:
        call.trouble = trouble.kind
        if trouble.kind == "session_expired":
            return self._end_sessions(call, trouble)
        if "code" in ALL_KINDS[trouble.kind].takes:
            ordered = Refusal(trouble.code, ORDERED, sign=trouble.sign)
            call.told = self._sign(ordered, f"{call.name}:{call.subject}")
        waits = trouble.seconds if trouble.kind in {"delay", "hang"} else 0
        if not trouble.after:
            self._world.stopping.wait(waits)
        reply = self._perform(call) if trouble.applies else self._leave(call)
        if trouble.after:
            self._world.stopping.wait(waits)
        place = Place(self._service, call.name, self._namespace, call.told or 0)
        return spoiled(reply, trouble, place)

    def _end_sessions(self, call: Call, trouble: Trouble) -> Reply:
        reply = self._perform(call) if trouble.after else None
        self._world.sessions.expire(self._service)
        return reply or self._refuse(call, Refusal(SESSION_EXPIRED, "the session has expired"))

    def _leave(self, call: Call) -> Reply:
        """Apply nothing; the reply is what a call that did something would get."""
        with self._world.store.change():
            self._world.store.write_down(self._row(call, applied=False))
        return Reply(body=write(self._namespace, (f"{call.name}Response", [])))

    def _read_call(self, raw: bytes, encoding: str | None) -> Call:
        envelope = open_envelope(parse(raw, encoding))
        namespace, _, name = envelope.body.tag.rpartition("}")
        operation = OPERATIONS[self._service].get(name.removesuffix("Request"))
        known = namespace[1:] == self._namespace or namespace[1:] in self._accepted
        if operation is None or not name.endswith("Request") or not known:
            raise Refusal(NOT_IMPLEMENTED, f"there is no operation for {name}")
        into_namespace(envelope.body, self._namespace, self._accepted)
        return Call(
            service=self._service,
            name=name.removesuffix("Request"),
            operation=operation,
            envelope=envelope,
            subject=_subject(operation, envelope.body),
            intent=intent_of(envelope.body),
        )

    def _perform(self, call: Call) -> Reply:
        world, store = self._world, self._world.store
        try:
            record = self._check(call)
            with store.change():
                nodes = call.operation.run(world, record)
                store.write_down(self._row(call, applied=store.has_changes))
            return Reply(body=write(self._namespace, (f"{call.name}Response", nodes)))
        except Refusal as refusal:
            return self._refuse(call, refusal)
        except sqlite3.Error:
            logger.exception("sandbox_state_file_failed")
            return self._fault(*self._unforeseen(DATABASE, "the state cannot be kept"))
        except Exception:  # the border of the service: a bug must be an answer, not a cut line
            logger.exception("sandbox_bug", extra={"operation": call.name})
            return self._fault(*self._unforeseen(GENERAL, "an error in the sandbox"))

    def _check(self, call: Call) -> Record:
        """The record of a call whose header, fields and shape are all right."""
        call.session = check_header(
            self._world, self._service, call.operation.header, call.envelope.headers
        )
        record = read(call.envelope.body, REQUESTS[call.name])
        self._schema.check(call.envelope.body)
        return record

    def _refuse(self, call: Call, refusal: Refusal) -> Reply:
        code = self._sign(refusal, f"{call.name}:{call.subject}")
        with self._world.store.change():
            self._world.store.write_down(self._row(call, applied=False, code=code))
        return self._fault(refusal, code)

    def _unforeseen(self, code: int, message: str) -> tuple[Refusal, int]:
        refusal = Refusal(code, message)
        return refusal, self._sign(refusal, "")

    def _sign(self, refusal: Refusal, about: str) -> int:
        options = self._world.options
        return signed(refusal, options.fault_sign, seed=options.seed, about=about)

    def _fault(self, refusal: Refusal, code: int) -> Reply:
        ours = refusal.code in {GENERAL, DATABASE}
        body = write_fault(self._namespace, code=code, message=refusal.message, server_fault=ours)
        return Reply(500, body)

    def _row(self, call: Call | None, *, applied: bool, code: int | None = None) -> LedgerRow:
        return LedgerRow(
            number=0,
            at="",
            service=self._service,
            operation=call.name if call else "",
            subject=call.subject if call else "",
            intent=call.intent if call else "",
            # Enough to tell sessions apart, not enough to use one.
            session=sha256(call.session.encode()).hexdigest()[:8] if call and call.session else "",
            applied=applied,
            code=call.told if call and call.told is not None else code,
            trouble=call.trouble if call else "",
        )


def intent_of(element: _Element) -> str:
    """SHA-256 of names and texts: prefixes, and white space between elements, do not count."""
    return sha256(json.dumps(_plain(element)).encode()).hexdigest()


def _plain(element: _Element) -> list[Any]:
    inside = [_plain(child) for child in element]
    return [local(element), inside or element.text or ""]


def _subject(operation: Operation, element: _Element) -> str:
    for label, name in operation.subjects:
        for one in element.iter(f"{{*}}{name}"):
            return f"{label}:{(one.text or '').strip()}"
    return ""
