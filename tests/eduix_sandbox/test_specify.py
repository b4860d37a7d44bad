"""Credits are specified, refused and corrected by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.eduix_sandbox.rows import Credit
from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .samples import (
    ACCEPTING,
    REFUSING_117,
    REFUSING_2041,
    SCHOOLS,
    SILENT,
    SLOW,
    own_person_credit,
    own_school_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)


@pytest.fixture
def pupil(caller: Caller) -> Caller:
    """P1 with an ECK iD, at school as SP1."""
    caller.call("createPerson", person=person(eckID="e" * 128))
    caller.call("createSchoolperson", schoolperson=schoolperson())
    return caller


def credit(caller: Caller, key: str = "C1", kind: str = "personCredit") -> Credit:
    assert caller.sandbox.control.wait_until_quiet()
    rows: list[Credit] = caller.sandbox.control.rows(kind)
    return next(row for row in rows if row.key == key)


def give_back(caller: Caller, *, amount: int = 1, reference: str = "R1", **selector: Any) -> None:
    caller.call("returnCredit", **selector, amount=amount, returnCreditReferenceId=reference)


@pytest.mark.parametrize(
    ("ean", "state", "code"),
    [
        (ACCEPTING, "Specified", None),
        ("9789006781113", "Specified", None),
        ("9781234567897", "Specified", None),
        (REFUSING_117, "Fault", 117),
        (REFUSING_2041, "Fault", 2041),
    ],
)
def test_the_publisher_of_the_ean_decides(
    pupil: Caller, ean: str, state: str, code: int | None
) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(ean=ean))

    row = credit(pupil)
    assert row.specification_state == state
    assert [entry.error_code for entry in row.specification] == [code]
    assert 0 < len(row.specification[0].response_id) <= 30


def test_a_silent_publisher_never_answers(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(ean=SILENT))

    assert credit(pupil).specification == ()


def test_a_slow_publisher_takes_its_time() -> None:
    with SandboxServer(schools=SCHOOLS) as sandbox:
        caller = Caller(sandbox)
        caller.call("createSchoolCredit", schoolCredit=school_credit(ean=SLOW))

        assert not sandbox.control.wait_until_quiet(0.2)
        assert sandbox.control.hurry() == 1
        assert credit(caller, "S1", "schoolCredit").specification_state == "Specified"


def test_a_credit_waits_until_its_person_is_linked(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    at_school = schoolperson(schoolStudentNumber="209999")
    caller.call("createSchoolperson", schoolperson=at_school)
    caller.call("createPersonCredit", personCredit=person_credit())
    assert credit(caller).specification == ()

    caller.sandbox.control.link("P1")

    assert credit(caller).specification_state == "Specified"


def test_an_eck_id_that_comes_later_frees_the_credits(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    at_school = schoolperson(schoolStudentNumber="209999")
    caller.call("createSchoolperson", schoolperson=at_school)
    caller.call("createPersonCredit", personCredit=person_credit())
    assert credit(caller).specification == ()

    caller.call("updatePerson", person=person(eckID="e" * 128))

    assert credit(caller).specification_state == "Specified"


def test_a_school_credit_waits_for_nobody(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit(amount=30))

    row = credit(caller, "S1", "schoolCredit")
    assert (row.specified, row.specification_state) == (30, "Specified")


def test_a_larger_pool_is_specified_for_the_difference(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit(amount=30))
    credit(caller, "S1", "schoolCredit")

    caller.call("updateSchoolCredit", schoolCredit=school_credit(amount=40))

    row = credit(caller, "S1", "schoolCredit")
    assert [entry.amount for entry in row.specification] == [30, 10]


def test_a_refused_credit_is_tried_again_when_it_changes(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(ean=REFUSING_117))
    assert credit(pupil).specification_state == "Fault"

    pupil.call("updatePersonCredit", personCredit=person_credit(ean=ACCEPTING))

    row = credit(pupil)
    assert [entry.error_code for entry in row.specification] == [None]


def test_a_return_of_a_specified_credit_is_corrected_at_the_publisher(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    credit(pupil)

    give_back(pupil, distributorPersonCredit=own_person_credit())

    row = credit(pupil)
    assert row.state == "Returned"
    assert [(entry.amount, entry.error_code) for entry in row.correction] == [(1, None)]
    assert row.specification_state == "Specified"


def test_a_return_before_the_specification_ends_it(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(ean=SILENT))

    give_back(pupil, distributorPersonCredit=own_person_credit())

    row = credit(pupil)
    assert (row.state, row.specification, row.correction) == ("Returned", (), ())


def test_returns_of_a_pool_are_corrected_one_by_one(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit(amount=30))
    credit(caller, "S1", "schoolCredit")

    own = own_school_credit()
    give_back(caller, amount=10, reference="R1", distributorSchoolCredit=own)
    give_back(caller, amount=5, reference="R2", distributorSchoolCredit=own)

    row = credit(caller, "S1", "schoolCredit")
    assert sorted(entry.amount for entry in row.correction) == [5, 10]
    assert (row.returned, row.state) == (15, "Active")
