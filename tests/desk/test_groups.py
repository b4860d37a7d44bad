"""The three groups of colleagues, as the migration makes them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

migration: Any = import_module("backoffice.desk.migrations.0001_groups")
own_texts: Any = import_module("backoffice.desk.migrations.0002_rights_for_own_texts")
work_lists: Any = import_module("backoffice.desk.migrations.0004_rights_for_work_lists")
ready: Any = import_module("backoffice.desk.migrations.0008_rights_for_readiness")

pytestmark = pytest.mark.django_db


def rights_of(group: str) -> set[str]:
    found = Permission.objects.filter(group__name=group).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in found}


def test_the_groups_have_dutch_names() -> None:
    names = set(Group.objects.values_list("name", flat=True))

    assert names == {"Accountmanager", "Meelezer", "Beheerder"}


def test_a_reader_may_view_and_nothing_else() -> None:
    rights = rights_of("Meelezer")

    assert rights
    assert {right.partition(".")[2].partition("_")[0] for right in rights} == {"view"}


def test_an_account_manager_works_with_persons_and_credits() -> None:
    rights = rights_of("Accountmanager")

    assert {
        "persons.change_person",
        "persons.push_schoolperson",
        "credits.add_personcredit",
        "credits.push_schoolcredit",
        "jobs.add_job",
        "explanations.add_publishercode",
        "outbox.change_message",
    } <= rights
    assert {"desk.change_workitemstate", "desk.add_worknote"} <= rights
    assert not {right for right in rights if "delete" in right or right.startswith("auth.")}
    assert "notifications.replay_notification" not in rights


def test_an_administrator_may_do_all_that_and_manage() -> None:
    assert rights_of("Meelezer") < rights_of("Accountmanager") < rights_of("Beheerder")
    assert {"auth.add_user", "notifications.replay_notification"} <= rights_of("Beheerder")
    assert {"desk.view_outsidecheck", "desk.change_outsidecheck"} <= rights_of("Beheerder")
    assert "desk.view_outsidecheck" not in rights_of("Accountmanager")


def test_every_right_belongs_to_a_model_under_the_name_django_gives_it() -> None:
    known: dict[tuple[str, str], str] = {}
    for model in apps.get_models():
        label, meta = model._meta.app_label, model._meta
        for action in meta.default_permissions:
            codename = f"{action}_{meta.model_name}"
            known[label, codename] = f"Can {action} {meta.verbose_name_raw}"
        known |= {(label, codename): str(name) for codename, name in meta.permissions}

    for group in Group.objects.all():
        for row in group.permissions.select_related("content_type"):
            assert known[row.content_type.app_label, row.codename] == row.name


def test_running_it_twice_changes_nothing() -> None:
    before = {name: rights_of(name) for name in migration.GROUPS}
    permissions = Permission.objects.count()

    migration.create_groups(apps, None)

    assert {name: rights_of(name) for name in migration.GROUPS} == before
    assert Permission.objects.count() == permissions


def test_it_can_be_undone_and_done_again() -> None:
    Group.objects.create(name="Eigen groep")
    before = rights_of("Beheerder")

    migration.remove_groups(apps, None)
    left = list(Group.objects.values_list("name", flat=True))
    migration.create_groups(apps, None)
    own_texts.give(apps, None)
    work_lists.give(apps, None)
    ready.give(apps, None)

    assert left == ["Eigen groep"]
    assert rights_of("Beheerder") == before


def test_it_makes_the_rights_that_are_not_there_yet() -> None:
    before = rights_of("Accountmanager")
    Permission.objects.all().delete()
    Group.objects.all().delete()

    migration.create_groups(apps, None)
    own_texts.give(apps, None)
    work_lists.give(apps, None)
    ready.give(apps, None)

    assert rights_of("Accountmanager") == before
