"""Rows as the elements of a response, each in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from .envelope import Node
from .faults import NOT_FOUND, TOO_MANY, UNKNOWN, Refusal, field_refusal
from .fields import OBJECTS
from .rows import Credit, Person, SchoolPerson
from .schools import School
from .world import World

_SCHOOL = (
    "organisationID",
    "name",
    "address",
    "houseNumber",
    "houseNumberSuffix",
    "postalCode",
    "city",
    "countryCode",
    "brin",
)


def found(world: World, nodes: list[Node], *, base: int, name: str) -> list[Node]:
    """What a get answers: everything, code 8 when that is too much, or "nothing" as chosen.

    The documentation knows an empty list, code 5 and the ..7 of the selector for "not there".
    """
    if len(nodes) > world.options.max_results:
        raise Refusal(TOO_MANY, "too many results")
    if not nodes and world.options.not_found == "general":
        raise Refusal(NOT_FOUND, "the record is not found")
    if not nodes and world.options.not_found == "field":
        raise field_refusal(base, UNKNOWN, name)
    return nodes


def school_information(school: School) -> Node:
    return ("schoolInformation", [("school", _plain(_SCHOOL, school.fields))])


def person_information(world: World, person: Person) -> Node:
    """The person with all its schoolpersons."""
    schoolpersons = world.store.schoolpersons.find("person", person.key)
    return (
        "personInformation",
        [("person", _person(world, person)), *[schoolperson(one) for one in schoolpersons]],
    )


def _person(world: World, person: Person) -> list[Node]:
    key: Node = (
        "distributorPerson",
        [
            ("distributorID", str(world.options.distributor_id)),
            ("distributorPersonID", person.key),
        ],
    )
    values = {**person.fields, "profileID": str(person.profile_id)}
    if person.user_id:
        values["userID"] = person.user_id
    nodes: list[Node] = []
    for field in OBJECTS["person"]:
        if field.name == "distributorPerson":
            nodes.append(key)
        elif field.name in values:
            nodes.append((field.name, values[field.name]))
    return nodes


def schoolperson(row: SchoolPerson) -> Node:
    return ("schoolperson", _by_object("schoolperson", row.fields))


def school_person_information(row: SchoolPerson) -> Node:
    return ("schoolPersonInformation", [schoolperson(row)])


def person_credit_information(credit: Credit) -> Node:
    values = {**credit.fields, "personProductState": credit.state}
    return (
        "personCreditInformation",
        [("personCredit", _by_object("personCredit", values)), *_specification(credit)],
    )


def school_credit_information(credit: Credit) -> Node:
    """`returned` is absent while nothing was returned."""
    returned: list[Node] = [("returned", str(credit.returned))] if credit.returned else []
    content = _by_object("schoolCredit", credit.fields)
    return (
        "schoolCreditInformation",
        [("schoolCredit", content), *returned, *_specification(credit)],
    )


def _specification(credit: Credit) -> list[Node]:
    """Absent until a publisher answered."""
    if not credit.specification_state:
        return []
    state: list[Node] = [
        ("specificationState", credit.specification_state),
        ("specificationStateDate", credit.specified_on),
    ]
    return [("specification", state)]


def _by_object(name: str, values: Mapping[str, str]) -> list[Node]:
    return _plain([field.name for field in OBJECTS[name]], values)


def _plain(names: list[str] | tuple[str, ...], values: Mapping[str, str]) -> list[Node]:
    return [(name, values[name]) for name in names if name in values]
