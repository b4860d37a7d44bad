"""What the tests of the pages of credits have in common."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from credits.services import refresh_statuses
from tests.clients import manager, signed_in

__all__ = ["manager", "signed_in"]

PERSON_CREDITS = "/admin/credits/personcredit/"
SCHOOL_CREDITS = "/admin/credits/schoolcredit/"
PRODUCTS = "/admin/credits/product/"
RETURNS = "/admin/credits/creditreturn/"


def put(credit: Any, **columns: Any) -> Any:
    """Put a credit in a state that the machine would leave, with the status that follows."""
    rows = type(credit)._default_manager.filter(pk=credit.pk)
    rows.update(**columns)
    refresh_statuses(rows)
    credit.refresh_from_db()
    return credit


def in_sync(credit: Any, **columns: Any) -> Any:
    """As after an accepted push."""
    now = timezone.now()
    return put(credit, push_state="in_sync", registered_at=now, push_changed_at=now, **columns)


def page_of(client: Client, path: str, **query: Any) -> str:
    response = client.get(path, query)
    assert response.status_code == 200
    return response.content.decode()
