"""Finding the number in a Fault, as servers of several kinds write it."""

from __future__ import annotations

import pytest

from backoffice.eduix.errors import (
    ALREADY_EXISTS,
    LOGIN_REFUSED,
    NOT_THERE,
    PASSING,
    SESSION_GONE,
    fault_code,
)


@pytest.mark.parametrize(
    ("detail", "faultcode", "faultstring", "code"),
    [
        ("-5022", "soap:Client", "too long", -5022),
        ("5022", "soap:Client", "", 5022),
        (" 12 ", "soap:Server", "", 12),
        ("0", "soap:Server", "", 0),
        (None, "ns1:2606", "exists", 2606),
        ("", "2606", "", 2606),
        (None, "ns1:Client", "error 4 somewhere", 4),
        (None, "soap:Server", "Database [3]", 3),
        (None, "soap:Server", "5102 Value is too long", 5102),
        (None, "soap:Server", "Foutcode: 7", 7),
        (None, "soap:Server", "code=-12", -12),
        (None, "ns1:Client", "Max 50 characters", None),
        (None, "soap:Server", "Internal error", None),
        ("abc", "soap:Server", "", None),
        (None, "", "", None),
        (None, "soap:Server", "x" * 100_000, None),
    ],
)
def test_the_number_is_found_where_servers_put_it(
    detail: str | None, faultcode: str, faultstring: str, code: int | None
) -> None:
    found = fault_code(detail, faultcode, faultstring)

    assert found == code


def test_no_code_means_two_things() -> None:
    groups = (PASSING, SESSION_GONE, LOGIN_REFUSED, ALREADY_EXISTS, NOT_THERE)

    assert sum(map(len, groups)) == len(frozenset().union(*groups))
