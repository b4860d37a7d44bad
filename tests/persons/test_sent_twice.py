"""A proxy on the way sends a request twice; what we read is the answer to the second one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backoffice.eduix.contract import endpoint_path
from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.models import Message
from persons.models import Person
from tests.chaos.outbound.faulty_line import FaultyLine
from tests.outbox.conftest import gateway_for
from tests.persons.given import calls, known_person, merge, rename, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(sandbox: SandboxServer) -> Iterator[FaultyLine]:
    with FaultyLine(sandbox.port).open() as opened:
        yield opened


@pytest.fixture
def twice(line: FaultyLine, sandbox: SandboxServer) -> Iterator[Gateway]:
    """A gateway that finds Edu-iX behind this line."""
    address = line.address + endpoint_path("profile")
    made = gateway_for(sandbox, EDUIX_PROFILE_URL=address)
    yield made
    made.close()


def test_a_new_number_that_was_sent_twice_is_done(
    line: FaultyLine, twice: Gateway, sandbox: SandboxServer
) -> None:
    person = known_person(twice, distributor_person_id="K700001")
    line.plan["updatePersonID", 700001] = "duplicate request"

    message = send(twice, rename(person, "N700001"))

    assert message is not None
    assert message.status == Message.Status.DONE
    assert calls(sandbox, "updatePersonID") == 2
    person.refresh_from_db()
    assert person.distributor_person_id == "N700001"


def test_a_merge_that_was_sent_twice_is_done(
    line: FaultyLine, twice: Gateway, sandbox: SandboxServer
) -> None:
    gone = known_person(twice, distributor_person_id="G700002")
    kept = known_person(twice, distributor_person_id="K700003")
    line.plan["mergePerson", 700002] = "duplicate request"

    message = send(twice, merge(gone, kept))

    assert message is not None
    assert message.status == Message.Status.DONE
    assert calls(sandbox, "mergePerson") == 2
    assert Person.objects.get(pk=gone.pk).push_state == "deleted"


def test_a_merge_of_a_person_that_edu_ix_lost_before_is_refused(
    twice: Gateway, sandbox: SandboxServer
) -> None:
    gone = known_person(twice, distributor_person_id="G700004")
    kept = known_person(twice, distributor_person_id="K700005")
    twice.delete_person(distributor_person_id="G700004")

    message = send(twice, merge(gone, kept))

    assert message is not None
    assert message.status == Message.Status.REFUSED
    assert Person.objects.get(pk=gone.pk).push_state != "deleted"
