"""The eight operations of Credit 4.1, called by zeep."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from .callers import Caller
from .samples import (
    ACCEPTING,
    LINKING,
    NOT_LINKING,
    REFUSING_117,
    SILENT,
    distributor_person,
    own_person_credit,
    own_school_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)

ECK = "k" * 128


@pytest.fixture
def pupil(caller: Caller) -> Caller:
    """P1 with an ECK iD, at school as SP1."""
    caller.call("createPerson", person=person(eckID=ECK))
    caller.call("createSchoolperson", schoolperson=schoolperson())
    return caller


def credits_of(caller: Caller, **selector: Any) -> list[Any]:
    return list(caller.call("getPersonCredit", **selector) or [])


def return_one(caller: Caller, reference: str = "R1", amount: int = 1) -> None:
    caller.call(
        "returnCredit",
        distributorPersonCredit=own_person_credit(),
        amount=amount,
        returnCreditReferenceId=reference,
    )


def return_some(caller: Caller, amount: int, reference: str) -> None:
    caller.call(
        "returnCredit",
        distributorSchoolCredit=own_school_credit(),
        amount=amount,
        returnCreditReferenceId=reference,
    )


def test_a_new_credit_is_found_as_it_was_sent(pupil: Caller) -> None:
    assert pupil.call("createPersonCredit", personCredit=person_credit(ean=SILENT)) is None

    (found,) = credits_of(pupil, distributorPersonCredit=own_person_credit())
    assert found["personCredit"]["ean"] == SILENT
    assert found["personCredit"]["creditEndDate"] == date(2027, 7, 31)
    assert found["personCredit"]["schoolYear"] == 2627
    assert found["personCredit"]["personProductState"] == "Active"
    assert found["specification"] is None


def test_an_open_ended_credit_has_no_end(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(creditEndDate=None))

    (found,) = credits_of(pupil, distributorPersonCredit=own_person_credit())
    assert found["personCredit"]["creditEndDate"] is None


def test_credits_are_found_by_person_key_and_eck_id_and_narrowed(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit("C1"))
    other = person_credit("C2", ean=REFUSING_117, schoolYear=2526)
    pupil.call("createPersonCredit", personCredit=other)

    def keys(**selector: Any) -> list[str]:
        return [
            row["personCredit"]["distributorPersonCreditID"]
            for row in credits_of(pupil, **selector)
        ]

    whole = distributor_person("P1")
    assert keys(distributorPerson=whole) == ["C1", "C2"]
    assert keys(eckID=ECK) == ["C1", "C2"]
    assert keys(distributorPersonCredit=own_person_credit("C2")) == ["C2"]
    assert keys(distributorPerson=whole, ean=ACCEPTING) == ["C1"]
    assert keys(distributorPerson=whole, schoolYear=2526) == ["C2"]
    assert keys(distributorPerson=whole, ean=ACCEPTING, schoolYear=2526) == []
    assert keys(distributorPerson=distributor_person("nobody")) == []


def test_a_wrong_check_digit_and_an_end_before_the_start_are_accepted(pupil: Caller) -> None:
    odd = person_credit(ean="9789001205417", creditEndDate="2026-07-01")
    pupil.call("createPersonCredit", personCredit=odd)
    pupil.call("createSchoolCredit", schoolCredit=school_credit(ean="no number at all"))

    assert pupil.sandbox.control.state()["personCredits"] == 1
    assert pupil.sandbox.control.state()["schoolCredits"] == 1


def test_a_credit_that_exists_is_refused(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    pupil.call("createSchoolCredit", schoolCredit=school_credit())

    assert pupil.refused("createPersonCredit", personCredit=person_credit()) == 2606
    assert pupil.refused("createSchoolCredit", schoolCredit=school_credit()) == 2786


def test_a_credit_needs_a_known_schoolperson_or_school(pupil: Caller) -> None:
    nobody = person_credit(of="nobody")
    nowhere = school_credit(organisationID="nowhere")

    assert pupil.refused("createPersonCredit", personCredit=nobody) == 5087
    assert pupil.refused("createSchoolCredit", schoolCredit=nowhere) == 6487


@pytest.mark.parametrize("year", [2628, 2626, 9900, 26])
def test_the_halves_of_a_school_year_follow_one_another(pupil: Caller, year: int) -> None:
    wrong = person_credit(schoolYear=year)

    assert pupil.refused("createPersonCredit", personCredit=wrong) == 6
    assert pupil.refused("createSchoolCredit", schoolCredit=school_credit(schoolYear=year)) == 6


def test_a_school_year_loses_its_leading_zero(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit(schoolYear=910))

    (found,) = credits_of(pupil, distributorPerson=distributor_person("P1"), schoolYear=910)
    assert found["personCredit"]["schoolYear"] == 910


def test_only_a_return_makes_a_credit_returned(pupil: Caller) -> None:
    born_returned = person_credit(personProductState="Returned")
    assert pupil.refused("createPersonCredit", personCredit=born_returned) == 5124
    pupil.call("createPersonCredit", personCredit=person_credit())
    assert pupil.refused("updatePersonCredit", personCredit=born_returned) == 5128

    return_one(pupil)

    (found,) = credits_of(pupil, distributorPersonCredit=own_person_credit())
    assert found["personCredit"]["personProductState"] == "Returned"
    assert pupil.refused("updatePersonCredit", personCredit=person_credit()) == 5128
    pupil.call("updatePersonCredit", personCredit=born_returned)


def test_an_update_replaces_a_credit(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    pupil.call("createSchoolCredit", schoolCredit=school_credit())

    pupil.call("updatePersonCredit", personCredit=person_credit(creditEndDate="2028-07-31"))
    pupil.call("updateSchoolCredit", schoolCredit=school_credit(amount=40))

    (found,) = credits_of(pupil, distributorPersonCredit=own_person_credit())
    (pool,) = pupil.call("getSchoolCredit", distributorSchoolCredit=own_school_credit())
    assert found["personCredit"]["creditEndDate"] == date(2028, 7, 31)
    assert pool["schoolCredit"]["amount"] == 40


def test_updates_of_what_is_not_there_say_what_is_not_found(pupil: Caller) -> None:
    assert pupil.refused("updatePersonCredit", personCredit=person_credit("none")) == 7307
    assert pupil.refused("updateSchoolCredit", schoolCredit=school_credit("none")) == 7427


def test_school_credits_are_found_by_school_key_and_portal_and_narrowed(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit("S1"))
    elsewhere = school_credit("S2", organisationID=NOT_LINKING["organisationID"])
    caller.call("createSchoolCredit", schoolCredit=elsewhere)

    def keys(**selector: Any) -> list[str]:
        rows = caller.call("getSchoolCredit", **selector) or []
        return [row["schoolCredit"]["distributorSchoolCreditID"] for row in rows]

    school = LINKING["organisationID"]
    assert keys(organisationID=school) == ["S1"]
    assert keys(distributorSchoolCredit=own_school_credit("S2")) == ["S2"]
    assert keys(portal=NOT_LINKING["portal"]) == ["S2"]
    assert keys(organisationID=school, ean="other") == []
    assert keys(organisationID=school, schoolYear=2627) == ["S1"]


def test_returns_of_a_school_credit_add_up_and_never_exceed_the_amount(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit(amount=30))

    return_some(caller, 10, "R1")
    return_some(caller, 15, "R2")

    (pool,) = caller.call("getSchoolCredit", distributorSchoolCredit=own_school_credit())
    assert pool["returned"] == 25
    own = own_school_credit()
    more = {"distributorSchoolCredit": own, "amount": 6, "returnCreditReferenceId": "R3"}
    assert caller.refused("returnCredit", **more) == 6
    assert caller.refused("updateSchoolCredit", schoolCredit=school_credit(amount=24)) == 6


def test_nothing_returned_is_an_absent_element(caller: Caller) -> None:
    caller.call("createSchoolCredit", schoolCredit=school_credit())

    (pool,) = caller.call("getSchoolCredit", distributorSchoolCredit=own_school_credit())
    assert pool["returned"] is None


def test_a_return_that_comes_twice_is_made_once(pupil: Caller) -> None:
    pupil.call("createSchoolCredit", schoolCredit=school_credit(amount=30))

    return_some(pupil, 10, "R1")
    return_some(pupil, 10, "R1")
    return_some(pupil, 10, "R2")

    (pool,) = pupil.call("getSchoolCredit", distributorSchoolCredit=own_school_credit())
    assert pool["returned"] == 20
    rows = pupil.sandbox.control.ledger(operation="returnCredit")
    assert [(row.applied, row.code) for row in rows] == [(True, None), (False, None), (True, None)]


def test_a_return_that_comes_twice_can_be_told_with_code_4(pupil: Caller) -> None:
    pupil.sandbox.replayed_return = "exists"
    pupil.call("createPersonCredit", personCredit=person_credit())
    return_one(pupil, "R1")

    again = {"distributorPersonCredit": own_person_credit(), "amount": 1}
    assert pupil.refused("returnCredit", **again, returnCreditReferenceId="R1") == 4
    assert pupil.refused("returnCredit", **again, returnCreditReferenceId="R2") == 6


def test_a_reference_is_of_one_return(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    pupil.call("createSchoolCredit", schoolCredit=school_credit())
    return_one(pupil, "R1")

    other = {"distributorSchoolCredit": own_school_credit(), "amount": 1}
    more = {"distributorPersonCredit": own_person_credit(), "amount": 2}
    assert pupil.refused("returnCredit", **other, returnCreditReferenceId="R1") == 4
    assert pupil.refused("returnCredit", **more, returnCreditReferenceId="R1") == 4


def test_a_person_credit_is_returned_whole(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    two = {"distributorPersonCredit": own_person_credit(), "amount": 2}

    assert pupil.refused("returnCredit", **two, returnCreditReferenceId="R1") == 6


def test_what_is_not_there_cannot_be_returned(caller: Caller) -> None:
    def refused(**selector: Any) -> int:
        return caller.refused("returnCredit", **selector, amount=1, returnCreditReferenceId="R")

    other = {"distributorID": 7, "distributorPersonCreditID": "C1"}
    other_pool = {"distributorID": 7, "distributorSchoolCreditID": "S1"}
    assert refused(distributorPersonCredit=own_person_credit("none")) == 5967
    assert refused(distributorSchoolCredit=own_school_credit("none")) == 5967
    assert refused(distributorPersonCredit=other) == 3068
    assert refused(distributorSchoolCredit=other_pool) == 3148


def test_a_specified_credit_says_so_with_the_day(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit("C1"))
    pupil.call("createPersonCredit", personCredit=person_credit("C2", ean=REFUSING_117))
    assert pupil.sandbox.control.wait_until_quiet()

    good, bad = credits_of(pupil, distributorPerson=distributor_person("P1"))
    assert good["specification"]["specificationState"] == "Specified"
    assert isinstance(good["specification"]["specificationStateDate"], date)
    assert bad["specification"]["specificationState"] == "Fault"


def test_persons_of_another_distributor_are_not_ours_to_read(caller: Caller) -> None:
    other = {"distributorID": 7, "distributorPersonID": "P1"}

    assert caller.refused("getPersonCredit", distributorPerson=other) == 3028
