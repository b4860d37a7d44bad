"""Persons that the sandbox knows as well as we do, and what happens to them next."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message
from credits.models import PersonCredit
from credits.services import queue_credit_push
from persons.changes import ask_delete, ask_merge, ask_rename, ask_school_person_delete
from persons.models import Person, PersonChange, School, SchoolPerson
from persons.services import queue_person_push
from tests.factories import PersonCreditFactory, PersonFactory, SchoolFactory
from tests.outbox.conftest import SCHOOL


def the_school() -> School:
    """The school that the sandbox knows."""
    found = School.objects.filter(organisation_id=SCHOOL["organisationID"]).first()
    return found or SchoolFactory(organisation_id=SCHOOL["organisationID"])


def known_person(gateway: Gateway, **values: Any) -> Person:
    """A person that Edu-iX has."""
    person = PersonFactory(**values)
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    person.refresh_from_db()
    assert person.push_state == "in_sync"
    return person


def known_credit(gateway: Gateway, **values: Any) -> PersonCredit:
    """A credit that Edu-iX has, with its person and its place at the school."""
    credit = PersonCreditFactory(school_person__school=the_school(), **values)
    queue_credit_push(credit=credit)
    drain_once(gateway=gateway)
    credit.refresh_from_db()
    assert credit.push_state == "in_sync"
    return credit


def rename(person: Person, to_key: str, **more: Any) -> PersonChange:
    """Ask for another number."""
    given = {"reason": "Nieuw systeem", "user": None, "token": uuid4().hex}
    return ask_rename(person=person, to_key=to_key, **(given | more))


def merge(gone: Person, kept: Person, **more: Any) -> PersonChange:
    """Ask for a merge."""
    given = {"reason": "Dubbel besteld", "user": None, "token": uuid4().hex}
    return ask_merge(gone=gone, kept=kept, **(given | more))


def delete(person: Person, **more: Any) -> PersonChange:
    """Ask for a deletion."""
    given = {"reason": "Vergissing", "user": None, "token": uuid4().hex}
    return ask_delete(person=person, **(given | more))


def delete_from_school(place: SchoolPerson, **more: Any) -> PersonChange:
    """Ask for a deletion from a school."""
    given = {"reason": "Vergissing", "user": None, "token": uuid4().hex}
    return ask_school_person_delete(school_person=place, **(given | more))


def send(gateway: Gateway, change: PersonChange | None = None) -> Message | None:
    """Send everything that may go, now and not after its pause; the message of the change."""
    Message.objects.active().update(due_at=timezone.now())
    drain_once(gateway=gateway)
    if change is None:
        return None
    change.refresh_from_db()
    return Message.objects.filter(subject=change.subject).order_by("-pk").first()


def applied(sandbox: SandboxServer, *operations: str) -> list[str]:
    """The calls of these operations that took effect at Edu-iX, oldest first."""
    return [
        row.operation for row in sandbox.control.ledger(applied=True) if row.operation in operations
    ]


def calls(sandbox: SandboxServer, operation: str) -> int:
    """How often an operation was called, whatever came of it."""
    return len(sandbox.control.ledger(operation=operation))
