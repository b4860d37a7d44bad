"""While the WSDL cannot be used nothing is claimed, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.eduix import gateway as gateways
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.models import Attempt, Message
from persons.services import queue_person_push
from tests.eduix import variants
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unusable(sandbox: SandboxServer, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The settings name a WSDL file that is not there yet."""
    before = gateways._gateway
    gateways._gateway = None
    settings.EDUIX_PROFILE_URL, settings.EDUIX_CREDIT_URL = sandbox.profile_url, sandbox.credit_url
    settings.EDUIX_USERNAME, settings.EDUIX_PASSWORD = sandbox.username, sandbox.password
    settings.EDUIX_DISTRIBUTOR_ID = sandbox.distributor_id
    settings.EDUIX_PROFILE_WSDL = str(tmp_path / "profile.wsdl")
    yield tmp_path
    if gateways._gateway is not None:
        gateways._gateway.close()
    gateways._gateway = before


def test_nothing_is_claimed_until_the_wsdl_can_be_used(
    unusable: Path, sandbox: SandboxServer
) -> None:
    queue_person_push(person=PersonFactory())

    Drainer(connections=0).run(until=lambda: True)

    message = Message.objects.get()
    assert (message.status, message.tries) == (Message.Status.QUEUED, 0)
    assert not Attempt.objects.exists()
    assert sandbox.control.ledger() == []

    variants.write("profile", unusable, variants.Dialect())
    Drainer(connections=0).run(until=lambda: True)

    message.refresh_from_db()
    assert message.status == Message.Status.DONE
