"""The partner of these tests is the sandbox on a real socket."""

from __future__ import annotations

from tests.outbox.conftest import gateway, sandbox

__all__ = ["gateway", "sandbox"]
