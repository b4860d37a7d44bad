"""The partner of these tests is the sandbox on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer

SCHOOL: dict[str, Any] = {
    "organisationID": "97889c33-0000-4000-8000-000000000001",
    "name": "Het Baken College",
    "city": "Rotterdam",
    "countryCode": "NL",
    "brin": "35ZZ",
    "prematch": False,
}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(schools=[SCHOOL], pace=0.02) as server:
        yield server


def gateway_for(server: SandboxServer, **changes: Any) -> Gateway:
    """A gateway with the sandbox as its partner."""
    config: dict[str, Any] = {
        "EDUIX_PROFILE_URL": server.profile_url,
        "EDUIX_CREDIT_URL": server.credit_url,
        "EDUIX_PROFILE_WSDL": "",
        "EDUIX_CREDIT_WSDL": "",
        "EDUIX_USERNAME": server.username,
        "EDUIX_PASSWORD": server.password,
        "EDUIX_DISTRIBUTOR_ID": server.distributor_id,
        "EDUIX_SESSION_MINUTES": 20,
    }
    return Gateway(SimpleNamespace(**(config | changes)))


@pytest.fixture
def gateway(sandbox: SandboxServer) -> Iterator[Gateway]:
    made = gateway_for(sandbox)
    yield made
    made.close()
