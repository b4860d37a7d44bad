"""What people type in a search box."""

from __future__ import annotations

import pytest

from backoffice.screens.search import ean_of, spaced_ean


@pytest.mark.parametrize(
    "typed",
    [
        "9789001234562",
        "978-90-01-23456-2",
        "9789001 23456 2",
        " 9789001234562 ",
        "978\u00a09001234562",
    ],
)
def test_an_ean_is_recognised_however_it_is_written(typed: str) -> None:
    assert ean_of(typed) == "9789001234562"


@pytest.mark.parametrize(
    "typed", ["", "978900123456", "97890012345622", "978900123456a", "-", "²789001234562"]
)
def test_anything_else_is_no_ean(typed: str) -> None:
    assert ean_of(typed) == ""


def test_an_ean_is_read_in_three_parts() -> None:
    assert spaced_ean("9789001234562") == "9789001 23456 2"
    assert spaced_ean("12345") == "12345"
