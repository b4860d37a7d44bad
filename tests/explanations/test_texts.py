"""The files of the catalogue: complete, in both languages, and agreeing with the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from backoffice.explanations import texts
from backoffice.explanations.explanation import OWNERS
from backoffice.explanations.texts import Entry
from tests.facts import rows

PLACEHOLDERS = {
    "name", "Name", "short", "Short", "bare", "record", "Record", "kind", "sought", "target",
    "values", "min", "max", "min_characters", "hint", "code",
}  # fmt: skip


def all_entries() -> Iterator[tuple[str, Entry]]:
    tables: dict[str, Mapping[Any, Entry]] = {
        "general": texts.general(),
        "by hand": texts.written_by_hand(),
        "account": texts.account(),
        "coachview": texts.coachview(),
        "anewspring": texts.anewspring(),
        "own": texts.own(),
        "pattern": texts.families(),
        "unknown": texts.unknown(),
    }
    for name, table in tables.items():
        for key, entry in table.items():
            yield f"{name} {key}", entry


def documented_fields() -> dict[int, tuple[str, str]]:
    return {
        int(row["code"]) - int(row["kind"]): (row["object"], row["field"])
        for row in rows("codes")
        if row["level"] != "service"
    }


def test_there_are_116_fields_and_they_are_the_documented_ones() -> None:
    found = {base: (field.object, field.field) for base, field in texts.fields().items()}

    assert len(found) == 116
    assert found == documented_fields()


def test_every_field_lists_exactly_the_documented_kinds() -> None:
    documented: dict[int, set[int]] = {}
    for row in rows("codes"):
        if row["level"] != "service":
            kind = int(row["kind"])
            documented.setdefault(int(row["code"]) - kind, set()).add(kind)

    found = {base: set(field.kinds) for base, field in texts.fields().items()}

    assert found == documented


def test_limits_are_the_documented_ones() -> None:
    for row in rows("codes"):
        if row["name"] not in ("too_small", "too_long"):
            continue
        field = texts.fields()[int(row["code"]) - int(row["kind"])]
        limit = field.minimum if row["name"] == "too_small" else field.maximum
        assert limit == int(row["limit"]), field.path


def test_every_noun_is_singular_with_its_article_and_belongs_to_one_field_only() -> None:
    for lang, articles in {"nl": ("de ", "het ", "ons "), "en": ("the ", "our ")}.items():
        names = [field.words[lang]["name"] for field in texts.fields().values()]
        assert all(name.startswith(articles) for name in names)
        assert len(set(names)) == len(names)


def test_every_field_is_about_something_that_has_words() -> None:
    for field in texts.fields().values():
        assert set(texts.records()[field.about]) == set(texts.LANGUAGES)
        assert texts.label("objects", field.about, "nl") != field.about


@pytest.mark.parametrize(("key", "entry"), list(all_entries()), ids=lambda part: str(part)[:40])
def test_every_entry_speaks_both_languages_and_uses_known_placeholders(
    key: str, entry: Entry
) -> None:
    assert set(entry.texts) == set(texts.LANGUAGES)
    for text in entry.texts.values():
        parts = (text.title, text.cause, *text.causes, *text.remedy, text.when)
        used = {name for part in parts for name in re.findall(r"{(\w*)}", part)}
        assert used <= PLACEHOLDERS


def test_owners_and_actions_are_of_the_fixed_lists() -> None:
    for key, entry in all_entries():
        assert entry.owner in (*OWNERS, ""), key
        assert entry.action in ("", *texts.actions()), key


def test_every_action_has_words_and_a_meaning_and_is_used() -> None:
    used = {entry.action for _, entry in all_entries()}

    for key, action in texts.actions().items():
        assert all(action.labels[lang] for lang in texts.LANGUAGES)
        assert action.meaning.endswith(".")
        assert key in used


def test_a_text_by_hand_stands_only_where_the_documentation_has_a_code() -> None:
    documented = {int(row["code"]) for row in rows("codes")}

    assert set(texts.written_by_hand()) <= documented
    assert set(texts.general()) - {0} == {code for code in documented if code <= 12}


def test_prematch_codes_are_not_among_the_documented_codes_of_our_services() -> None:
    documented = {int(row["code"]) for row in rows("codes")}

    assert set(texts.account()) == {4426, 4428, 7748, 7766}
    assert not documented & set(texts.account())


def test_another_name_of_our_own_never_hides_a_key() -> None:
    assert not set(texts.aliases()) & set(texts.own())


def test_a_word_that_is_not_in_the_table_is_shown_as_it_is() -> None:
    assert texts.label("owners", "somebody", "nl") == "somebody"
