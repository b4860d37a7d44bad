"""Portals link persons, unless they never will."""

from __future__ import annotations

from .callers import Caller
from .samples import NOT_LINKING, person, schoolperson


def user_of(caller: Caller, key: str = "P1") -> str:
    assert caller.sandbox.control.wait_until_quiet()
    return str(next(row.user_id for row in caller.sandbox.control.rows("person") if row.key == key))


def at_school(caller: Caller, **changes: str) -> None:
    caller.call("createPerson", person=person())
    caller.call("createSchoolperson", schoolperson=schoolperson(**changes))


def test_the_portal_links_a_person_at_its_school(caller: Caller) -> None:
    at_school(caller)

    assert user_of(caller).startswith("u-")


def test_a_teacher_is_linked_too(caller: Caller) -> None:
    at_school(caller, role="Teacher")

    assert user_of(caller).startswith("u-")


def test_a_portal_that_does_not_prematch_links_nobody(caller: Caller) -> None:
    at_school(caller, organisationID=NOT_LINKING["organisationID"])

    assert user_of(caller) == ""


def test_a_marked_student_number_is_never_linked_until_it_is_mended(caller: Caller) -> None:
    at_school(caller, schoolStudentNumber="209999")
    assert user_of(caller) == ""

    caller.call("updateSchoolperson", schoolperson=schoolperson())

    assert user_of(caller).startswith("u-")


def test_a_person_with_an_eck_id_needs_no_link(caller: Caller) -> None:
    caller.call("createPerson", person=person(eckID="e" * 128))
    caller.call("createSchoolperson", schoolperson=schoolperson())

    assert user_of(caller) == ""


def test_a_second_school_that_prematches_is_enough(caller: Caller) -> None:
    at_school(caller, organisationID=NOT_LINKING["organisationID"])
    caller.call("createSchoolperson", schoolperson=schoolperson("SP2"))

    assert user_of(caller).startswith("u-")


def test_a_person_that_moved_before_the_link_keeps_its_chance(caller: Caller) -> None:
    caller.sandbox.pace = 1.0
    at_school(caller)
    caller.call("updatePersonID", fromDistributorPersonID="P1", toDistributorPersonID="P2")

    assert caller.sandbox.control.wait_until_quiet(hurry=True)
    assert user_of(caller, "P2").startswith("u-")


def test_an_unlinked_person_has_no_user_id(caller: Caller) -> None:
    at_school(caller)
    user_of(caller)

    caller.sandbox.control.unlink("P1")

    assert user_of(caller) == ""
