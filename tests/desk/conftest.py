"""Colleagues who are signed in, and a moment that all tests of the desk share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def signed_in(db: None) -> Callable[..., Client]:
    """A browser of a colleague who has these permissions, e.g. "persons.view_person"."""

    def sign_in(*permissions: str, **columns: Any) -> Client:
        user = UserFactory(**columns)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def manager(signed_in: Callable[..., Client]) -> Client:
    """A browser of somebody who may do everything."""
    return signed_in(is_superuser=True, first_name="Fatima")
