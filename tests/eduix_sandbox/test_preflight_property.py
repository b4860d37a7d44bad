"""What preflight passes is never refused for its form, and what is refused so has the same code.

The rules of ours and those of the sandbox were written apart from each other; here they must agree,
over a real socket, for any values at all. `PROPERTY_EXAMPLES=5000` asks for more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from lxml import etree

from backoffice.eduix.codes import BLOCK, INCORRECT_REQUEST, WRONG_TYPE
from backoffice.eduix.rules import check
from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix.test_rules_properties import as_sent, rows_of

from .callers import Caller, code_of, send
from .samples import DISTRIBUTOR, SCHOOLS, person, person_credit, schoolperson

NUMBERS: Final = count(2)
EXAMPLES: Final = int(os.environ.get("PROPERTY_EXAMPLES", "60"))

# operation -> object of the rules, element of the request ("" when the request is the object)
OPERATIONS: Final = {
    "createPerson": ("person", "person"),
    "updatePerson": ("person", "person"),
    "createSchoolperson": ("schoolperson", "schoolperson"),
    "updateSchoolperson": ("schoolperson", "schoolperson"),
    "createPersonCredit": ("personCredit", "personCredit"),
    "updatePersonCredit": ("personCredit", "personCredit"),
    "createSchoolCredit": ("schoolCredit", "schoolCredit"),
    "updateSchoolCredit": ("schoolCredit", "schoolCredit"),
    "returnCredit": ("returnCreditRequest", ""),
    "updatePersonID": ("updatePersonIDRequest", ""),
    "mergePerson": ("mergePersonRequest", ""),
}
CREDIT_KEYS: Final = {
    "distributor_person_credit_id": ("distributorPersonCredit", "distributorPersonCreditID"),
    "distributor_school_credit_id": ("distributorSchoolCredit", "distributorSchoolCreditID"),
}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """One sandbox for all examples, in which the keys of the good values exist."""
    with SandboxServer(schools=SCHOOLS, distributor_id=DISTRIBUTOR, pace=0) as server:
        made = Caller(server)
        made.call("createPerson", person=person("P-1001"))
        made.call("createSchoolperson", schoolperson=schoolperson("SP-1001", "P-1001"))
        made.call("createPersonCredit", personCredit=person_credit("PC-1", "SP-1001"))
        yield made


def is_about_form(code: int) -> bool:
    """6, or a field's code of the kinds missing .. wrong type."""
    return code == INCORRECT_REQUEST or (code > 12 and code % BLOCK <= WRONG_TYPE)


def is_writable(value: object) -> bool:
    """XML has a way to write this."""
    try:
        etree.Element("value").text = str(value)
    except ValueError:
        return False
    return True


def fresh_credit(caller: Caller) -> str:
    """A credit that nobody has returned yet; asked for as a school credit it is unknown."""
    key = f"PC-{next(NUMBERS)}"
    caller.call("createPersonCredit", personCredit=person_credit(key, "SP-1001"))
    return key


def requests_of(owner: str) -> st.SearchStrategy[dict[str, Any]]:
    """Values of an object; a return also says what is given back."""
    if owner != "returnCreditRequest":
        return rows_of(owner)
    keys = st.sampled_from(list(CREDIT_KEYS)).map(lambda name: {name: "PC-1"})
    return st.tuples(rows_of(owner), keys).map(lambda pair: pair[0] | pair[1])


def content_of(owner: str, element: str, values: dict[str, Any]) -> dict[str, Any]:
    """The request as it goes out."""
    sample: dict[str, Any] = dict(as_sent(owner, values))
    for name, inside in sample.items():
        if isinstance(inside, dict) and "distributorID" in inside:
            sample[name] = inside | {"distributorID": DISTRIBUTOR}
    for column, (choice, key) in CREDIT_KEYS.items():
        if owner == "returnCreditRequest" and column in values:
            chosen = {choice: {"distributorID": DISTRIBUTOR, key: values[column]}}
            sample = chosen | sample
    return {element: sample} if element else sample


@pytest.mark.parametrize("operation", OPERATIONS)
def test_preflight_and_the_sandbox_agree_about_every_form(operation: str, caller: Caller) -> None:
    owner, element = OPERATIONS[operation]
    today = timezone.localdate()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values=requests_of(owner))
    def holds(values: dict[str, Any]) -> None:
        refused = [f for f in check(owner, values, today=today) if f.severity == "error"]
        if not all(is_writable(value) for value in values.values()):
            assert refused, values
            return
        if owner == "returnCreditRequest":
            values = values | {name: fresh_credit(caller) for name in CREDIT_KEYS if name in values}
        codes = {finding.code for finding in refused}

        code = code_of(send(caller, operation, content_of(owner, element, values)))

        event("refused for its form" if is_about_form(code) else "form accepted")
        if is_about_form(code):
            assert code in codes, (code, values, refused)
        else:  # something else may be answered first: not found, exists already
            assert code or not refused, (values, refused)

    holds()
