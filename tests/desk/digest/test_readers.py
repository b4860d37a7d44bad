"""To whom the daily mail goes, when and in which language, and how it looks."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backoffice.desk.digest_sending import (
    account_managers,
    is_time,
    language_of,
    mail_to,
)
from persons.models import School
from tests.desk.digest.conftest import MORNING
from tests.factories import (
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def test_only_who_looks_after_a_school_and_has_an_address(user: User, school: School) -> None:
    SchoolFactory(account_manager=user)
    SchoolFactory(account_manager=UserFactory(email=""))
    SchoolFactory(account_manager=UserFactory(email="gone@example.nl", is_active=False))
    UserFactory(email="none@example.nl")

    assert list(account_managers()) == [user]


def test_it_waits_for_its_moment(settings: Any) -> None:
    settings.BACKOFFICE_DIGEST_AT = time(7, 0)
    assert not is_time(MORNING - timedelta(minutes=6))
    assert is_time(MORNING)
    assert is_time(MORNING + timedelta(hours=14))

    settings.BACKOFFICE_DIGEST_AT = None
    assert not is_time(MORNING)


def test_the_mail_follows_the_language_of_our_menu(
    user: User, school: School, client: Client
) -> None:
    user.is_superuser = True
    user.save()
    client.force_login(user)
    assert language_of(user) == "nl"

    client.post("/admin/taal/", {"language": "en"})

    assert language_of(user) == "en"
    assert mail_to(user, MORNING)[0].text.startswith("Good morning, Fatima,")
