"""What the tests in Chromium have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def page(chromium: Any, live_server: Any) -> Iterator[Any]:
    """A page of somebody who may do everything, where nothing moves by itself."""
    context = chromium.new_context(
        locale="nl-NL", timezone_id="Europe/Amsterdam", reduced_motion="reduce"
    )
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
    context.add_cookies([cookie])
    yield context.new_page()
    context.close()
