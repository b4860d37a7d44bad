"""What is filled in is what zeep would have written, to the byte, and is kept as masked as that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.eduix import contract
from backoffice.eduix.dialect import Dialect, dialect_of
from backoffice.eduix.masking import masked
from backoffice.eduix.patterns import NoPattern, sent_of
from tests.eduix.samples import samples

SESSION = {"sessionIDHeader": {"sessionID": "a-session"}}
LOGIN = {"loginHeader": {"username": "a-user", "password": "a-password"}}
OPERATIONS = [
    (service, operation)
    for service in ("profile", "credit")
    for operation in contract.OPERATIONS[service]
]
PLAIN = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="&<>"), min_size=1
).filter(str.strip)
ANY = st.text(max_size=40)


def headers_of(service: str, operation: str) -> dict[str, Any]:
    wanted = contract.HEADERS[service][operation]
    if wanted == contract.AUTH_HEADER:
        return {wanted: SESSION}
    return LOGIN if wanted == "loginHeader" else SESSION


def written(dialect: Dialect, operation: str, headers: Any, values: Any) -> tuple[bytes, str]:
    envelope = dialect.envelope(operation, headers, values)
    return sent_of(envelope), masked(envelope)


def both(service: str, operation: str, values: Mapping[str, Any]) -> None:
    dialect, headers = dialect_of(service, ""), headers_of(service, operation)
    for _ in range(2):  # learned, and filled in
        filled = dialect.filled(operation, headers, dict(values))
        assert (filled.sent, filled.masked) == written(dialect, operation, headers, dict(values))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=lambda one: str(one))
def test_every_operation_is_filled_in_as_zeep_writes_it(service: str, operation: str) -> None:
    if operation == "login":
        both(service, operation, {})
        return
    for sample in samples(service, f"{operation}Request"):
        both(service, operation, sample)


@given(name=PLAIN, eck_id=PLAIN, number=st.integers(1, 10**10), born=st.dates(date(1900, 1, 1)))
@settings(max_examples=200)
def test_any_plain_values_are_filled_in_as_zeep_writes_them(
    name: str, eck_id: str, number: int, born: date
) -> None:
    both("profile", "createPerson", {"person": person(name, eck_id, number, born)})


@given(name=ANY, eck_id=ANY)
@settings(max_examples=300)
def test_whatever_stands_in_a_value_nothing_else_is_sent_than_zeep_would(
    name: str, eck_id: str
) -> None:
    dialect = dialect_of("profile", "")
    values = {"person": person(name, eck_id, 1, date(2012, 3, 4))}
    try:
        filled = dialect.filled("createPerson", SESSION, values)
    except NoPattern:
        return  # zeep writes it, or refuses to
    assert filled.sent == written(dialect, "createPerson", SESSION, values)[0]


@pytest.mark.parametrize("value", ["Jan & Zn", "<b>", "a\rb", "a\tb", "\x7f", "", " ", "\ud800"])
def test_a_value_that_needs_more_than_filling_in_is_left_to_zeep(value: str) -> None:
    values = {"person": person(value, "e" * 128, 1, date(2012, 3, 4))}

    with pytest.raises(NoPattern):
        dialect_of("profile", "").filled("createPerson", SESSION, values)


def test_an_optional_element_makes_another_shape() -> None:
    whole = person("Noor", "e" * 128, 1, date(2012, 3, 4))
    for left_out in ("eckID", "houseNumber", "dateOfBirth"):
        values = {name: value for name, value in whole.items() if name != left_out}
        both("profile", "createPerson", {"person": values})
        both("profile", "createPerson", {"person": {**values, left_out: None}})


def test_a_list_and_another_type_are_left_to_zeep() -> None:
    dialect = dialect_of("profile", "")
    for value in (["A", "A"], 1.5, True):
        values = {"person": person("Noor", "e" * 128, 1, date(2012, 3, 4)) | {"gender": value}}
        with pytest.raises(NoPattern):
            dialect.filled("createPerson", SESSION, values)


def person(name: str, eck_id: str, number: int, born: date) -> dict[str, Any]:
    return {
        "firstName": name,
        "surname": f"{name}-{name}",
        "dateOfBirth": born,
        "personState": "A",
        "postalCode": "2601 DC",
        "houseNumber": number,
        "gender": "F",
        "countryCode": "NL",
        "eckID": eck_id,
        "distributorPerson": {"distributorID": number, "distributorPersonID": name},
    }
