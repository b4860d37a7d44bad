"""Walking through the catalogue."""

from __future__ import annotations

import pytest

from backoffice.explanations import browse
from backoffice.explanations.models import PublisherCode

pytestmark = pytest.mark.django_db


def test_every_explanation_stands_in_exactly_one_family() -> None:
    families = {family.key: family.count for family in browse.families("nl")}

    for key, count in families.items():
        listed = [item for section in browse.sections(key, "nl") for item in section.explanations]
        assert len(listed) == count, key
    assert sum(families.values()) > 487


def test_a_family_is_divided_by_field_in_words() -> None:
    sections = browse.sections("person", "nl")
    surname = next(section for section in sections if section.path == "person -> surname")

    assert surname.label == "De achternaam"
    assert {item.code for item in surname.explanations} == {5020, 5022, 5025, 5026, 5027, 5028}


def test_the_fields_of_the_record_itself_come_first() -> None:
    paths = [section.path.split(" ")[0] for section in browse.sections("person", "nl")]

    own = paths.count("person")
    assert own == 14
    assert set(paths[:own]) == {"person"}


def test_our_own_states_are_divided_by_kind() -> None:
    labels = [section.label for section in browse.sections("own", "en")]

    assert labels == [
        "States",
        "Checks beforehand",
        "Imports",
        "Notifications of Edu-iX",
        "Why no access?",
    ]


def test_publishers_stand_among_the_families_only_when_somebody_wrote_something() -> None:
    assert "publisher" not in {family.key for family in browse.families("nl")}

    PublisherCode.objects.create(code=117, title_nl="Op", cause_nl="C.", remedy_nl="R.")

    assert "publisher" in {family.key for family in browse.families("nl")}


def test_an_unknown_family_is_empty() -> None:
    assert browse.sections("<script>", "nl") == []


def test_words_find_explanations_with_fitting_titles_first() -> None:
    found = browse.containing("postcode lang", "nl")

    assert found[0].title == "De postcode is te lang: hoogstens 10 tekens"
    assert len(found) <= browse.MOST


def test_words_that_stand_nowhere_find_nothing() -> None:
    assert browse.containing("kwartetspel", "nl") == []
    assert browse.containing("  ", "nl") == []
