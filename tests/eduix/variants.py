"""Other WSDLs for the same services, made from the bundled ones when a test runs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from backoffice.eduix import contract

XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
HEADERS = ("loginHeader", "sessionIDHeader", "authHeader")


@dataclass(frozen=True)
class Dialect:
    """What differs from the bundled WSDL; the default differs in nothing."""

    types: str = ""  # namespace of the types
    wsdl: str = ""  # namespace of the WSDL
    qualified: bool = True
    reversed: bool = False  # the order of every sequence
    extra: bool = False  # an optional element that nobody knows, first in every object
    files: str = "import"  # import, inline, or folder: a schema that includes another one
    headers: str = "declared"  # undeclared, dangling (no message), or wsdl (its namespace)
    action: str = ""  # SOAPAction: this and the operation
    ports: bool = False  # SOAP 1.2 first, and a second SOAP 1.1 port with nothing in it
    address: str = ""
    bare_faults: bool = False  # no detail: the code stands in faultcode
    lost: tuple[str, ...] = field(default=())  # XPaths that are taken out of the schema


def write(service: str, folder: Path, dialect: Dialect) -> Path:
    """The WSDL of a dialect with its schema; returns the WSDL's path."""
    folder.mkdir(parents=True, exist_ok=True)
    schema: Any = etree.fromstring(_renamed(contract.xsd_path(service), service, dialect))
    document: Any = etree.fromstring(_renamed(contract.wsdl_path(service), service, dialect))
    for lost in dialect.lost:
        for node in schema.xpath(lost, namespaces={"xs": XS[1:-1]}):
            node.getparent().remove(node)
    if not dialect.qualified:
        schema.attrib.pop("elementFormDefault")
    for sequence in schema.iter(f"{XS}sequence"):
        if dialect.reversed:
            sequence[:] = sequence[::-1]
        if dialect.extra:
            sequence.insert(
                0, etree.Element(f"{XS}element", name="extra", type="xs:string", minOccurs="0")
            )
    _headers(document, schema, service, dialect)
    _actions(document, dialect)
    if dialect.ports:
        _more_ports(document)
    if dialect.address:
        for address in document.iter(f"{SOAP}address"):
            address.set("location", dialect.address)
    _place(document, schema, folder, service, dialect)
    path = folder / f"{service}.wsdl"
    path.write_bytes(etree.tostring(document))
    return path


def types_of(service: str, dialect: Dialect) -> str:
    """The namespace of the body elements."""
    return dialect.types.format(service) if dialect.types else contract.types_namespace(service)


def _renamed(path: Path, service: str, dialect: Dialect) -> bytes:
    text = path.read_bytes()
    if dialect.types:
        old = contract.types_namespace(service).encode()
        text = text.replace(old, types_of(service, dialect).encode())
    if dialect.wsdl:
        old = f'"{contract.wsdl_namespace(service)}"'.encode()
        text = text.replace(old, f'"{dialect.wsdl.format(service)}"'.encode())
    return text


def _headers(document: Any, schema: Any, service: str, dialect: Dialect) -> None:
    if dialect.headers == "undeclared":
        for header in list(document.iter(f"{SOAP}header")):
            header.getparent().remove(header)
    if dialect.headers in {"undeclared", "dangling"}:
        for message in list(document.iter(f"{WSDL}message")):
            if message.get("name") in HEADERS:
                message.getparent().remove(message)
    if dialect.headers == "wsdl":
        space = document.get("targetNamespace")
        second: Any = etree.SubElement(
            document.find(f"{WSDL}types"),
            f"{XS}schema",
            targetNamespace=space,
            elementFormDefault="qualified" if dialect.qualified else "unqualified",
        )
        etree.SubElement(second, f"{XS}import", namespace=types_of(service, dialect))
        for name in HEADERS:
            element = schema.find(f"{XS}element[@name='{name}']")
            second.append(element)  # its type keeps the prefix, which the document declares
        for part in document.iter(f"{WSDL}part"):
            if part.get("name") in HEADERS:
                part.set("element", f"tns:{part.get('name')}")


def _actions(document: Any, dialect: Dialect) -> None:
    if not dialect.action:
        return
    for operation in document.iterfind(f"{WSDL}binding/{WSDL}operation"):
        name = operation.get("name")
        operation.find(f"{SOAP}operation").set("soapAction", f"{dialect.action}{name}")


def _more_ports(document: Any) -> None:
    """SOAP 1.2 in a service of its own before ours, and a SOAP 1.1 port without operations."""
    binding, service = document.find(f"{WSDL}binding"), document.find(f"{WSDL}service")
    text = etree.tostring(binding)
    modern = etree.fromstring(
        text.replace(b"wsdl/soap/", b"wsdl/soap12/").replace(
            f'name="{binding.get("name")}"'.encode(), b'name="modern"'
        )
    )
    empty = copy.deepcopy(binding)
    empty.set("name", "empty")
    for operation in empty.findall(f"{WSDL}operation"):
        empty.remove(operation)
    binding.addnext(modern)
    modern.addnext(empty)
    first: Any = etree.fromstring(
        etree.tostring(service)
        .replace(b"wsdl/soap/", b"wsdl/soap12/")
        .replace(f"tns:{binding.get('name')}".encode(), b"tns:modern")
    )
    first.set("name", "first")
    service.addprevious(first)
    port = copy.deepcopy(service.find(f"{WSDL}port"))
    port.set("name", "emptyPort")
    port.set("binding", "tns:empty")
    service.insert(0, port)


def _place(
    document: Any,
    schema: Any,
    folder: Path,
    service: str,
    dialect: Dialect,
) -> None:
    """Where the schema stands: beside the WSDL, inside it, or in a folder and in two parts."""
    types = document.find(f"{WSDL}types")
    importing = types[0]
    if dialect.files == "inline":
        types.replace(importing, schema)
        return
    name = f"{service}-{contract.VERSIONS[service]}.xsd"
    if dialect.files == "folder":
        (folder / "types").mkdir(exist_ok=True)
        second: Any = etree.Element(f"{XS}schema", schema.attrib, nsmap=schema.nsmap)
        for simple in schema.findall(f"{XS}simpleType"):
            second.append(simple)
        second.attrib.pop("targetNamespace")  # it takes that of who includes it
        text = etree.tostring(second)
        (folder / "types" / f"{service}-fields.xsd").write_bytes(text)
        include = etree.Element(f"{XS}include", schemaLocation=f"{service}-fields.xsd")
        schema.insert(0, include)
        name = f"types/{name}"
        importing[0].set("schemaLocation", name)
    (folder / name).write_bytes(etree.tostring(schema))
