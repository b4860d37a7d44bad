"""What the tests of comparing have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from credits.models import PersonCredit
from persons.models import School
from tests.credits.returns.conftest import at_edu_ix, school
from tests.factories import (
    PersonCreditFactory,
)
from tests.outbox.conftest import gateway, sandbox

__all__ = ["gateway", "sandbox", "school"]


@pytest.fixture
def credit(school: School, gateway: Gateway) -> PersonCredit:
    """A credit with its person, both equal to Edu-iX."""
    made: PersonCredit = at_edu_ix(PersonCreditFactory(school_person__school=school), gateway)
    return made


def changed(sandbox: SandboxServer, kind: str, key: str, **fields: str) -> None:
    """Change a row behind our back."""
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row: Any = store.tables[kind].get(key)
        store.tables[kind].put(replace(row, fields={**row.fields, **fields}))


def removed(sandbox: SandboxServer, kind: str, key: str) -> None:
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        store.tables[kind].remove(key)


def copied(sandbox: SandboxServer, kind: str, key: str, to: str, **fields: str) -> None:
    """Add a row that we do not know, like one that we do."""
    store = sandbox._world.store  # type: ignore[union-attr]
    with store.change():
        row: Any = store.tables[kind].get(key)
        store.tables[kind].put(replace(row, key=to, fields={**row.fields, **fields}))
