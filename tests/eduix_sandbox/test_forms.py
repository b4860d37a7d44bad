"""Forms of values, tried alone."""

from __future__ import annotations

import pytest

from backoffice.eduix_sandbox.forms import Day, Number, OneOf, Text


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", None), ("abc", None), ("abcd", 2), ("é" * 3, None), ("𝄞" * 3, None)],
)
def test_a_text_is_measured_in_characters(text: str, kind: int | None) -> None:
    assert Text(3).violation(text) == kind


def test_a_text_of_exact_length_can_be_too_short() -> None:
    assert Text(4, 4).violation("abc") == 1
    assert Text(4, 4).violation("") == 1
    assert not Text(4, 4).blank_is_absent


@pytest.mark.parametrize(
    ("text", "kind", "kept"),
    [
        ("12", None, "12"),
        (" +0012\n", None, "12"),
        ("9999", None, "9999"),
        ("10000", 5, ""),
        ("0", 1, ""),
        ("-1", 1, ""),
        ("1e3", 5, ""),
        ("١٢", 5, ""),
        ("", 5, ""),
        ("0" * 5000 + "7", None, "7"),
    ],
)
def test_a_number_is_an_integer_of_so_many_digits(text: str, kind: int | None, kept: str) -> None:
    form = Number(4, 1)

    assert form.violation(text) == kind
    if kind is None:
        assert form.clean(text) == kept


def test_a_negative_number_keeps_its_sign_where_it_may_be_negative() -> None:
    assert Number(4).clean("-12") == "-12"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2024-02-29", True),
        ("2023-02-29", False),
        ("2026-08-01Z", True),
        (" 2026-08-01+02:00 ", True),
        ("2026-8-1", False),
        ("0000-01-01", False),
        ("20260801", False),
        ("2026-08-01T00:00:00", False),
    ],
)
def test_a_day_is_a_date_that_exists(text: str, good: bool) -> None:
    assert (Day().violation(text) is None) == good


def test_one_of_a_list_is_compared_letter_by_letter() -> None:
    form = OneOf(("A", "B"))

    assert form.violation("A") is None
    assert form.violation("a") == form.violation(" A") == 4
