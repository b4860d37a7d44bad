"""Schools are read from a file, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backoffice.eduix_sandbox.schools import EXAMPLES, Schools, SchoolsError

GOOD = {"organisationID": "S1", "name": "School", "countryCode": "NL"}


def test_the_example_schools_are_read() -> None:
    schools = Schools.from_file(EXAMPLES)

    assert len(schools) == 3
    assert [school.prematches for school in schools.all()].count(False) == 1


def test_a_school_without_portal_or_prematch_has_neither_and_links() -> None:
    (school,) = Schools.from_data([GOOD]).all()

    assert school.portal == ("", "")
    assert school.prematches


def test_empty_fields_are_absent_and_numbers_become_text() -> None:
    (school,) = Schools.from_data([{**GOOD, "city": "", "brin": None, "houseNumber": 12}]).all()

    assert school.fields == {**GOOD, "houseNumber": "12"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "S1: name is missing"),
        ({"organisationID": None}, "School: organisationID is missing"),
        ({"name": "x" * 51}, "name is longer than 50"),
        ({"countryCode": "XX"}, "countryCode XX does not exist"),
        ({"prematch": "no"}, "prematch must be true or false"),
        ({"portal": {"hubID": "Kennisnet"}}, "portal needs hubID and portalID"),
        ({"portal": {"hubID": "Entree", "portalID": "x"}}, "is not correct"),
    ],
)
def test_a_wrong_school_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SchoolsError, match=words):
        Schools.from_data([{**GOOD, **change}])


@pytest.mark.parametrize("text", ["", "{}", '["school"]'])
def test_a_file_that_holds_no_schools_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "schools.json"
    path.write_text(text)

    with pytest.raises(SchoolsError, match=r"schools\.json"):
        Schools.from_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchoolsError, match=r"nowhere\.json"):
        Schools.from_file(tmp_path / "nowhere.json")
