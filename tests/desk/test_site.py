"""The only site of the product."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from backoffice.site import BackofficeSite
from tests.factories import UserFactory


def test_plain_registration_means_our_site() -> None:
    assert isinstance(admin.site._wrapped, BackofficeSite)  # type: ignore[attr-defined]


def test_there_is_no_way_to_any_object_by_its_content_type() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[1, 1])


@pytest.mark.django_db
@pytest.mark.parametrize("group", ["Meelezer", "Accountmanager", "Beheerder"])
def test_no_line_of_the_menu_leads_nowhere(group: str) -> None:
    client = Client()
    client.force_login(UserFactory(groups=[group]))
    entries = client.get("/admin/").context["navigation"]

    answers = {entry.url: client.get(entry.url).status_code for entry in entries}

    assert len(answers) > 5
    assert set(answers.values()) == {200}


@pytest.mark.django_db
def test_the_login_page_asks_the_database_nothing(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        client.get("/admin/login/")


@pytest.mark.django_db
def test_every_page_forbids_what_is_not_our_own_file(manager: Client) -> None:
    policy = manager.get("/admin/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_no_template_has_a_style_or_script_inside_it() -> None:
    folders = [settings.BASE_DIR / "templates"]
    wrong = [
        f"{path.name}: {word}"
        for folder in folders
        for path in Path(folder).rglob("*.html")
        for word in (
            r"style=",
            r"<style",
            r"on(click|load)=",
            r"javascript:",
            r"\|\s*safe\b",
            r"<script>",
        )
        if re.search(word, path.read_text())
    ]

    assert wrong == []


def test_the_theme_loads_nothing_from_elsewhere() -> None:
    static = settings.BASE_DIR / "backoffice" / "static" / "backoffice"
    theme = (static / "theme.css").read_text()

    assert "http" not in theme
    assert "data:" not in theme
    assert all((static / name).exists() for name in ("app.js", "htmx.min.js", "htmx.LICENSE.txt"))
