"""The eight operations of Credit 4.1.

Where the documentation is silent the choice stands in the docstring of the operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from .answers import found, person_credit_information, school_credit_information
from .checks import Record, own_key
from .envelope import Node
from .faults import (
    EXISTS,
    NOT_ALLOWED,
    NOT_AUTHORISED,
    RECORD_EXISTS,
    UNKNOWN,
    Refusal,
    field_refusal,
    incorrect,
)
from .headers import login
from .operation import Operation
from .rows import Credit, Reference
from .specify import expect_correction, expect_specification
from .world import World


def create_person_credit(world: World, record: Record) -> list[Node]:
    """Add a credit (2606 when it exists); it is never born Returned (5124)."""
    fields = record.parts["personCredit"].values
    key = fields["distributorPersonCreditID"]
    _check_person_credit(world, fields)
    if key in world.store.person_credits:
        raise field_refusal(2600, EXISTS, "personCredit")
    if fields["personProductState"] == "Returned":
        raise field_refusal(5120, NOT_ALLOWED, "personProductState", "returnCredit sets it")
    _keep(world, "personCredit", Credit(key, fields))
    return []


def get_person_credit(world: World, record: Record) -> list[Node]:
    """All of a person (by key or ECK iD) or one, narrowed by EAN and school year."""
    if "distributorPersonCredit" in record.parts:
        one = world.store.person_credits.get(_own_person_credit(world, record))
        rows = [one] if one else []
    else:
        rows = _credits_of_persons(world, _selected_persons(world, record))
    nodes = [person_credit_information(row) for row in _narrowed(rows, record)]
    return found(world, nodes, base=3660, name="personCredit")


def update_person_credit(world: World, record: Record) -> list[Node]:
    """Replace a credit (7307 when unknown); its state cannot change to or from Returned (5128)."""
    fields = record.parts["personCredit"].values
    _check_person_credit(world, fields)
    old = world.store.person_credits.get(fields["distributorPersonCreditID"])
    if old is None:
        raise field_refusal(7300, UNKNOWN, "personCredit")
    if fields["personProductState"] != old.state:
        raise field_refusal(5120, NOT_AUTHORISED, "personProductState", "returnCredit sets it")
    _replace(world, "personCredit", old, fields)
    return []


def create_school_credit(world: World, record: Record) -> list[Node]:
    """Add a school credit (2786 when it exists)."""
    fields = record.parts["schoolCredit"].values
    key = fields["distributorSchoolCreditID"]
    _check_school_credit(world, fields)
    if key in world.store.school_credits:
        raise field_refusal(2780, EXISTS, "schoolCredit")
    _keep(world, "schoolCredit", Credit(key, fields))
    return []


def get_school_credit(world: World, record: Record) -> list[Node]:
    """All of a school or of the schools of a portal, or one; narrowed by EAN and school year."""
    if "distributorSchoolCredit" in record.parts:
        one = world.store.school_credits.get(_own_school_credit(world, record))
        rows = [one] if one else []
    else:
        rows = [
            row
            for organisation in _selected_schools(world, record)
            for row in world.store.school_credits.find("organisation", organisation)
        ]
    nodes = [school_credit_information(row) for row in _narrowed(rows, record)]
    return found(world, nodes, base=4140, name="schoolCredit")


def update_school_credit(world: World, record: Record) -> list[Node]:
    """Replace a school credit (7427); an amount below what was returned has no code: 6."""
    fields = record.parts["schoolCredit"].values
    _check_school_credit(world, fields)
    old = world.store.school_credits.get(fields["distributorSchoolCreditID"])
    if old is None:
        raise field_refusal(7420, UNKNOWN, "schoolCredit")
    if int(fields["amount"]) < old.returned:
        raise incorrect("amount is less than what was returned")
    _replace(world, "schoolCredit", old, fields)
    return []


def return_credit(world: World, record: Record) -> list[Node]:
    """Return one person credit, or so many of a school credit.

    A reference works once. The same return once more is accepted and changes nothing, or gets
    code 4 when `replayed_return` says so; another return under a used reference always gets 4.
    More than what is left, and a person credit with another amount than 1, have no code: 6.
    """
    if "distributorPersonCredit" in record.parts:
        kind, key = "personCredit", _own_person_credit(world, record)
    else:
        kind, key = "schoolCredit", _own_school_credit(world, record)
    amount = int(record.values["amount"])
    reference = record.values["returnCreditReferenceId"]
    credit = world.store.credits(kind).get(key)
    if credit is None:
        raise field_refusal(5960, UNKNOWN, kind)
    new = Reference(reference, f"{kind}:{key}", amount)
    if old := world.store.references.get(reference):
        if old == new and world.options.replayed_return == "accepted":
            return []
        raise Refusal(RECORD_EXISTS, "returnCreditReferenceId was used before")
    if kind == "personCredit" and amount != 1:
        raise incorrect("the amount of a person credit is 1")
    if amount > credit.amount - credit.returned:
        raise incorrect("amount is more than what is left")
    returned = replace(credit, returned=credit.returned + amount)
    world.store.credits(kind).put(returned)
    world.store.references.put(new)
    expect_correction(world, kind, returned, amount=amount, reference=reference)
    return []


def _check_person_credit(world: World, fields: dict[str, str]) -> None:
    _check_school_year(fields["schoolYear"])
    if fields["distributorSchoolPersonID"] not in world.store.schoolpersons:
        raise field_refusal(5080, UNKNOWN, "distributorSchoolPersonID")


def _check_school_credit(world: World, fields: dict[str, str]) -> None:
    _check_school_year(fields["schoolYear"])
    if world.schools.get(fields["organisationID"]) is None:
        raise field_refusal(6480, UNKNOWN, "organisationID")


def _check_school_year(text: str) -> None:
    """YYZZ with ZZ one after YY; as an integer 0910 is 910. A rule without a code: 6."""
    first, second = divmod(int(text), 100)
    if second - first != 1:
        raise incorrect("schoolYear is not two years that follow one another")


def _keep(world: World, kind: str, credit: Credit) -> None:
    world.store.credits(kind).put(credit)
    expect_specification(world, kind, credit)


def _replace(world: World, kind: str, old: Credit, fields: dict[str, str]) -> None:
    """Another product is another licence: what was specified for the old EAN counts no more."""
    new = replace(old, fields=fields)
    if fields["ean"] != old.fields["ean"]:
        new = replace(new, specification=(), correction=(), specified_on="")
    _keep(world, kind, new)


def _own_person_credit(world: World, record: Record) -> str:
    return own_key(
        record,
        "distributorPersonCredit",
        "distributorPersonCreditID",
        distributor_id=world.options.distributor_id,
    )


def _own_school_credit(world: World, record: Record) -> str:
    return own_key(
        record,
        "distributorSchoolCredit",
        "distributorSchoolCreditID",
        distributor_id=world.options.distributor_id,
    )


def _selected_persons(world: World, record: Record) -> list[str]:
    if "distributorPerson" in record.parts:
        own_id = world.options.distributor_id
        return [own_key(record, "distributorPerson", "distributorPersonID", distributor_id=own_id)]
    return [person.key for person in world.store.persons.find("eck", record.values["eckID"])]


def _selected_schools(world: World, record: Record) -> list[str]:
    if "organisationID" in record.values:
        return [record.values["organisationID"]]
    portal = record.parts["portal"].values
    schools = world.schools.with_portal(portal["hubID"], portal["portalID"])
    return [school.organisation for school in schools]


def _credits_of_persons(world: World, persons: Iterable[str]) -> list[Credit]:
    return [
        credit
        for person in persons
        for schoolperson in world.store.schoolpersons.find("person", person)
        for credit in world.store.person_credits.find("schoolperson", schoolperson.key)
    ]


def _narrowed(rows: Iterable[Credit], record: Record) -> list[Credit]:
    wanted = {name: value for name, value in record.values.items() if name in {"ean", "schoolYear"}}
    return [row for row in rows if all(row.fields[name] == wanted[name] for name in wanted)]


_PERSON_CREDIT = (("personCredit", "distributorPersonCreditID"),)
_SCHOOL_CREDIT = (("schoolCredit", "distributorSchoolCreditID"),)

OPERATIONS: Final[dict[str, Operation]] = {
    "login": Operation("loginHeader", partial(login, service="credit")),
    "createPersonCredit": Operation("sessionIDHeader", create_person_credit, _PERSON_CREDIT),
    "getPersonCredit": Operation(
        "authHeader",
        get_person_credit,
        (*_PERSON_CREDIT, ("person", "distributorPersonID"), ("eck", "eckID")),
    ),
    "updatePersonCredit": Operation("sessionIDHeader", update_person_credit, _PERSON_CREDIT),
    "createSchoolCredit": Operation("sessionIDHeader", create_school_credit, _SCHOOL_CREDIT),
    "getSchoolCredit": Operation(
        "authHeader",
        get_school_credit,
        (*_SCHOOL_CREDIT, ("school", "organisationID"), ("portal", "portalID")),
    ),
    "updateSchoolCredit": Operation("sessionIDHeader", update_school_credit, _SCHOOL_CREDIT),
    "returnCredit": Operation("sessionIDHeader", return_credit, (*_PERSON_CREDIT, *_SCHOOL_CREDIT)),
}
