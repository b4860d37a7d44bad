"""The sandbox's own table of fields holds what the documentation lists."""

from __future__ import annotations

from backoffice.eduix.contract import OPERATIONS
from backoffice.eduix_sandbox.countries import COUNTRIES
from backoffice.eduix_sandbox.fields import OBJECTS, REQUESTS, Choice, Field, Member
from tests.facts import members, rows, values_of


def documented() -> dict[tuple[str, str], set[int]]:
    """Object and field -> the codes that the documentation lists."""
    found: dict[tuple[str, str], set[int]] = {}
    for row in rows("codes"):
        if row["object"]:
            found.setdefault((row["object"], row["field"]), set()).add(int(row["code"]))
    return found


def codes(member: Field) -> set[int]:
    return {member.base + kind for kind in member.kinds}


def test_every_field_of_an_object_has_its_documented_codes() -> None:
    known = documented()

    for name, fields in OBJECTS.items():
        for field in fields:
            assert codes(field) == known[name, field.name], (name, field.name)


def test_every_member_of_a_request_has_its_documented_codes() -> None:
    known = documented()

    def check(owner: str, member: Member) -> None:
        if isinstance(member, Field):
            assert codes(member) == known.get((owner, member.name), set()), (owner, member.name)
            return
        choice = known[owner, "(choice element)"]
        assert member.required == (member.base in choice)
        assert member.base + 7 in choice
        for option in member.options:
            check(f"{owner}Choice", option)

    for operation, asked in REQUESTS.items():
        for member in asked:
            check(f"{operation}Request", member)


def test_every_operation_has_a_request() -> None:
    assert set(REQUESTS) == {*OPERATIONS["profile"], *OPERATIONS["credit"]}


def test_the_fields_of_an_object_stand_in_the_order_of_the_documentation() -> None:
    for service, name in (
        ("profile", "person"),
        ("profile", "schoolperson"),
        ("credit", "personCredit"),
        ("credit", "schoolCredit"),
    ):
        expected = [row["element"] for row in members(service, name)]

        assert [field.name for field in OBJECTS[name]] == expected


def test_a_field_is_required_where_the_documentation_says_so() -> None:
    for service, name in (("profile", "person"), ("credit", "schoolCredit")):
        required = {
            row["element"] for row in members(service, name) if row["cardinality"] == "1..1"
        }

        assert {field.name for field in OBJECTS[name] if field.required} == required


def test_the_countries_are_the_documented_ones() -> None:
    assert sorted(COUNTRIES) == sorted(values_of("profile", "countryCode"))


def test_a_choice_offers_what_the_documentation_offers() -> None:
    for operation, asked in REQUESTS.items():
        service = "profile" if operation in OPERATIONS["profile"] else "credit"
        expected = {row["element"] for row in members(service, f"{operation}Request")}
        offered = {
            option.name
            for member in asked
            for option in (member.options if isinstance(member, Choice) else (member,))
        }

        assert offered == expected, operation
