"""What the tests of views have in common."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from backoffice.jobs.models import Job
from tests.factories import UserFactory

START = "/admin/importeren/"


def colleague(*permissions: str) -> Client:
    """Somebody with these rights, signed in."""
    user = UserFactory()
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def importer() -> Client:
    return colleague("jobs.add_job", "persons.push_person")


def upload(client: Client, data: bytes, *, name: str = "2V.csv", kind: str = "") -> Any:
    return client.post(START, {"file": SimpleUploadedFile(name, data), "kind": kind})


def url(name: str, job: Job) -> str:
    return reverse(f"admin:import_{name}", args=[job.pk])


def text_of(response: Any) -> str:
    """The page as one reads it: no markup, single spaces."""
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", page)


class Elements(HTMLParser):
    """The names of all elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(f"@{name}" for name, _value in attrs)]
