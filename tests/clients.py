"""Colleagues who are signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import UserFactory


def signed_in(*groups: str) -> Client:
    """Somebody of these groups."""
    client = Client()
    client.force_login(UserFactory(groups=list(groups)))
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("Accountmanager")
