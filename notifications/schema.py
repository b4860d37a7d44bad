"""The schemas of the notification service as the door needs them, read once from our own XSDs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from backoffice.eduix.contract import OPERATIONS, SPOKEN, types_namespace, xsd_path
from backoffice.eduix.schemas import compiled
from notifications.envelope import local_names
from notifications.faults import SOAP

MAX_ENUM: Final = 64  # an unknown value is kept, but it has to look like a value

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"

_ENVELOPE: Final = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="{soap}" xmlns:types="{types}"
           targetNamespace="{soap}" elementFormDefault="qualified">
  <xs:import namespace="{types}" schemaLocation="{location}"/>
  <xs:element name="Envelope">
    <xs:complexType><xs:sequence>
      <xs:element name="Header">
        <xs:complexType>
          <xs:sequence><xs:element ref="types:loginHeader"/></xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="Body">
        <xs:complexType><xs:choice>{requests}</xs:choice></xs:complexType>
      </xs:element>
    </xs:sequence></xs:complexType>
  </xs:element>
</xs:schema>"""


@dataclass(frozen=True, slots=True)
class Part:
    """One child in the schema: how often it may stand there, and what may stand in it."""

    name: str
    is_required: bool
    is_repeated: bool
    may_be_empty: bool
    children: tuple[Part, ...]


class Schema:
    """The elements of each request in order, the lists of values, and the validators."""

    def __init__(self, version: str) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        self.version = version
        self.namespace = types_namespace("notification", version)
        self._root = etree.parse(str(xsd_path("notification", version)), parser).getroot()
        self.requests = {
            operation: self._children(self._named("element", f"{operation}Request"))
            for operation in OPERATIONS["notification"]
        }
        self.values = {
            kind.get("name", ""): frozenset(
                value.get("value", "") for value in kind.iter(f"{_XS}enumeration")
            )
            for kind in self._root.iterfind(f"{_XS}simpleType")
            if kind.find(f".//{_XS}enumeration") is not None
        }
        self.names = local_names(
            *{part.name for parts in self.requests.values() for part in _all(parts)}
        )

    def of_envelope(self) -> etree.XMLSchema:
        """For a whole envelope exactly as our WSDL describes it."""
        requests = "".join(f'<xs:element ref="types:{name}Request"/>' for name in self.requests)
        text = _ENVELOPE.format(
            soap=SOAP,
            types=self.namespace,
            location=xsd_path("notification", self.version).as_uri(),
            requests=requests,
        )
        return compiled(etree.fromstring(text))

    def lenient(self) -> etree.XMLSchema:
        """For a request alone, without the lists of values: an unknown value is kept."""
        root = etree.fromstring(etree.tostring(self._root))
        for restriction in root.iterfind(f"{_XS}simpleType/{_XS}restriction"):
            if restriction.find(f"{_XS}enumeration") is not None:
                restriction[:] = [etree.Element(f"{_XS}maxLength", value=str(MAX_ENUM))]
        return compiled(root)

    def _named(self, tag: str, name: str) -> etree._Element:
        found = self._root.find(f"{_XS}{tag}[@name='{name}']")
        if found is None:
            raise LookupError(name)
        return found

    def _children(self, element: etree._Element) -> tuple[Part, ...]:
        sequence = element.find(f".//{_XS}sequence")
        return tuple(map(self._part, sequence if sequence is not None else ()))

    def _part(self, element: etree._Element) -> Part:
        kind = element.get("type", "").rpartition(":")[2]
        has_children = self._root.find(f"{_XS}complexType[@name='{kind}']") is not None
        is_required = element.get("minOccurs", "1") != "0"
        return Part(
            element.get("name", ""),
            is_required=is_required,
            is_repeated=element.get("maxOccurs", "1") == "unbounded",
            may_be_empty=is_required and not has_children and self._takes_nothing(kind),
            children=self._children(self._named("complexType", kind)) if has_children else (),
        )

    def _takes_nothing(self, kind: str) -> bool:
        """The empty string is a value of this simple type."""
        restriction = self._named("simpleType", kind)[0]
        least = restriction.find(f"{_XS}minLength")
        return (
            restriction.get("base") == "xs:string"
            and restriction.find(f"{_XS}enumeration") is None
            and (least is None or least.get("value") == "0")
        )


def _all(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all(part.children)


SCHEMAS: Final = {version: Schema(version) for version in SPOKEN["notification"]}
