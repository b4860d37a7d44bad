"""Values and XML made from the facts, for tests that put the schema to work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

from lxml import etree

from backoffice.eduix.contract import types_namespace, xsd_path
from tests import facts

Sample = dict[str, object]

_XS = "http://www.w3.org/2001/XMLSchema"


def value(service: str, name: str) -> str | int | date:
    """A value that the documentation allows for this attribute, as long as it may be."""
    row = facts.attribute(service, name)
    if row["type"] == "enum":
        return facts.values_of(service, name)[0]
    if row["type"] == "date":
        return date(2026, 8, 1)
    if row["type"] == "integer":
        return int("9" * int(row["length"]))
    if row["pattern"]:
        return "00AA01"
    return "x" * int(row["length"])


def samples(service: str, owner: str) -> Iterator[Sample]:
    """Complete values of an object or request: one for every member of its choice."""
    rows = facts.members(service, owner)
    choices = [row for row in rows if row["choice"]]
    plain: Sample = {row["element"]: _member(service, row) for row in rows if not row["choice"]}
    if not choices:
        yield plain
    for row in choices:
        yield {row["element"]: _member(service, row)} | plain


def _member(service: str, row: Mapping[str, str]) -> object:
    if row["type"] == "Attr":
        one: object = value(service, row["element"])
    else:
        one = next(samples(service, row["element"]))
    return [one, one] if row["cardinality"].endswith("n") else one


def element(service: str, name: str, content: object) -> etree._Element:
    """Content as qualified XML, its members in the order of the mapping."""
    node = etree.Element(f"{{{types_namespace(service)}}}{name}")
    if isinstance(content, Mapping):
        for child, inner in content.items():
            many = inner if isinstance(inner, list) else [inner]
            node.extend([element(service, child, one) for one in many])
    else:
        node.text = str(content)
    return node


@cache
def schema(service: str) -> etree.XMLSchema:
    """The service's schema plus a global element for every object, so that each stands alone."""
    globals_ = {row["object"] for row in facts.rows("elements") if row["service"] == service}
    declared = {"Fault", "loginHeader", "sessionIDHeader", "authHeader"}
    objects = sorted(
        name for name in globals_ - declared if not name.endswith(("Request", "Response"))
    )
    extra = "".join(f'<xs:element name="{name}" type="t:{name}"/>' for name in objects)
    namespace = types_namespace(service)
    return etree.XMLSchema(
        etree.fromstring(
            f'<xs:schema xmlns:xs="{_XS}" xmlns:t="{namespace}" targetNamespace="{namespace}">'
            f'<xs:include schemaLocation="{xsd_path(service).as_uri()}"/>{extra}</xs:schema>'
        )
    )


def errors(service: str, node: etree._Element) -> list[str]:
    """What the schema says against this element; empty when it is valid."""
    try:
        schema(service).assertValid(node)
    except etree.DocumentInvalid as invalid:
        return [str(invalid)]
    return []


def documented(service: str, table: str) -> list[dict[str, str]]:
    """The facts of one service."""
    return [row for row in facts.rows(table) if row["service"] == service]


def local(name: str | None) -> str:
    """A qualified name without its prefix."""
    return (name or "").rpartition(":")[2]
