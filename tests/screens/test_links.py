"""From a code of Edu-iX to the field that mends it."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.eduix.rules import RULES
from backoffice.outbox.pushable import PushableForm
from backoffice.screens.links import counted, field_of, kind_of, url_of
from credits.forms import PersonCreditForm, SchoolCreditForm
from persons.forms import PersonForm, SchoolPersonForm

FORMS: dict[str, type[PushableForm[Any]]] = {
    "person": PersonForm,
    "schoolperson": SchoolPersonForm,
    "person_credit": PersonCreditForm,
    "school_credit": SchoolCreditForm,
}
OBJECTS = {
    "person": "person",
    "schoolperson": "schoolperson",
    "personCredit": "person_credit",
    "schoolCredit": "school_credit",
}
# Written by the machine: no form offers them.
MACHINE = {"profile_id", "user_id", "person_product_state"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", range(9))
def test_every_code_of_a_field_leads_to_that_field_of_its_form(kind: int, sign: int) -> None:
    checked = 0
    for rule in RULES:
        row = OBJECTS.get(rule.object)
        if row is None or rule.column in MACHINE:
            continue
        field = field_of(row, sign * (rule.base + kind))
        assert field in FORMS[row].base_fields, (rule, field)
        checked += 1
    assert checked == len([r for r in RULES if r.object in OBJECTS]) - len(MACHINE)


def test_a_general_code_leads_to_the_field_that_its_text_names() -> None:
    assert field_of("person", 6, "Incorrect request: postalCode has a wrong form") == "postal_code"
    assert field_of("schoolperson", -6, "organisationID is unknown") == "school"
    assert field_of("person", 6, "Incorrect request") == ""


@pytest.mark.parametrize("code", [None, 0, 1, 12, 2626, 999_999])
def test_a_code_about_no_field_leads_to_none(code: int | None) -> None:
    assert field_of("person", code) == ""


def test_a_subject_leads_to_its_form() -> None:
    assert url_of("person:12") == "/admin/persons/person/12/change/"
    assert url_of("person:12", code=4967).endswith("/12/change/#id_postal_code")
    assert url_of("person:12", code=7706).endswith("#id_new_eck_id")
    assert url_of("school:97889c33").endswith("/school/?organisation_id=97889c33")
    assert url_of("comet:1") == ""
    assert kind_of("school_credit:4") == "school_credit"


def test_rows_are_counted_in_words() -> None:
    assert "3" in counted("person_credit", 3)
    assert counted("person_credit", 0) == ""
    assert counted("comet", 3) == ""
