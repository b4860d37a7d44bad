"""Every operation takes the header that the documentation gives it."""

from __future__ import annotations

from backoffice.eduix_sandbox.soap import OPERATIONS
from tests.facts import rows


def test_headers_are_the_documented_ones() -> None:
    documented = {
        (row["service"], row["operation"]): row["header"]
        for row in rows("operations")
        if row["service"] != "notification"
    }

    assert {
        (service, name): operation.header
        for service, operations in OPERATIONS.items()
        for name, operation in operations.items()
    } == documented


def test_only_an_operation_with_a_session_header_writes() -> None:
    for operations in OPERATIONS.values():
        for name, operation in operations.items():
            assert operation.writes == (not name.startswith(("get", "login")))
