"""The sandbox on a real socket, with a client and an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .endpoint import Endpoint
from .samples import DISTRIBUTOR, SCHOOLS


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Without an endpoint; what happens by itself takes no time."""
    with SandboxServer(schools=SCHOOLS, distributor_id=DISTRIBUTOR, pace=0) as server:
        yield server


@pytest.fixture
def caller(sandbox: SandboxServer) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint().start()
    yield server
    server.stop()


@pytest.fixture
def notifying(endpoint: Endpoint) -> Iterator[SandboxServer]:
    """A sandbox that tells the endpoint what changes."""
    with SandboxServer(
        schools=SCHOOLS,
        distributor_id=DISTRIBUTOR,
        pace=0,
        endpoint=endpoint.url,
        endpoint_username="eduix",
        endpoint_password="geheim",
        notify_first_wait=0.01,
        notify_longest_wait=0.05,
    ) as server:
        yield server
