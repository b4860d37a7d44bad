"""What the tests of digest have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from persons.models import School
from tests.factories import (
    SchoolFactory,
    UserFactory,
)

MORNING = datetime(2026, 11, 20, 6, 5, tzinfo=UTC)  # five past seven here


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def user() -> User:
    return UserFactory(username="fatima", first_name="Fatima", email="fatima@example.nl")


@pytest.fixture
def school(user: User) -> School:
    return SchoolFactory(name="Het Baken", account_manager=user)
