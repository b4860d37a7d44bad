"""`manage.py why`: the same answer on a terminal and as JSON, and one line when there is none."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import PersonCreditFactory, PersonFactory, ProductFactory, SchoolPersonFactory

pytestmark = pytest.mark.django_db


def why(*arguments: str) -> str:
    out = io.StringIO()
    call_command("why", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def credit() -> Any:
    ProductFactory()
    return PersonCreditFactory(school_person__person__distributor_person_id="K204103")


def test_the_json_has_the_fixed_keys(credit: Any) -> None:
    told = json.loads(why("K204103", "--ean", credit.ean, "--date", "2026-11-21", "--json"))

    assert set(told) == {"verdict", "sentence", "owner", "action", "links"}
    assert (told["verdict"], told["owner"], told["action"]) == ("person_not_sent", "wij", "push")
    assert [set(link) for link in told["links"]] == [{"name", "state", "evidence", "at"}] * 9
    assert {link["state"] for link in told["links"]} <= {"ok", "broken", "unknown"}
    assert told["links"][0]["name"] == "person"
    assert "Sanne van den Berg" in told["sentence"]
    assert "Getal & Ruimte 2 vwo" in told["sentence"]


def test_the_text_says_the_sentence_first_and_then_each_link(credit: Any) -> None:
    lines = why("K204103", "--lang", "en").splitlines()

    assert lines[0].startswith("Sanne van den Berg cannot open “Getal & Ruimte 2 vwo”")
    assert lines[1] == "Who: Us. Does not clear by itself."
    assert sum(line.startswith(("  ✓", "  !", "  ?")) for line in lines) == 9


def test_a_name_of_several_words_needs_no_quotes(credit: Any) -> None:
    assert "van den Berg" in why("sanne", "van", "den", "berg", "--lang", "en")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("K204108",), "K204103"),  # nobody, but this comes near
        (("Niemand",), ""),
        (("K204103", "--ean", "123"), "13"),
        (("K204103", "--ean", "9789099999999"), "9789099"),
        (("K204103", "--date", "gisteravond"), "gisteravond"),
        (("K204103", "--date", "1990-01-01"), "1990"),
        (("K204103", "--school", "Nergens"), "Nergens"),
    ],
)
def test_bad_input_is_one_clear_line(credit: Any, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as problem:
        why(*arguments)

    line = str(problem.value)
    assert line
    assert "\n" not in line
    assert said in line
    assert problem.value.returncode == 1


def test_several_are_named_with_their_numbers() -> None:
    for number in ("K204103", "K204104"):
        person = PersonFactory(distributor_person_id=number, date_of_birth=date(2012, 3, 4))
        SchoolPersonFactory(person=person, school_student_number="20419")

    with pytest.raises(CommandError, match=r"K204103.*K204104"):
        why("20419")
