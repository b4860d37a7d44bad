"""Options have safe defaults."""

from __future__ import annotations

import pytest

from backoffice.eduix_sandbox.options import SandboxOptions


def test_every_sandbox_has_a_password_of_its_own() -> None:
    assert SandboxOptions().password != SandboxOptions().password


@pytest.mark.parametrize(
    "endpoint", ["", "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]:1/x"]
)
def test_an_endpoint_on_loopback_is_fine(endpoint: str) -> None:
    SandboxOptions(endpoint=endpoint).check_endpoint()


@pytest.mark.parametrize(
    "endpoint",
    ["https://127.0.0.1/x", "http://example.com/x", "http://127.0.0.1.example.com/", "file:///x"],
)
def test_an_endpoint_anywhere_else_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        SandboxOptions(endpoint=endpoint).check_endpoint()
