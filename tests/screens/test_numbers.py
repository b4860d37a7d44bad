"""Numbers in sentences."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from backoffice.screens.numbers import plural, with_number


@pytest.mark.parametrize(("language", "expected"), [("nl", "1.001 rows"), ("en", "1,001 rows")])
def test_a_sentence_writes_numbers_as_the_tables_do(language: str, expected: str) -> None:
    with override(language):
        assert with_number("%d rows", 1001) == expected


def test_a_sentence_without_a_number_stays_as_it_is() -> None:
    assert with_number("100% done", 1001) == "100% done"


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("nl", 1, "1 rij staat bij Edu-iX"),
        ("nl", 1001, "1.001 rijen staan bij Edu-iX"),
        ("en", 1001, "1,001 rows are at Edu-iX"),
    ],
)
def test_words_for_any_number_are_in_the_language_of_the_moment(
    language: str, number: int, expected: str
) -> None:
    words = plural("%d row is at Edu-iX", "%d rows are at Edu-iX")  # made before the language

    with override(language):
        assert words(number) == expected
