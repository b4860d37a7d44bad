"""Accounts and groups: nobody gives away more than they have."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

USERS = "/admin/auth/user/"
GROUPS = "/admin/auth/group/"
PHRASE = "een-lang-wachtwoord-26"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def chief() -> User:
    user: User = UserFactory(groups=["Beheerder"])
    return user


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": "on",
    }
    return values | changes


def test_a_new_colleague_can_work_at_once(chief: User) -> None:
    group = Group.objects.get(name="Accountmanager")

    response = signed_in(chief).post(
        f"{USERS}add/",
        {
            "username": "nieuw",
            "password1": PHRASE,
            "password2": PHRASE,
            "groups": [group.pk],
        },
    )

    assert response.status_code == 302
    new = User.objects.get(username="nieuw")
    assert new.is_staff
    assert new.has_usable_password()
    assert not new.is_superuser
    assert list(new.groups.all()) == [group]
    client = Client()
    assert client.login(username="nieuw", password=PHRASE)
    assert client.get("/admin/persons/person/").status_code == 200


@pytest.mark.parametrize("field", ["is_superuser", "user_permissions", "is_staff"])
def test_an_administrator_cannot_reach_past_the_groups(chief: User, field: str) -> None:
    secret = Permission.objects.get(codename="delete_session")
    value: Any = [secret.pk] if field == "user_permissions" else "on"
    UserFactory(is_staff=False, username="other")
    other = User.objects.get(username="other")

    signed_in(chief).post(f"{USERS}{other.pk}/change/", form_of(other, **{field: value}))

    other.refresh_from_db()
    assert not other.is_superuser
    assert not other.is_staff
    assert not other.user_permissions.exists()


def test_an_administrator_changes_no_superuser_and_no_password_of_one(chief: User) -> None:
    boss = User.objects.create_superuser("boss", password=PHRASE)
    client = signed_in(chief)

    change = client.post(f"{USERS}{boss.pk}/change/", form_of(boss, username="taken"))
    password = client.post(
        f"{USERS}{boss.pk}/password/",
        {"usable_password": "true", "password1": "x" * 20, "password2": "x" * 20},
    )

    assert (change.status_code, password.status_code) == (403, 403)
    boss.refresh_from_db()
    assert boss.username == "boss"
    assert boss.check_password(PHRASE)


def test_an_administrator_gives_only_groups_within_the_own_rights(chief: User) -> None:
    mighty = Group.objects.create(name="Mighty")
    mighty.permissions.add(Permission.objects.get(codename="delete_session"))
    UserFactory(username="other")
    other = User.objects.get(username="other")
    client = signed_in(chief)

    client.post(f"{USERS}{other.pk}/change/", form_of(other, groups=[mighty.pk]))
    client.post(f"{USERS}{chief.pk}/change/", form_of(chief, groups=[mighty.pk]))

    assert not User.objects.filter(groups=mighty).exists()


def test_an_administrator_puts_no_foreign_right_in_a_group(chief: User) -> None:
    secret = Permission.objects.get(codename="delete_session")
    own = Permission.objects.get(codename="view_person")
    client = signed_in(chief)

    refused = client.post(f"{GROUPS}add/", {"name": "Nieuw", "permissions": [secret.pk]})
    client.post(f"{GROUPS}add/", {"name": "Kijkers", "permissions": [own.pk]})

    assert refused.status_code == 200
    assert not Group.objects.filter(name="Nieuw").exists()
    assert list(Group.objects.get(name="Kijkers").permissions.all()) == [own]


def test_a_group_beyond_the_own_rights_is_to_look_at_only(chief: User) -> None:
    mighty = Group.objects.create(name="Mighty")
    secret = Permission.objects.get(codename="delete_session")
    mighty.permissions.add(secret)

    answer = signed_in(chief).post(f"{GROUPS}{mighty.pk}/change/", {"name": "Mighty"})

    assert answer.status_code == 403
    assert list(mighty.permissions.all()) == [secret]


def test_nobody_deletes_the_own_account(chief: User) -> None:
    assert signed_in(chief).get(f"{USERS}{chief.pk}/delete/").status_code == 403


@pytest.mark.parametrize("group", ["Meelezer", "Accountmanager"])
@pytest.mark.parametrize("path", [USERS, GROUPS, f"{USERS}add/"])
def test_others_see_no_accounts(group: str, path: str) -> None:
    assert signed_in(UserFactory(groups=[group])).get(path).status_code == 403


@pytest.mark.parametrize("path", [USERS, GROUPS])
@pytest.mark.parametrize("lookup", ["password__startswith", "email__contains", "name__gte"])
def test_hidden_columns_cannot_be_asked_for(chief: User, path: str, lookup: str) -> None:
    assert signed_in(chief).get(path, {lookup: "a"}).status_code == 400


def test_the_lists_open_and_filter(chief: User) -> None:
    client = signed_in(chief)
    group = Group.objects.get(name="Beheerder")

    assert client.get(USERS, {"groups__id__exact": group.pk}).status_code == 200
    assert client.get(USERS, {"is_active__exact": 1}).status_code == 200
    assert client.get(f"{GROUPS}{group.pk}/change/").status_code == 200


def test_rights_are_told_by_what_they_allow(chief: User) -> None:
    client = signed_in(chief)
    client.cookies["django_language"] = "en"
    group = Group.objects.get(name="Beheerder")

    page = client.get(f"{GROUPS}{group.pk}/change/").content.decode()

    assert " Persons: change</label>" in page
    assert " Persons: send to Edu-iX</label>" in page
    assert " Notifications: apply again</label>" in page
    assert "Can change" not in page
    boss = UserFactory(is_superuser=True)
    assert "Can change" not in signed_in(boss).get(f"{USERS}{chief.pk}/change/").content.decode()


def test_an_account_is_made_with_groups_to_tick_and_no_word_of_english(chief: User) -> None:
    page = signed_in(chief).get(f"{USERS}add/").content.decode()

    assert page.count('type="checkbox" name="groups"') == 3
    assert "edit more user options" not in page
    assert 'name="usable_password"' not in page


def test_the_rights_of_a_group_are_ticked(chief: User) -> None:
    group = Group.objects.get(name="Meelezer")

    page = signed_in(chief).get(f"{GROUPS}{group.pk}/change/").content.decode()

    assert page.count('name="permissions"') > group.permissions.count() > 0
    assert page.count('type="checkbox" name="permissions"') == page.count('name="permissions"')
