"""Remarks are data; the words come when somebody reads them, in the reader's language."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils.translation import override

from backoffice.eduix.rules import check
from backoffice.jobs.remarks import OWN, Remark, general_words, words_of
from persons.imports import PersonImporter

from .given import PERSON

pytestmark = pytest.mark.django_db  # publishers' codes are explained from a table

PARAMS = {
    "name": "Noor Berg",
    "from": "a", "to": "b", "earlier": 3, "other": "K2", "columns": ["surname"], "cells": 3,
    "max": 30, "returned": 4,
}  # fmt: skip


def test_a_remark_survives_being_stored() -> None:
    remark = Remark("error", "too_long", "surname", 5022, {"max": 50, "length": 51})

    assert Remark.from_json(remark.as_json()) == remark


@pytest.mark.parametrize("key", OWN)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_remark_of_the_import_has_words_without_gaps(key: str, language: str) -> None:
    with override(language):
        text = words_of(Remark("error", key, "surname", params=PARAMS)).text

    assert len(text) > 10
    assert "%" not in text


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_finding_of_the_rules_is_explained(language: str) -> None:
    values = dict.fromkeys(("surname", "gender", "eck_id", "house_number"), "x" * 300)
    found = check("person", values, today=date(2026, 11, 2))

    with override(language):
        texts = [words_of(Remark.of(finding)).text for finding in found]

    assert len(texts) > 6
    assert all(len(text) > 10 and "%" not in text for text in texts)


def test_a_code_shows_only_where_edu_ix_has_one_for_the_field() -> None:
    assert Remark("error", "too_long", "surname", 5022).number == "5022"
    assert Remark("error", "postal_code_nl", "postal_code", 6).number == ""
    assert Remark("error", "same_key").number == ""


def test_columns_are_called_as_the_file_calls_them() -> None:
    remark = Remark("error", "same_key", params={"earlier": 2, "columns": ["surname"]})

    assert "Achternaam" in words_of(remark, {"surname": "Achternaam"}.__getitem__).text


def test_what_rows_have_in_common_names_no_line() -> None:
    remark = Remark("error", "same_key", params={"earlier": 7123, "columns": ["surname"]})

    assert "7123" not in general_words(remark).text


def test_a_reading_puts_errors_before_what_was_read_differently() -> None:
    importer = PersonImporter()
    cells = dict(zip((c.name for c in importer.columns), PERSON.values(), strict=True))

    reading = importer.read(cells | {"surname": "", "role": "leerling"}, today=date(2026, 11, 2))

    assert [remark.severity for remark in reading.remarks] == ["error", "changed"]
