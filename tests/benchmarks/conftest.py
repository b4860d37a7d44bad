"""Measurements are tested for what they count and store, never for how fast they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.scale import Scale
from benchmarks.workshop import POSTGRESQL, Workshop, open_workshop
from tests.conftest import need
from tests.postgresql import postgresql as postgresql_url

TINY = Scale(rounds=2, seconds=0.05, least=8)


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    """On SQLite; shared, since every measurement makes databases of its own."""
    with open_workshop("") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql_workshop() -> Iterator[Workshop]:
    """On PostgreSQL alone; what a measurement does on SQLite, `workshop` shows."""
    url = postgresql_url()
    need(bool(url), "PostgreSQL for measurements")
    with open_workshop(url) as opened:
        opened.kinds = (POSTGRESQL,)
        yield opened
