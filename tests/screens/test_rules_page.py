"""The page of all rules says what is really checked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings

from backoffice.eduix.rules import check
from backoffice.eduix.rules_listing import SENT, listed_rules
from tests.eduix.test_rules_properties import rows_of
from tests.eduix.values import TODAY
from tests.factories import UserFactory

RULES = "/admin/uitleg/regels/"


@pytest.mark.parametrize("owner", SENT)
def test_whatever_is_found_stands_on_the_list_with_the_same_code(owner: str) -> None:
    listed = {(rule.column, rule.key, rule.code, rule.severity) for rule in listed_rules(owner)}

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values=rows_of(owner))
    def holds(values: dict[str, Any]) -> None:
        for found in check(owner, values, today=TODAY):
            if found.message_key == "not_text":  # no form and no file brings anything but text
                continue
            assert (found.column, found.message_key, found.code, found.severity) in listed

    holds()


@pytest.mark.django_db
@pytest.mark.parametrize("about", SENT)
def test_the_page_shows_each_rule_with_its_code_and_explanation(about: str) -> None:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))

    response = client.get(RULES, {"about": about})

    lines = response.context["lines"]
    assert [line.rule for line in lines] == list(listed_rules(about))
    assert all(line.explanation.known for line in lines)
    page = response.content.decode()
    for line in lines:
        assert line.rule.code is None or f">{line.rule.code}<" in page


@pytest.mark.django_db
def test_an_unknown_subject_shows_the_first_and_a_stranger_nothing() -> None:
    client = Client()
    assert client.get(RULES).status_code == 302
    client.force_login(UserFactory(groups=["Meelezer"]))

    assert client.get(RULES, {"about": "<script>"}).context["partner"] == "person"
    assert client.post(RULES).status_code == 405
