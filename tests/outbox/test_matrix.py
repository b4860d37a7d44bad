"""Each trouble with each operation ends in the state that docs/delivery.md promises.

The partner is the sandbox on a real socket; its ledger says how often something took effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.contract import OPERATIONS
from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.again import send_again
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState, ServiceState
from credits.asking import ask
from credits.models import PersonCredit, SchoolCredit
from credits.returns import new_reference, queue_return
from credits.senders import person_credit_record, school_credit_record
from credits.services import queue_credit_fetch, queue_credit_push, save_credit
from persons.changes import ask_delete, ask_merge, ask_rename, ask_school_person_delete
from persons.models import Person, School, SchoolPerson
from persons.senders import person_record, school_person_record
from persons.services import (
    queue_person_push,
    queue_school_fetch,
    queue_school_person_push,
    save_person,
    save_school_person,
)
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db

_numbers = count(1)

# A row that Edu-iX has: put there by a call of its own, so that a case is about one message.
SENT = {"push_state": PushState.IN_SYNC, "registered_at": datetime(2026, 8, 1, tzinfo=UTC)}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """One for all: every case has keys of its own."""
    with SandboxServer(schools=[SCHOOL], pace=0) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(sandbox: SandboxServer) -> Iterator[Gateway]:
    made = gateway_for(sandbox)
    yield made
    made.close()


@dataclass(frozen=True)
class World:
    """One case: the partner, and rows that nobody else uses."""

    sandbox: SandboxServer
    gateway: Gateway
    number: int = field(default_factory=lambda: next(_numbers))

    def key(self, letter: str) -> str:
        return f"{letter}{self.number:06d}"

    def school(self) -> School:
        known = School.objects.filter(organisation_id=SCHOOL["organisationID"]).first()
        return known or SchoolFactory(organisation_id=SCHOOL["organisationID"])

    def person(self, letter: str = "K", *, is_sent: bool = True) -> Person:
        sent = SENT if is_sent else {}
        person = PersonFactory(distributor_person_id=self.key(letter), **sent)
        if is_sent:
            self.gateway.create_person(person_record(person))
        return person

    def place(self, *, is_sent: bool = True) -> SchoolPerson:
        """Its person is at Edu-iX in any case."""
        sent = SENT if is_sent else {}
        place = SchoolPersonFactory(
            person=self.person(),
            school=self.school(),
            distributor_school_person_id=self.key("P"),
            **sent,
        )
        if is_sent:
            self.gateway.create_school_person(school_person_record(place))
        return place

    def credit(self, *, is_sent: bool = True) -> PersonCredit:
        """The person and its place are at Edu-iX in any case."""
        sent = SENT if is_sent else {}
        credit: PersonCredit = PersonCreditFactory(
            school_person=self.place(), distributor_person_credit_id=self.key("C"), **sent
        )
        if is_sent:
            self.gateway.create_person_credit(person_credit_record(credit))
        return credit

    def school_credit(self, *, is_sent: bool = True) -> SchoolCredit:
        sent = SENT if is_sent else {}
        credit: SchoolCredit = SchoolCreditFactory(
            school=self.school(),
            distributor_school_credit_id=self.key("S"),
            amount=10,
            **sent,
        )
        if is_sent:
            self.gateway.create_school_credit(school_credit_record(credit))
        return credit

    def drain(self) -> None:
        drain_once(gateway=self.gateway)


def create_person(world: World) -> object:
    return queue_person_push(person=world.person(is_sent=False))


def update_person(world: World) -> object:
    person = world.person()
    person.surname = "Jansen"
    return save_person(person=person, push=True)


def delete_person(world: World) -> object:
    return ask_delete(person=world.person(), reason="twice", user=None, token=world.key("T"))


def rename_person(world: World) -> object:
    return ask_rename(
        person=world.person(), to_key=world.key("N"), reason="new", user=None, token=world.key("T")
    )


def merge_person(world: World) -> object:
    gone, kept = world.person("G"), world.person("K")
    return ask_merge(gone=gone, kept=kept, reason="twice", user=None, token=world.key("T"))


def create_school_person(world: World) -> object:
    return queue_school_person_push(school_person=world.place(is_sent=False))


def update_school_person(world: World) -> object:
    place = world.place()
    place.school_student_number = "1"
    return save_school_person(school_person=place, push=True)


def delete_school_person(world: World) -> object:
    place, token = world.place(), world.key("T")
    return ask_school_person_delete(school_person=place, reason="left", user=None, token=token)


def create_person_credit(world: World) -> object:
    return queue_credit_push(credit=world.credit(is_sent=False))


def update_person_credit(world: World) -> object:
    credit = world.credit()
    credit.ean = "9789006234561"
    return save_credit(credit=credit, push=True)


def create_school_credit(world: World) -> object:
    return queue_credit_push(credit=world.school_credit(is_sent=False))


def update_school_credit(world: World) -> object:
    credit = world.school_credit()
    credit.amount = 12
    return save_credit(credit=credit, push=True)


def return_person_credit(world: World) -> object:
    return queue_return(credit=world.credit(), reference=new_reference(), reason="left")


def return_school_credit(world: World) -> object:
    credit = world.school_credit()
    return queue_return(credit=credit, reference=new_reference(), reason="fewer", amount=3)


def get_school(world: World) -> object:
    return queue_school_fetch(organisation_id=SCHOOL["organisationID"])


def get_person(world: World) -> object:
    key = world.person().distributor_person_id
    return ask(
        operation="getPerson", choice="distributorPerson", values=_person_key(key), user=None
    )


def get_school_person(world: World) -> object:
    key = world.place().person.distributor_person_id
    values = _person_key(key)
    return ask(operation="getSchoolperson", choice="distributorPerson", values=values)


def get_person_credit(world: World) -> object:
    return queue_credit_fetch(credit=world.credit())


def get_school_credit(world: World) -> object:
    return queue_credit_fetch(credit=world.school_credit())


def _person_key(key: str) -> dict[str, str]:
    return {"distributor_person_id": key}


Given = Callable[[World], object]

GIVEN: dict[str, tuple[str, Given]] = {
    "createPerson": ("createPerson", create_person),
    "updatePerson": ("updatePerson", update_person),
    "deletePerson": ("deletePerson", delete_person),
    "updatePersonID": ("updatePersonID", rename_person),
    "mergePerson": ("mergePerson", merge_person),
    "createSchoolperson": ("createSchoolperson", create_school_person),
    "updateSchoolperson": ("updateSchoolperson", update_school_person),
    "deleteSchoolperson": ("deleteSchoolperson", delete_school_person),
    "createPersonCredit": ("createPersonCredit", create_person_credit),
    "updatePersonCredit": ("updatePersonCredit", update_person_credit),
    "createSchoolCredit": ("createSchoolCredit", create_school_credit),
    "updateSchoolCredit": ("updateSchoolCredit", update_school_credit),
    "returnCredit (person)": ("returnCredit", return_person_credit),
    "returnCredit (school)": ("returnCredit", return_school_credit),
    "getSchool": ("getSchool", get_school),
    "getPerson": ("getPerson", get_person),
    "getSchoolperson": ("getSchoolperson", get_school_person),
    "getPersonCredit": ("getPersonCredit", get_person_credit),
    "getSchoolCredit": ("getSchoolCredit", get_school_credit),
}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong once, and how the message stands after that try."""

    kind: str
    options: dict[str, Any]
    becomes: str

    def __str__(self) -> str:
        words = [self.kind, *(f"{name}={value}" for name, value in self.options.items())]
        return " ".join(words)


