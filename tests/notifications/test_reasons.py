"""Reasons in words."""

from __future__ import annotations

import pytest

from notifications import reasons
from notifications.reasons import in_words, reason

KEYS = [value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)]
RULES = ["missing:state", "repeated:state", "too_long:eckID", "wrong_type:amount"]


@pytest.mark.parametrize("stored", [*KEYS, *RULES])
def test_every_reason_has_words(stored: str) -> None:
    words = in_words(stored)

    assert words != stored
    assert words.endswith(".")
    assert "%(" not in words


def test_the_words_name_the_element() -> None:
    assert "eckID" in in_words("too_long:eckID")
    assert "309" in in_words(reason("return_not_processed", 309))


def test_a_reason_of_a_later_version_is_shown_as_it_is() -> None:
    assert in_words("unheard_of:100%s") == "unheard_of:100%s"
