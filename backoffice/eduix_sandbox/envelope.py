"""SOAP 1.1 envelopes: a hardened reader and a small writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from lxml import etree
from lxml.etree import _Element

from .checks import local
from .faults import INCORRECT, Refusal

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

Node: TypeAlias = "tuple[str, str | list[Node]]"
"""An element to write: its name, and its text or the elements inside."""

ENCODINGS: Final = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1", "windows-1252"})
"""Character sets that a Content-Type may name."""


class NotXml(Exception):
    """The bytes are no well-formed XML document."""


@dataclass(slots=True)
class Envelope:
    """The elements of the Header by local name, and the one child of the Body."""

    headers: dict[str, _Element]
    body: _Element


def parse(raw: bytes, encoding: str | None = None) -> _Element:
    """The root; raises `NotXml`, and `Refusal` for a document with a DTD.

    Nothing is fetched or expanded; comments and processing instructions are dropped.
    """
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise NotXml(str(problem)) from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refusal(INCORRECT, "a document type is not allowed")
    return root


def open_envelope(root: _Element) -> Envelope:
    """The parts of a SOAP 1.1 envelope; raises `Refusal` (6) for anything else."""
    if root.tag != f"{{{SOAP}}}Envelope":
        raise Refusal(INCORRECT, "the document is no SOAP 1.1 envelope")
    parts = [child.tag for child in root]
    if parts not in [[f"{{{SOAP}}}Body"], [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"]]:
        raise Refusal(INCORRECT, "an envelope holds a Header and a Body, in this order")
    headers: dict[str, _Element] = {}
    for element in root[0] if len(root) == 2 else ():
        if local(element) in headers:
            raise Refusal(INCORRECT, f"{local(element)} stands in the Header twice")
        headers[local(element)] = element
    if len(root[-1]) != 1:
        raise Refusal(INCORRECT, "a Body holds one element")
    return Envelope(headers, root[-1][0])


def into_namespace(element: _Element, namespace: str, others: frozenset[str]) -> None:
    """Move elements of the other namespaces into this one, and drop what SOAP stacks leave.

    A service matches by local name: clients exist that send the WSDL's namespace or none.
    """
    etree.strip_attributes(element, f"{{{_XSI}}}type", f"{{{SOAP}}}encodingStyle")
    for one in element.iter():
        found, _, name = one.tag.rpartition("}")
        if found[1:] in others:
            one.tag = f"{{{namespace}}}{name}"


def write(namespace: str, body: Node, *, headers: Node | None = None) -> bytes:
    """An envelope whose elements stand in this namespace."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "t": namespace})
    if headers is not None:
        _add(etree.SubElement(root, f"{{{SOAP}}}Header"), namespace, headers)
    _add(etree.SubElement(root, f"{{{SOAP}}}Body"), namespace, body)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def write_fault(
    namespace: str, *, code: int, message: str, server_fault: bool, place: str = "detail"
) -> bytes:
    """A Fault with `detail/Fault{code, message}`; the message is cut at 4096 characters.

    Other servers have no detail, and put the number elsewhere: `place` is faultcode,
    faultstring or nowhere.
    """
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "t": namespace})
    fault = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    side = "soap:Server" if server_fault else "soap:Client"
    text = f"[{code}] {message}" if place == "faultstring" else message
    etree.SubElement(fault, "faultcode").text = f"t:{code}" if place == "faultcode" else side
    etree.SubElement(fault, "faultstring").text = text[:4096]
    if place == "detail":
        inside: Node = ("Fault", [("code", str(code)), ("message", message[:4096])])
        _add(etree.SubElement(fault, "detail"), namespace, inside)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _add(parent: _Element, namespace: str, node: Node) -> None:
    name, content = node
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    if isinstance(content, str):
        element.text = content
        return
    for inside in content:
        _add(element, namespace, inside)