def trouble(kind: str, becomes: str, /, **options: Any) -> Trouble:
    return Trouble(kind, options, becomes)


SPOILED = ("html", "empty", "truncated", "gzip_bomb", "dtd", "wrong_operation", "redirect")

TROUBLES = [
    # a plain answer, only slower, or one new login
    trouble("delay", "done", seconds=0.02),
    trouble("drip", "done", seconds=0.0001),
    trouble("session_expired", "done"),
    trouble("fault", "done", code=2),
    # not now
    trouble("fault", "queued", code=1),
    trouble("fault_without_detail", "queued", place="nowhere"),
    # data
    trouble("fault", "refused", code=5022, sign=-1),
    trouble("fault_without_detail", "refused", code=5022, place="faultstring"),
    # it left us, and nothing readable came back
    trouble("cut", "uncertain"),
    trouble("cut_answer", "uncertain"),
    trouble("drop_reply", "uncertain"),
    trouble("unavailable", "uncertain", after=True),
    trouble("hang", "uncertain", seconds=0.05, after=True),
    *(trouble(kind, "uncertain", after=True) for kind in SPOILED),
]
"""After applying, where there is a choice: that is what must not be done twice."""

MORE_TROUBLES = [
    trouble("delay", "done", seconds=0.02, after=True),
    trouble("session_expired", "done", after=True),
    *(trouble("fault", "queued", code=code) for code in (3, 7, 11)),
    trouble("fault", "refused", code=5022, sign=1),
    trouble("fault", "refused", code=9),
    trouble("fault_without_detail", "refused", code=5022, place="faultcode"),
    trouble("unavailable", "uncertain"),
    trouble("hang", "uncertain", seconds=0.05),
    trouble("html", "uncertain", status=502, after=True),
    *(trouble(kind, "uncertain", after=False) for kind in SPOILED),
]
"""Of these one operation of each kind is enough: nothing was applied, or the code differs."""

