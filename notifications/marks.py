"""The mark of our own test notifications: a subject that no person and no credit can have."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

# 21 characters in all: version 4.0 allows 30.
TEST_PREFIX: Final = "**test** "


def new_test_subject() -> str:
    """Another one each time, so that a test finds its own row."""
    return f"{TEST_PREFIX}{uuid4().hex[:12]}"


def is_test(subject: str) -> bool:
    """Whether a notification about this is a test of our own."""
    return subject.startswith(TEST_PREFIX)
