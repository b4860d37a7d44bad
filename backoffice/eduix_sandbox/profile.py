"""The twelve operations of Profile 4.1.

Where the documentation is silent the choice stands in the docstring of the operation.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Final

from .answers import found, person_information, school_information, school_person_information
from .checks import Record, own_key
from .envelope import Node
from .faults import (
    EXISTS,
    NOT_YOURS,
    RECORD_EXISTS,
    UNKNOWN,
    WRONG_FORMAT,
    Refusal,
    field_refusal,
    incorrect,
)
from .headers import login
from .operation import Operation
from .prematch import expect_link
from .rows import Person, SchoolPerson
from .specify import expect_specifications_of
from .world import World

_DUTCH_POSTAL_CODE: Final = re.compile(r"[0-9]{4} [A-Z]{2}", re.ASCII)


def get_school(world: World, record: Record) -> list[Node]:
    """The school, the schools of a portal, or all schools when nothing is chosen."""
    if "organisationID" in record.values:
        school = world.schools.get(record.values["organisationID"])
        schools = [school] if school else []
    elif "portal" in record.parts:
        portal = record.parts["portal"].values
        schools = world.schools.with_portal(portal["hubID"], portal["portalID"])
    else:
        schools = world.schools.all()
    nodes = [school_information(school) for school in schools]
    return found(world, nodes, base=4300, name="school")


def create_person(world: World, record: Record) -> list[Node]:
    """Add a person; the distributorPersonID decides whether it exists already (2626).

    Without a distributorPerson there is nothing to know it by: code 6.
    """
    sent = record.parts["person"]
    _check_person(world, sent)
    if "distributorPerson" not in sent.parts:
        raise incorrect("a new person needs a distributorPerson")
    key = _own_person(world, sent)
    if key in world.store.persons:
        raise field_refusal(2620, EXISTS, "person")
    profile = sent.values.get("profileID", "")
    if world.store.persons.first("profile", profile):
        raise field_refusal(5000, EXISTS, "profileID")
    fields = _person_fields(world, sent, but="")
    world.store.persons.put(Person(key, _new_profile_id(world, key), fields))
    return []


def get_person(world: World, record: Record) -> list[Node]:
    """By any of the five selectors; a portal selects everybody at its schools."""
    persons = world.store.persons
    hit: list[Person | None]
    if "portal" in record.parts:
        hit = list(_persons_of_portal(world, record.parts["portal"]))
    elif "distributorPerson" in record.parts:
        hit = [persons.get(_own_person(world, record))]
    else:
        selectors = (("profileID", "profile"), ("eckID", "eck"), ("userID", "user"))
        hit = [
            person
            for name, index in selectors
            for person in persons.find(index, record.values.get(name, ""))
        ]
    nodes = [person_information(world, person) for person in hit if person is not None]
    return found(world, nodes, base=3760, name="person")


def update_person(world: World, record: Record) -> list[Node]:
    """Replace a person, known by its distributorPerson or else by its profileID (7367).

    What is not sent is gone afterwards, but for the userID, which portals give and take.
    """
    sent = record.parts["person"]
    _check_person(world, sent)
    if "distributorPerson" in sent.parts:
        old = world.store.persons.get(_own_person(world, sent))
    elif "profileID" in sent.values:
        old = world.store.persons.first("profile", sent.values["profileID"])
    else:
        raise incorrect("a person needs a distributorPerson or a profileID")
    if old is None:
        raise field_refusal(7360, UNKNOWN, "person")
    if sent.values.get("profileID", str(old.profile_id)) != str(old.profile_id):
        raise field_refusal(5000, UNKNOWN, "profileID")
    new = replace(old, fields=_person_fields(world, sent, but=old.key))
    world.store.persons.put(new)
    if new.eck_id and not old.eck_id:
        expect_specifications_of(world, new)
    return []


def delete_person(world: World, record: Record) -> list[Node]:
    """Forget a person with its schoolpersons and returned credits.

    While a credit is Active the person may not go: code 9.
    """
    key = _own_person(world, record)
    if key not in world.store.persons:
        raise field_refusal(2900, UNKNOWN, "distributorPerson")
    schoolpersons = world.store.schoolpersons.find("person", key)
    for schoolperson in schoolpersons:
        _refuse_active_credits(world, schoolperson)
    for schoolperson in schoolpersons:
        _forget_schoolperson(world, schoolperson)
    world.store.persons.remove(key)
    return []


def update_person_id(world: World, record: Record) -> list[Node]:
    """Rename the distributor's key of a person; code 4 when the new key is in use."""
    source, target = _from_and_to(record)
    person = world.store.persons.get(source)
    if person is None:
        raise field_refusal(7320, UNKNOWN, "fromDistributorPersonID")
    if target in world.store.persons:
        raise Refusal(RECORD_EXISTS, "toDistributorPersonID is in use")
    world.store.persons.remove(source)
    world.store.persons.put(replace(person, key=target))
    _move_schoolpersons(world, source, target)
    return []