ONE_OF_EACH_KIND = ("createPerson", "mergePerson", "returnCredit (school)", "getPersonCredit")
CASES = [
    *((given, wrong) for given in GIVEN for wrong in TROUBLES),
    *((given, wrong) for given in ONE_OF_EACH_KIND for wrong in MORE_TROUBLES),
]


@pytest.mark.parametrize(("given", "wrong"), CASES, ids=str)
def test_a_trouble_ends_as_promised_and_takes_effect_once(
    given: str, wrong: Trouble, sandbox: SandboxServer, gateway: Gateway
) -> None:
    operation, prepare = GIVEN[given]
    world = World(sandbox, gateway)
    prepare(world)
    message = Message.objects.open().get()
    already = len(sandbox.control.ledger(operation=operation, applied=True))
    sandbox.control.trouble(wrong.kind, operation, **wrong.options)

    world.drain()

    message.refresh_from_db()
    assert message.status == wrong.becomes
    if wrong.becomes == "refused":
        assert abs(message.code or 0) == wrong.options["code"]
        send_again(message=message)
    Message.objects.update(due_at=timezone.now())
    world.drain()
    message.refresh_from_db()
    assert message.status == "done", (message.code, message.text)
    applied = len(sandbox.control.ledger(operation=operation, applied=True)) - already
    if not operation.startswith("get"):
        assert applied == 1


LOGIN_TROUBLES = [
    trouble("delay", "done", seconds=0.02),
    trouble("fault", "queued", code=1),
    trouble("fault", "queued", code=2),
    trouble("fault", "queued", code=4688),
    *(
        trouble(kind, "queued", after=after)
        for kind in ("unavailable", *SPOILED)
        for after in (False, True)
    ),
    trouble("cut", "queued"),
    trouble("cut_answer", "queued"),
    trouble("drop_reply", "queued"),
]


@pytest.mark.parametrize("wrong", LOGIN_TROUBLES, ids=str)
def test_a_login_that_goes_wrong_sends_nothing(wrong: Trouble, sandbox: SandboxServer) -> None:
    first, second = gateway_for(sandbox), gateway_for(sandbox)
    world = World(sandbox, first)
    create_person(world)
    message = Message.objects.get()
    already = len(sandbox.control.ledger(operation="createPerson"))
    sandbox.control.trouble(wrong.kind, "login", service="profile", **wrong.options)

    world.drain()

    message.refresh_from_db()
    assert message.status == wrong.becomes
    sent = len(sandbox.control.ledger(operation="createPerson")) - already
    assert sent == (1 if wrong.becomes == "done" else 0)
    is_login_refused = wrong.kind == "fault" and wrong.options["code"] != 1
    counted = ServiceState.objects.filter(login_tries__gt=0).exists()
    assert counted == is_login_refused
    Message.objects.update(due_at=timezone.now())
    drain_once(gateway=second)
    message.refresh_from_db()
    assert message.status == "done"
    first.close()
    second.close()


def test_the_matrix_holds_every_operation() -> None:
    known = {name for service in ("profile", "credit") for name in OPERATIONS[service]}

    assert {operation for operation, _prepare in GIVEN.values()} | {"login"} == known
