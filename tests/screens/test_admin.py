"""What every list of the admin must hold to."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import models
from django.test import RequestFactory


def own_admins() -> list[admin.ModelAdmin[models.Model]]:
    return list(admin.site._registry.values())


@pytest.mark.parametrize("model_admin", own_admins(), ids=str)
def test_a_list_names_the_lookups_it_allows(model_admin: admin.ModelAdmin[models.Model]) -> None:
    request = RequestFactory().get("/")

    for field in model_admin.model._meta.concrete_fields:
        for lookup in (f"{field.name}__startswith", f"{field.name}__gt", f"{field.name}__regex"):
            assert not model_admin.lookup_allowed(lookup, "a", request), lookup


@pytest.mark.parametrize("model_admin", own_admins(), ids=str)
def test_a_list_counts_its_table_once_and_stays_small(
    model_admin: admin.ModelAdmin[models.Model],
) -> None:
    assert model_admin.show_full_result_count is False
    assert model_admin.date_hierarchy is None
    assert model_admin.list_per_page <= 100
    assert model_admin.list_max_show_all <= 200