def merge_person(world: World, record: Record) -> list[Node]:
    """Fold "from" into "to": schoolpersons and credits move, "to" keeps its own data.

    "to" takes over the portal's link of "from" when it had none. A merge with itself: code 6.
    """
    source, target = _from_and_to(record)
    gone, kept = world.store.persons.get(source), world.store.persons.get(target)
    if gone is None:
        raise field_refusal(4740, UNKNOWN, "fromDistributorPersonID")
    if kept is None:
        raise field_refusal(4760, UNKNOWN, "toDistributorPersonID")
    if source == target:
        raise incorrect("a person cannot be merged with itself")
    world.store.persons.remove(source)
    _move_schoolpersons(world, source, target)
    if gone.user_id and not kept.user_id:
        kept = replace(kept, user_id=gone.user_id)
        world.store.persons.put(kept)
        world.tell_about_person(kept)
    if kept.user_id or kept.eck_id:
        expect_specifications_of(world, kept)
    return []


def create_schoolperson(world: World, record: Record) -> list[Node]:
    """Put a person at a school (2806 when the key exists); its portal links it after a while."""
    fields = record.parts["schoolperson"].values
    if fields["distributorSchoolPersonID"] in world.store.schoolpersons:
        raise field_refusal(2800, EXISTS, "schoolperson")
    _keep_schoolperson(world, fields)
    return []


def get_schoolperson(world: World, record: Record) -> list[Node]:
    """All of a person, or one by its own key."""
    if "distributorPerson" in record.parts:
        key = _own_person(world, record)
        rows = world.store.schoolpersons.find("person", key)
    else:
        one = world.store.schoolpersons.get(_own_schoolperson(world, record))
        rows = [one] if one else []
    nodes = [school_person_information(row) for row in rows]
    return found(world, nodes, base=4240, name="schoolperson")


def update_schoolperson(world: World, record: Record) -> list[Node]:
    """Replace a schoolperson (7447 when unknown); it may move to another school or person."""
    fields = record.parts["schoolperson"].values
    if fields["distributorSchoolPersonID"] not in world.store.schoolpersons:
        raise field_refusal(7440, UNKNOWN, "schoolperson")
    _keep_schoolperson(world, fields)
    return []


def delete_schoolperson(world: World, record: Record) -> list[Node]:
    """Forget a schoolperson with its returned credits; code 9 while one is Active."""
    row = world.store.schoolpersons.get(_own_schoolperson(world, record))
    if row is None:
        raise field_refusal(3000, UNKNOWN, "distributorSchoolPerson")
    _refuse_active_credits(world, row)
    _forget_schoolperson(world, row)
    return []


def _own_person(world: World, record: Record) -> str:
    return own_key(
        record,
        "distributorPerson",
        "distributorPersonID",
        distributor_id=world.options.distributor_id,
    )


def _own_schoolperson(world: World, record: Record) -> str:
    return own_key(
        record,
        "distributorSchoolPerson",
        "distributorSchoolPersonID",
        distributor_id=world.options.distributor_id,
    )


def _from_and_to(record: Record) -> tuple[str, str]:
    return record.values["fromDistributorPersonID"], record.values["toDistributorPersonID"]


def _check_person(world: World, sent: Record) -> None:
    """The rules that no schema can hold.

    A birthday in the future has the wrong format (4803); a Dutch postal code that is not
    "1234 AB" has no code of its own (6), one that does not exist has (4967).
    """
    values = sent.values
    if values.get("dateOfBirth", "") > world.today().isoformat():
        raise field_refusal(4800, WRONG_FORMAT, "dateOfBirth", "in the future")
    if values["countryCode"] == "NL" and not _DUTCH_POSTAL_CODE.fullmatch(values["postalCode"]):
        raise incorrect("postalCode is not correct for countryCode NL")
    if values["postalCode"] == world.options.unknown_postal_code:
        raise field_refusal(4960, UNKNOWN, "postalCode")


