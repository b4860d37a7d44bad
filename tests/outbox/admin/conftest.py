"""What the tests of admin have in common."""

from __future__ import annotations

import pytest

from persons.models import School
from tests.clients import manager, signed_in
from tests.factories import SchoolFactory
from tests.outbox.conftest import SCHOOL

__all__ = ["manager", "signed_in"]

MESSAGES = "/admin/outbox/message/"
ATTEMPTS = "/admin/outbox/attempt/"


@pytest.fixture
def school() -> School:
    made: School = SchoolFactory(organisation_id=SCHOOL["organisationID"])
    return made
