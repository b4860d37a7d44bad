"""Secrets stand nowhere, and a pupil's data nowhere but in the rows that mirror the pupil."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt, Message
from credits.services import queue_credit_fetch, queue_credit_push
from tests.factories import PersonCreditFactory, PersonFactory, SchoolFactory
from tests.outbox.conftest import SCHOOL, gateway_for

pytestmark = pytest.mark.django_db

PASSWORD = "canary-password-8f3a"  # noqa: S105  made up
PERSONAL = {
    "first_name": "Kanariefirst",
    "surname": "Kanariesurname",
    "email": "kanarie@example.nl",
    "eck_id": "c0ffee" * 20 + "Tail77ab",
}
BIRTH = "2011-02-03"

# What people edit of a person, its history, and what Edu-iX said it holds of it.
MIRRORS = {"persons_person", "persons_historicalperson", "outbox_held"}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0, password=PASSWORD) as server:
        yield server


def rows_of(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"select * from {connection.ops.quote_name(table)}")  # noqa: S608
        return "\n".join(map(str, cursor.fetchall()))


def test_no_secret_is_kept_and_no_person_outside_its_own_rows(
    sandbox: SandboxServer, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    person = PersonFactory(date_of_birth=BIRTH, **PERSONAL)
    credit = PersonCreditFactory(
        school_person__person=person,
        school_person__school=SchoolFactory(organisation_id=SCHOOL["organisationID"]),
    )
    caplog.set_level(logging.DEBUG)  # from here on: the factories write what they make
    queue_credit_push(credit=credit)
    for kind, operation in (
        ("fault", "createPerson"),
        ("html", "createSchoolperson"),
        ("truncated", "createPersonCredit"),
    ):
        sandbox.control.trouble(kind, operation)
    for _ in range(6):
        drain_once(gateway=gateway)
        Message.objects.update(due_at=timezone.now())
    queue_credit_fetch(credit=credit)
    drain_once(gateway=gateway)
    refused = gateway_for(sandbox, EDUIX_PASSWORD=f"wrong-{PASSWORD}")
    queue_credit_fetch(credit=credit)
    drain_once(gateway=refused)
    refused.close()

    session = gateway.profile._session.current()
    secrets = [PASSWORD, session, gateway.credit._session.current()]
    personal = [*PERSONAL.values(), BIRTH]
    tables = {table: rows_of(table) for table in connection.introspection.table_names()}

    assert Attempt.objects.exclude(calls=[]).count() >= 8
    assert "createPerson" in tables["outbox_attempt"]  # the envelopes are there
    assert PERSONAL["surname"] in tables["persons_person"]  # and this search finds what is there
    found = [
        (table, word)
        for table, text in tables.items()
        for word in [*secrets, *([] if table in MIRRORS else personal)]
        if word in text
    ]
    assert found == []
    assert [word for word in [*secrets, *personal] if word in caplog.text] == []
