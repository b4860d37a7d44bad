"""The schema files against the facts of the documentation, in both directions."""

from __future__ import annotations

import pytest
from lxml import etree

from backoffice.eduix import contract
from tests import facts
from tests.eduix import samples
from tests.eduix.samples import documented, errors, local

SERVICES = ("profile", "credit", "notification")
XS = "{http://www.w3.org/2001/XMLSchema}"

# The one addition of ours to the documented lengths: an event about nobody is no event.
INFERRED_MIN_LENGTHS = {
    ("notification", "distributorCreditID"): 1,
    ("notification", "distributorPersonID"): 1,
}

OPERATIONS = [(row["service"], row["operation"]) for row in facts.rows("operations")]
VALUES = [
    pytest.param(
        row["service"],
        row["object"],
        row["element"],
        id=f"{row['service']}-{row['object']}-{row['element']}",
    )
    for row in facts.rows("elements")
    if row["type"] == "Attr"
]


def xsd(service: str) -> etree._Element:
    return etree.parse(str(contract.xsd_path(service))).getroot()


# Elements


def cardinality(node: etree._Element) -> str:
    most = node.get("maxOccurs", "1")
    return f"{node.get('minOccurs', '1')}..{'n' if most == 'unbounded' else most}"


def objects(service: str) -> dict[str, etree._Element]:
    """The complex type of every object, request and response."""
    root = xsd(service)
    found = {node.get("name", ""): node for node in root.findall(f"{XS}complexType")}
    for node in root.findall(f"{XS}element"):
        inline = node.find(f"{XS}complexType")
        if inline is not None:
            found[node.get("name", "")] = inline
    return found


def members(service: str, owner: str, complex_type: etree._Element) -> list[tuple[str, ...]]:
    """What the schema says of one object, in the columns of the facts."""
    simple = {node.get("name") for node in xsd(service).findall(f"{XS}simpleType")}
    found: list[tuple[str, ...]] = []
    for node in complex_type.iter(f"{XS}element"):
        parent = node.getparent()
        assert parent is not None
        choice = cardinality(parent) if parent.tag == f"{XS}choice" else ""
        scalar = node.get("type") == "xs:date" or local(node.get("type")) in simple
        name = node.get("name", "")
        found.append((owner, name, "Attr" if scalar else "Obj", cardinality(node), choice))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_the_schema_holds_every_documented_element_and_no_other(service: str) -> None:
    columns = ("object", "element", "type", "cardinality", "choice")
    expected = [tuple(row[c] for c in columns) for row in documented(service, "elements")]

    ours = [
        member
        for owner, node in objects(service).items()
        for member in members(service, owner, node)
    ]

    assert sorted(ours) == sorted(expected)


@pytest.mark.parametrize("service", SERVICES)
def test_elements_stand_in_the_order_of_the_documentation(service: str) -> None:
    for owner, node in objects(service).items():
        order = [row["element"] for row in facts.members(service, owner)]

        assert [member[1] for member in members(service, owner, node)] == order, owner


@pytest.mark.parametrize("service", SERVICES)
def test_every_member_has_the_type_of_its_own_name(service: str) -> None:
    dates = {r["attribute"] for r in documented(service, "attributes") if r["type"] == "date"}

    for node in xsd(service).iter(f"{XS}element"):
        if node.get("type") is not None:
            name = node.get("name")
            wanted = "xs:date" if name in dates else f"types:{name}"
            assert node.get("type") == wanted


@pytest.mark.parametrize("service", SERVICES)
def test_the_global_elements_are_requests_responses_headers_and_the_fault(service: str) -> None:
    rows = documented(service, "operations")
    messages = {row["request"] for row in rows} | {row["response"] for row in rows}
    headers = {"loginHeader"} if service == "notification" else set(contract_headers())

    root = xsd(service)

    assert {node.get("name") for node in root.findall(f"{XS}element")} == (
        messages | headers | {"Fault"}
    )
    assert root.get("elementFormDefault") == "qualified"
    assert root.get("targetNamespace") == contract.types_namespace(service)


def contract_headers() -> tuple[str, ...]:
    return (contract.LOGIN_HEADER, contract.SESSION_HEADER, contract.AUTH_HEADER)


@pytest.mark.parametrize("service", SERVICES)
def test_documented_cardinality_agrees_with_the_codes(service: str) -> None:
    missing = {
        (row["object"], row["field"]) for row in documented(service, "codes") if row["kind"] == "0"
    }
    coded = {(row["object"], row["field"]) for row in documented(service, "codes")}

    for row in documented(service, "elements"):
        key = (row["object"], row["element"])
        if key in coded and not row["choice"]:
            assert (key in missing) == row["cardinality"].startswith("1"), key


# Kinds of values


def facets(service: str) -> dict[str, tuple[str, dict[str, str], tuple[str, ...]]]:
    """Name -> (base, facets, enumeration) of every simple type."""
    found = {}
    for node in xsd(service).findall(f"{XS}simpleType"):
        restriction = node.find(f"{XS}restriction")
        assert restriction is not None
        pairs = [(etree.QName(facet).localname, facet.get("value", "")) for facet in restriction]
        found[node.get("name", "")] = (
            restriction.get("base", ""),
            {name: value for name, value in pairs if name != "enumeration"},
            tuple(value for name, value in pairs if name == "enumeration"),
        )
    return found


