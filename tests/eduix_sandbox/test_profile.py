"""The twelve operations of Profile 4.1, called by zeep."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .samples import (
    DISTRIBUTOR,
    LINKING,
    NOT_LINKING,
    SCHOOLS,
    distributor_person,
    own_person_credit,
    person,
    person_credit,
    schoolperson,
)

ECK = "e" * 128


def one_person(caller: Caller, key: str) -> Any:
    answers = caller.call("getPerson", distributorPerson=distributor_person(key))
    return answers[0] if answers else None


@pytest.fixture
def pupil(caller: Caller) -> Caller:
    """P1 at the linking school as SP1."""
    caller.call("createPerson", person=person())
    caller.call("createSchoolperson", schoolperson=schoolperson())
    return caller


def test_all_schools_are_found_when_nothing_is_chosen(caller: Caller) -> None:
    schools = [row["school"] for row in caller.call("getSchool")]

    assert [school["name"] for school in schools] == ["Het Baken College", "Lyceum Zuiderlinde"]
    assert schools[0]["houseNumber"] == 12
    assert schools[1]["brin"] is None


def test_a_school_is_found_by_its_id_and_by_its_portal(caller: Caller) -> None:
    by_id = caller.call("getSchool", organisationID=NOT_LINKING["organisationID"])
    by_portal = caller.call("getSchool", portal=LINKING["portal"])

    assert [row["school"]["name"] for row in by_id] == ["Lyceum Zuiderlinde"]
    assert [row["school"]["name"] for row in by_portal] == ["Het Baken College"]


def test_an_unknown_school_is_an_empty_list(caller: Caller) -> None:
    assert not caller.call("getSchool", organisationID="nowhere")


def test_a_new_person_is_found_as_it_was_sent_with_a_profile_id_of_ten_digits(
    caller: Caller,
) -> None:
    assert caller.call("createPerson", person=person()) is None

    found = one_person(caller, "P1")["person"]
    assert found["firstName"] == "Zoë"
    assert found["preposition"] == "van 't"
    assert found["dateOfBirth"] == date(2014, 1, 8)
    assert found["houseNumber"] == 120
    assert found["distributorPerson"]["distributorID"] == DISTRIBUTOR
    assert len(str(found["profileID"])) == 10
    assert found["userID"] is None


def test_a_person_is_found_by_each_of_the_five_selectors(pupil: Caller) -> None:
    pupil.call("updatePerson", person=person(eckID=ECK))
    pupil.sandbox.control.link("P1", "user-1")
    profile = one_person(pupil, "P1")["person"]["profileID"]

    selectors = [
        {"portal": LINKING["portal"]},
        {"distributorPerson": distributor_person("P1")},
        {"profileID": profile},
        {"eckID": ECK},
        {"userID": "user-1"},
    ]
    for selector in selectors:
        answers = pupil.call("getPerson", **selector)

        assert [row["person"]["surname"] for row in answers] == ["Hof"], selector
        assert [row["distributorSchoolPersonID"] for row in answers[0]["schoolperson"]] == ["SP1"]


def test_a_person_that_exists_is_refused_with_2626(caller: Caller) -> None:
    caller.call("createPerson", person=person())

    assert caller.refused("createPerson", person=person(firstName="Other")) == 2626
    assert one_person(caller, "P1")["person"]["firstName"] == "Zoë"


def test_a_person_without_a_distributor_person_cannot_be_created(caller: Caller) -> None:
    assert caller.refused("createPerson", person=person(distributorPerson=None)) == 6


def test_an_update_replaces_everything_but_the_link(pupil: Caller) -> None:
    user = pupil.sandbox.control.link("P1")
    changed = person(preposition=None, surname="Bakker")

    pupil.call("updatePerson", person=changed)

    found = one_person(pupil, "P1")["person"]
    assert (found["surname"], found["preposition"], found["userID"]) == ("Bakker", None, user)


def test_a_person_can_be_updated_by_profile_id_alone(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    profile = one_person(caller, "P1")["person"]["profileID"]

    changed = person(distributorPerson=None, profileID=profile, surname="Bakker")
    caller.call("updatePerson", person=changed)

    assert one_person(caller, "P1")["person"]["surname"] == "Bakker"


def test_updates_of_what_is_not_there_say_what_is_not_found(pupil: Caller) -> None:
    assert pupil.refused("updatePerson", person=person("nobody")) == 7367
    assert pupil.refused("updatePerson", person=person(profileID=1)) == 5007
    assert pupil.refused("updatePerson", person=person(distributorPerson=None)) == 6
    assert pupil.refused("updateSchoolperson", schoolperson=schoolperson("nobody")) == 7447


def test_an_eck_id_belongs_to_one_person(caller: Caller) -> None:
    caller.call("createPerson", person=person(eckID=ECK))

    assert caller.refused("createPerson", person=person("P2", eckID=ECK)) == 7706
    caller.call("updatePerson", person=person(eckID=ECK))  # its own is no other's


def test_a_birthday_is_today_at_the_latest(caller: Caller) -> None:
    today = date.today()  # noqa: DTZ011 - the tests' machine and the Netherlands may differ
    tomorrow = today + timedelta(days=2)

    assert caller.refused("createPerson", person=person(dateOfBirth=tomorrow)) == 4803
    caller.call("createPerson", person=person(dateOfBirth=today - timedelta(days=1)))


@pytest.mark.parametrize("postal_code", ["3071NA", "3071 na", "12345 AB", "307 NA", "3071 NA "])
def test_a_dutch_postal_code_has_a_form_of_its_own(caller: Caller, postal_code: str) -> None:
    assert caller.refused("createPerson", person=person(postalCode=postal_code)) == 6


def test_a_foreign_postal_code_is_free(caller: Caller) -> None:
    caller.call("createPerson", person=person(postalCode="SW1A 1AA", countryCode="GB"))

    assert one_person(caller, "P1")["person"]["postalCode"] == "SW1A 1AA"


def test_a_dutch_postal_code_that_does_not_exist_is_not_found(caller: Caller) -> None:
    assert caller.refused("createPerson", person=person(postalCode="9999 XX")) == 4967


def test_two_persons_may_share_an_email_address(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    caller.call("createPerson", person=person("P2"))

    assert caller.sandbox.control.state()["persons"] == 2


def test_a_schoolperson_needs_a_known_person_and_school(caller: Caller) -> None:
    caller.call("createPerson", person=person())

    nobody = schoolperson(of="nobody")
    nowhere = schoolperson(organisationID="nowhere")
    assert caller.refused("createSchoolperson", schoolperson=nobody) == 6707
    assert caller.refused("createSchoolperson", schoolperson=nowhere) == 6727


def test_a_schoolperson_that_exists_is_refused_with_2806(pupil: Caller) -> None:
    assert pupil.refused("createSchoolperson", schoolperson=schoolperson()) == 2806


def test_a_schoolperson_is_found_by_person_and_by_its_own_key(pupil: Caller) -> None:
    by_person = pupil.call("getSchoolperson", distributorPerson=distributor_person("P1"))
    own = {"distributorID": DISTRIBUTOR, "distributorSchoolPersonID": "SP1"}
    by_key = pupil.call("getSchoolperson", distributorSchoolPerson=own)

    assert by_person[0]["schoolperson"]["role"] == "Student"
    assert by_key[0]["schoolperson"]["schoolStudentNumber"] == "20403"


def test_a_schoolperson_can_move_to_another_school(pupil: Caller) -> None:
    moved = schoolperson(organisationID=NOT_LINKING["organisationID"])

    pupil.call("updateSchoolperson", schoolperson=moved)

    assert not pupil.call("getPerson", portal=LINKING["portal"])
    assert len(pupil.call("getPerson", portal=NOT_LINKING["portal"])) == 1


def test_a_person_goes_with_everything_that_hangs_on_it(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    pupil.call(
        "returnCredit",
        distributorPersonCredit=own_person_credit(),
        amount=1,
        returnCreditReferenceId="R1",
    )

    pupil.call("deletePerson", distributorPerson=distributor_person("P1"))

    state = pupil.sandbox.control.state()
    assert (state["persons"], state["schoolpersons"], state["personCredits"]) == (0, 0, 0)
    assert pupil.refused("deletePerson", distributorPerson=distributor_person("P1")) == 2907


def test_nobody_with_an_active_credit_is_deleted(pupil: Caller) -> None:
    pupil.call("createPersonCredit", personCredit=person_credit())
    own = {"distributorID": DISTRIBUTOR, "distributorSchoolPersonID": "SP1"}

    assert pupil.refused("deletePerson", distributorPerson=distributor_person("P1")) == 9
    assert pupil.refused("deleteSchoolperson", distributorSchoolPerson=own) == 9


def test_a_schoolperson_can_be_deleted(pupil: Caller) -> None:
    own = {"distributorID": DISTRIBUTOR, "distributorSchoolPersonID": "SP1"}

    pupil.call("deleteSchoolperson", distributorSchoolPerson=own)

    assert pupil.refused("deleteSchoolperson", distributorSchoolPerson=own) == 3007
    assert one_person(pupil, "P1")["schoolperson"] == []


def test_a_renamed_person_keeps_its_profile_and_its_schools(pupil: Caller) -> None:
    profile = one_person(pupil, "P1")["person"]["profileID"]

    pupil.call("updatePersonID", fromDistributorPersonID="P1", toDistributorPersonID="P9")

    assert one_person(pupil, "P1") is None
    renamed = one_person(pupil, "P9")
    assert renamed["person"]["profileID"] == profile
    assert renamed["schoolperson"][0]["distributorPersonID"] == "P9"


def test_a_rename_needs_a_known_key_and_a_free_one(pupil: Caller) -> None:
    pupil.call("createPerson", person=person("P2"))

    def rename(source: str, target: str) -> int:
        return pupil.refused(
            "updatePersonID", fromDistributorPersonID=source, toDistributorPersonID=target
        )

    assert rename("nobody", "P3") == 7327
    assert rename("P1", "P2") == 4
    assert rename("x" * 21, "P3") == 7322
    assert rename("P1", "x" * 21) == 7342


def test_a_merge_moves_what_hangs_on_the_one_and_keeps_the_data_of_the_other(
    pupil: Caller,
) -> None:
    user = pupil.sandbox.control.link("P1")
    pupil.call("createPerson", person=person("P2", surname="Bakker"))

    pupil.call("mergePerson", fromDistributorPersonID="P1", toDistributorPersonID="P2")

    assert one_person(pupil, "P1") is None
    kept = one_person(pupil, "P2")
    assert (kept["person"]["surname"], kept["person"]["userID"]) == ("Bakker", user)
    assert [row["distributorSchoolPersonID"] for row in kept["schoolperson"]] == ["SP1"]


def test_a_merge_needs_two_known_persons(pupil: Caller) -> None:
    def merge(source: str, target: str) -> int:
        return pupil.refused(
            "mergePerson", fromDistributorPersonID=source, toDistributorPersonID=target
        )

    assert merge("nobody", "P1") == 4747
    assert merge("P1", "nobody") == 4767
    assert merge("P1", "P1") == 6
    assert merge("x" * 21, "P1") == 4742
    assert merge("P1", "x" * 21) == 4762


def test_records_of_another_distributor_are_not_ours_to_touch(pupil: Caller) -> None:
    other = {"distributorID": 7, "distributorPersonID": "P1"}
    other_at_school = {"distributorID": 7, "distributorSchoolPersonID": "SP1"}

    assert pupil.refused("getPerson", distributorPerson=other) == 3028
    assert pupil.refused("createPerson", person=person(distributorPerson=other)) == 3028
    assert pupil.refused("deletePerson", distributorPerson=other) == 3028
    assert pupil.refused("deleteSchoolperson", distributorSchoolPerson=other_at_school) == 3188


@pytest.mark.parametrize(("choice", "code"), [("general", 5), ("field", 3767)])
def test_a_get_that_finds_nothing_can_answer_with_a_code(choice: str, code: int) -> None:
    with SandboxServer(schools=SCHOOLS, not_found=choice) as sandbox:
        assert Caller(sandbox).refused("getPerson", userID="nobody") == code


def test_too_many_results_have_a_code(caller: Caller) -> None:
    caller.sandbox.max_results = 1

    assert caller.refused("getSchool") == 8


def test_the_same_seed_gives_the_same_profile_id() -> None:
    def profile(seed: int) -> int:
        with SandboxServer(schools=SCHOOLS, seed=seed) as sandbox:
            caller = Caller(sandbox)
            caller.call("createPerson", person=person())
            return int(one_person(caller, "P1")["person"]["profileID"])

    assert profile(1) == profile(1) != profile(2)
