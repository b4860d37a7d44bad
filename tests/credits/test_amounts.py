"""Numbers typed as our own screens write them: never a thousand read as one."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from credits.forms import SchoolCreditForm
from credits.models import SchoolCredit
from credits.wizard_forms import ReturnForm, ReturnManyForm
from persons.forms import PersonForm
from tests.factories import PersonFactory, SchoolCreditFactory, SchoolFactory


def form_of(amount: str) -> SchoolCreditForm:
    row = SchoolCreditFactory.build()
    return SchoolCreditForm(
        {
            "school": SchoolFactory().pk,
            "ean": row.ean,
            "amount": amount,
            "school_year": "2627",
            "credit_start_date": "2026-08-01",
            "credit_end_date": "2027-07-31",
            "contact_name": row.contact_name,
            "contact_email": row.contact_email,
            "distributor_school_credit_id": row.distributor_school_credit_id,
        }
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "read"), [("1.000", 1000), ("1,250", 1250), ("1.234.567", 1234567), ("30", 30)]
)
def test_an_amount_is_read_as_the_lists_write_it_and_told(typed: str, read: int) -> None:
    form = form_of(typed)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount"] == read
    assert ("amount" in form.read_as) == (typed != str(read))


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["1.00", "2.0", "10.0000", "1.000,5", "0.000", "1.000.00", "1e3"])
def test_what_may_mean_something_else_is_refused(typed: str) -> None:
    assert "amount" in form_of(typed).errors


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["1.000", "12.0"])
def test_a_house_number_is_no_amount(typed: str) -> None:
    person = PersonFactory()
    values: dict[str, Any] = {
        name: value for name, value in vars(person).items() if not name.startswith("_")
    }

    form = PersonForm({**values, "house_number": typed}, instance=person)

    assert "house_number" in form.errors


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "read"), [("1.000", 1000), (" 3 ", 3), ("1.0", None), ("x", None)]
)
def test_so_many_licences_are_given_back_as_were_typed(typed: str, read: int | None) -> None:
    credit = SchoolCredit(amount=2000, specified=2000)

    form = ReturnForm(
        {"amount": typed, "reason": "minder leerlingen", "reference": "0" * 32}, credit=credit
    )

    assert form.is_valid() == (read is not None)
    assert form.cleaned_data.get("amount") == read
    assert 'type="number"' not in str(form["amount"])  # the browser would drop the point


@pytest.mark.parametrize("typed", ["1250", "1.250", "1,250", " 1.250 "])
def test_the_number_that_is_asked_for_may_be_typed_as_it_is_shown(typed: str) -> None:
    form = ReturnManyForm({"reason": "x", "typed": typed, "pks": "1", "reference": "0" * 32})
    assert form.is_valid(), form.errors

    assert form.check_typed(1250)
    with override("nl"):
        assert not form.check_typed(1251)
    assert "Typ 1.251 " in form.errors["typed"][0]
