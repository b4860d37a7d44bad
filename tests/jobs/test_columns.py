"""A header is understood in the service's names, in Dutch, in any case, or refused with a name."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from backoffice.jobs.columns import fold, match_header, missing
from backoffice.jobs.files import BadFile
from backoffice.jobs.registry import importers
from persons.imports import AT_SCHOOL, PERSON, PersonImporter

from .given import PERSON as ROW

PARTNER = [column.partner for column in PersonImporter.columns]
DUTCH = list(ROW)
COLUMNS = PersonImporter.columns


@pytest.mark.parametrize(
    ("names", "write"),
    list(itertools.product([PARTNER, DUTCH], [str, str.upper, str.lower, str.title])),
)
def test_service_names_and_dutch_labels_in_any_case_mean_the_same(
    names: list[str], write: Callable[[str], str]
) -> None:
    matched = match_header([write(name) for name in names], COLUMNS)

    assert matched.names == (*PERSON, *AT_SCHOOL)
    assert matched.ignored == matched.absent == ()


@pytest.mark.parametrize("text", ["E-mail", "email", "E MAIL", "e\u00a0mail", "E_Mail."])
def test_only_letters_and_digits_of_a_name_count(text: str) -> None:
    assert fold(text) == "email"


def test_columns_may_stand_in_any_order_and_mixed() -> None:
    matched = match_header([*DUTCH[8:], *PARTNER[:8]], COLUMNS)

    assert set(matched.names) == {*PERSON, *AT_SCHOOL}


def test_unknown_columns_and_those_that_only_edu_ix_writes_are_ignored_and_named() -> None:
    matched = match_header([*DUTCH, "userID", "profileID", "Mentor", ""], COLUMNS)

    assert matched.ignored == ("userID", "profileID", "Mentor")
    assert matched.names[-4:] == ("", "", "", "")


@pytest.mark.parametrize(
    "name", ["Klantnummer", "Voornaam", "Achternaam", "Status", "Postcode", "Land"]
)
def test_a_missing_column_is_named(name: str) -> None:
    with pytest.raises(BadFile, match=name):
        match_header([each for each in DUTCH if each != name], COLUMNS)


def test_a_name_that_resembles_the_missing_one_is_named_as_well() -> None:
    header = ["Achtrnaam" if name == "Achternaam" else name for name in DUTCH]

    with pytest.raises(BadFile, match=r"Achternaam.*Achtrnaam"):
        match_header(header, COLUMNS)


@pytest.mark.parametrize("second", ["Voornaam", "firstName", "FIRST_NAME"])
def test_two_columns_with_one_meaning_are_refused_by_name(second: str) -> None:
    with pytest.raises(BadFile, match="Voornaam"):
        match_header([*DUTCH, second], COLUMNS)


def test_persons_without_a_school_need_no_column_about_it() -> None:
    matched = match_header(DUTCH[:12], COLUMNS)

    assert matched.absent == tuple(AT_SCHOOL)


@pytest.mark.parametrize("name", ["Schoolpersoonnummer", "School-ID", "Rol"])
def test_one_column_about_a_school_asks_for_the_others(name: str) -> None:
    with pytest.raises(BadFile, match=name):
        match_header([each for each in DUTCH if each != name], COLUMNS)


def test_no_two_columns_of_one_kind_can_be_written_the_same() -> None:
    for importer in importers():
        names = [name for column in importer.columns for name in column.folded]

        assert len(names) == len(set(names)), importer.kind


def test_the_template_of_each_kind_is_a_complete_header() -> None:
    for importer in importers():
        assert missing([column.label for column in importer.columns], importer.columns) == []
