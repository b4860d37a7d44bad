"""The badge that tells where one works."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings
from django.utils import translation

from backoffice.desk.environment import ENVIRONMENTS, current_environment


@pytest.mark.parametrize(
    ("name", "word"),
    [("embedded", "TRIAL"), ("acceptance", "ACCEPTANCE"), ("production", "PRODUCTION")],
)
def test_each_environment_has_a_word_of_its_own(name: str, word: str) -> None:
    with override_settings(BACKOFFICE_ENV=name), translation.override("en"):
        assert str(current_environment().word) == word


@pytest.mark.django_db
@pytest.mark.parametrize("name", list(ENVIRONMENTS))
@pytest.mark.parametrize("page", ["/admin/", "/admin/persons/person/", "/admin/login/?next=x"])
def test_the_badge_stands_on_every_page(manager: Client, name: str, page: str) -> None:
    client = Client() if "login" in page else manager

    with override_settings(BACKOFFICE_ENV=name):
        text = client.get(page).content.decode()

    assert f'class="env {name}"' in text


@pytest.mark.django_db
def test_only_the_trial_tells_where_its_password_stands(client: Client) -> None:
    with translation.override("en"):
        client.cookies["django_language"] = "en"
        trial = client.get("/admin/login/").content.decode()
        with override_settings(BACKOFFICE_ENV="production"):
            real = client.get("/admin/login/").content.decode()

    assert "terminal" in trial
    assert "terminal" not in real
