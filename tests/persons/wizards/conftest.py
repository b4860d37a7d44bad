"""What the tests of wizards have in common."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    UserFactory,
)


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(UserFactory(username="anja", groups=["Accountmanager"]))
    return client


def address(name: str, pk: int) -> str:
    return reverse(f"admin:persons_{name}", args=[pk])