def _person_fields(world: World, sent: Record, *, but: str) -> dict[str, str]:
    """The values to keep; an ECK iD or userID of anybody `but` this person exists (..6).

    userID and profileID are ours to give: what a distributor sends in them is not taken over.
    """
    for name, index, base in (("eckID", "eck", 7700), ("userID", "user", 7840)):
        holders = world.store.persons.find(index, sent.values.get(name, ""))
        if any(holder.key != but for holder in holders):
            raise field_refusal(base, EXISTS, name)
    ours = {"userID", "profileID"}
    return {name: value for name, value in sent.values.items() if name not in ours}


def _new_profile_id(world: World, key: str) -> int:
    """Ten digits, so that it never fits 32 bits; the same key gets the same one in every run."""
    profile = 4_300_000_000 + int(world.token("profile", key), 16) % 5_000_000_000
    while world.store.persons.first("profile", str(profile)):
        profile += 1
    return profile


def _persons_of_portal(world: World, portal: Record) -> list[Person]:
    schools = world.schools.with_portal(portal.values["hubID"], portal.values["portalID"])
    keys = {
        row.person: None
        for school in schools
        for row in world.store.schoolpersons.find("organisation", school.organisation)
    }
    return [person for key in keys if (person := world.store.persons.get(key))]


def _keep_schoolperson(world: World, fields: dict[str, str]) -> None:
    if world.schools.get(fields["organisationID"]) is None:
        raise field_refusal(6720, UNKNOWN, "organisationID")
    person = world.store.persons.get(fields["distributorPersonID"])
    if person is None:
        raise field_refusal(6700, UNKNOWN, "distributorPersonID")
    row = SchoolPerson(fields["distributorSchoolPersonID"], fields)
    world.store.schoolpersons.put(row)
    expect_link(world, row)
    if person.user_id or person.eck_id:
        expect_specifications_of(world, person)  # credits that came along from somebody else


def _move_schoolpersons(world: World, source: str, target: str) -> None:
    for row in world.store.schoolpersons.find("person", source):
        moved = {**row.fields, "distributorPersonID": target}
        world.store.schoolpersons.put(replace(row, fields=moved))
        expect_link(world, replace(row, fields=moved))


def _refuse_active_credits(world: World, row: SchoolPerson) -> None:
    for credit in world.store.person_credits.find("schoolperson", row.key):
        if credit.state == "Active":
            raise Refusal(NOT_YOURS, "there is an active credit")


def _forget_schoolperson(world: World, row: SchoolPerson) -> None:
    for credit in world.store.person_credits.find("schoolperson", row.key):
        world.store.person_credits.remove(credit.key)
    world.store.schoolpersons.remove(row.key)


_PERSON = (("person", "distributorPersonID"),)
_SCHOOLPERSON = (("schoolperson", "distributorSchoolPersonID"),)
_ANY_PERSON = (
    *_PERSON,
    ("portal", "portalID"),
    ("profile", "profileID"),
    ("eck", "eckID"),
    ("user", "userID"),
)
_FROM = (("person", "fromDistributorPersonID"),)

OPERATIONS: Final[dict[str, Operation]] = {
    "login": Operation("loginHeader", partial(login, service="profile")),
    "getSchool": Operation(
        "authHeader", get_school, (("school", "organisationID"), ("portal", "portalID"))
    ),
    "createPerson": Operation("sessionIDHeader", create_person, _PERSON),
    "getPerson": Operation("authHeader", get_person, _ANY_PERSON),
    "updatePerson": Operation("sessionIDHeader", update_person, _ANY_PERSON),
    "deletePerson": Operation("sessionIDHeader", delete_person, _PERSON),
    "updatePersonID": Operation("sessionIDHeader", update_person_id, _FROM),
    "mergePerson": Operation("sessionIDHeader", merge_person, _FROM),
    "createSchoolperson": Operation("sessionIDHeader", create_schoolperson, _SCHOOLPERSON),
    "getSchoolperson": Operation("authHeader", get_schoolperson, (*_SCHOOLPERSON, *_PERSON)),
    "updateSchoolperson": Operation("sessionIDHeader", update_schoolperson, _SCHOOLPERSON),
    "deleteSchoolperson": Operation("sessionIDHeader", delete_schoolperson, _SCHOOLPERSON),
}