def expected_facets(
    service: str, row: dict[str, str]
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    name, length = row["attribute"], row["length"]
    least = facts.smallest(service, name) or INFERRED_MIN_LENGTHS.get((service, name))
    if row["type"] == "enum":
        return "xs:string", {}, facts.values_of(service, name)
    if row["type"] == "integer":
        bounds = {"minInclusive": str(least)} if least else {}
        return "xs:integer", {"totalDigits": length} | bounds, ()
    if str(least) == length:
        return "xs:string", {"length": length}, ()
    bounds = {"minLength": str(least)} if least else {}
    pattern = {"pattern": row["pattern"]} if row["pattern"] else {}
    return "xs:string", bounds | {"maxLength": length} | pattern, ()


@pytest.mark.parametrize("service", SERVICES)
def test_lengths_numbers_patterns_and_enumerations_are_the_documented_ones(service: str) -> None:
    expected = {
        row["attribute"]: expected_facets(service, row)
        for row in documented(service, "attributes")
        if row["type"] != "date"
    }

    assert facets(service) == expected


@pytest.mark.parametrize("service", SERVICES)
def test_no_enumeration_holds_a_value_longer_than_its_documented_length(service: str) -> None:
    for row in documented(service, "attributes"):
        # The documentation gives specificationState one character, and names of 5 and 9.
        if row["type"] == "enum" and row["length"] and row["attribute"] != "specificationState":
            longest = max(len(value) for value in facts.values_of(service, row["attribute"]))
            assert longest <= int(row["length"])


def test_the_countries_are_the_249_of_the_documentation() -> None:
    countries = facets("profile")["countryCode"][2]

    assert len(countries) == len(set(countries)) == 249


def test_the_keys_that_a_notification_can_carry_are_shorter_than_those_that_may_be_sent() -> None:
    notified, credit, profile = (facets(s) for s in ("notification", "credit", "profile"))

    assert notified["distributorCreditID"][1]["maxLength"] == "30"
    assert notified["responseID"][1]["maxLength"] == "30"
    assert credit["distributorPersonCreditID"][1]["maxLength"] == "160"
    assert profile["fromDistributorPersonID"][1]["maxLength"] == "20"
    assert profile["toDistributorPersonID"][1]["maxLength"] == "20"
    assert profile["distributorPersonID"][1]["maxLength"] == "256"


# What the schema refuses


@pytest.mark.parametrize(("service", "owner", "name"), VALUES)
def test_the_schema_refuses_what_lies_outside_the_documented_limits(
    service: str, owner: str, name: str
) -> None:
    sample = next(s for s in samples.samples(service, owner) if name in s)

    assert errors(service, samples.element(service, owner, sample)) == []
    for wrong in wrong_values(service, name):
        assert errors(service, samples.element(service, owner, sample | {name: wrong})), wrong


def wrong_values(service: str, name: str) -> list[str]:
    row = facts.attribute(service, name)
    least = facts.smallest(service, name)
    if row["type"] == "date":
        return ["01-08-2026", "2026-02-30", "2026-8-1", "tomorrow"]
    if row["type"] == "enum":
        return ["", "x", facts.values_of(service, name)[0].swapcase()]
    if row["type"] == "integer":
        small = [str(least - 1)] if least else []
        return ["1" + "0" * int(row["length"]), "", "1.5", "12a", *small]
    short = ["x" * (least - 1)] if least else []
    pattern = ["12", "12345", "12A-", "1234AB"] if row["pattern"] else []
    return ["x" * (int(row["length"]) + 1), *short, *pattern]


@pytest.mark.parametrize("service", SERVICES)
def test_a_required_member_may_not_be_absent_and_an_optional_one_may(service: str) -> None:
    for row in documented(service, "elements"):
        every = samples.samples(service, row["object"])
        sample = next(one for one in every if row["element"] in one)
        del sample[row["element"]]

        found = errors(service, samples.element(service, row["object"], sample))

        needed = (row["choice"] or row["cardinality"]).startswith("1")
        assert bool(found) == needed, (row["object"], row["element"])


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_two_members_of_a_choice_are_refused(service: str, operation: str) -> None:
    every = list(samples.samples(service, f"{operation}Request"))
    if len(every) == 1:
        assert not any(row["choice"] for row in facts.members(service, f"{operation}Request"))
        return

    both = every[0] | every[1]

    assert errors(service, samples.element(service, f"{operation}Request", both))


def test_an_unqualified_child_is_refused_by_the_strict_schema() -> None:
    node = samples.element("notification", "prematchChangedRequest", {})
    etree.SubElement(node, "distributorPersonID").text = "P-1"

    assert errors("notification", node)


def test_a_notification_may_carry_an_empty_eck_id_and_no_empty_key() -> None:
    event = {"distributorPersonID": "P-1", "eckID": ""}

    assert (
        errors("notification", samples.element("notification", "prematchChangedRequest", event))
        == []
    )
    event["distributorPersonID"] = ""
    assert errors("notification", samples.element("notification", "prematchChangedRequest", event))


def test_a_fault_carries_a_code_of_either_sign() -> None:
    for code in ("-2606", "2606", "0"):
        fault = samples.element("credit", "Fault", {"code": code, "message": "Already exists"})

        assert errors("credit", fault) == []
