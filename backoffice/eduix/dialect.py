"""How one service is spoken: what a WSDL, ours or another, says of operations, headers and types.

Everything is found by local name; a namespace is only ever what the WSDL says. Read once per
process and shared by all threads.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import zeep.exceptions
import zeep.wsdl
from django.utils.translation import gettext as _
from lxml import etree
from zeep.wsdl.bindings import Soap11Binding
from zeep.wsdl.messages import DocumentMessage
from zeep.xsd.context import XmlParserContext

from backoffice.eduix import contract
from backoffice.eduix.errors import EduixMisfit
from backoffice.eduix.patterns import Filled, Patterns
from backoffice.eduix.wsdl_documents import Documents, Schemas, location_of

ENVELOPE: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"

_SETTINGS = zeep.Settings(
    strict=True,
    forbid_dtd=True,
    forbid_entities=True,
    forbid_external=False,  # `Documents` decides what may be loaded: only what lies beside the WSDL
    xml_huge_tree=False,
)

NOT_WRITTEN: Final = (
    zeep.exceptions.Error,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    KeyError,
)
"""What zeep raises for values or elements that do not fit its types."""


@dataclass(frozen=True)
class Form:
    """One operation: zeep's elements for what goes out and comes back."""

    name: str
    action: str
    request: Any
    response: Any
    headers: dict[str, Any]  # local name -> element, those that may authenticate this operation


class Dialect:
    """A service as its WSDL has it. Raises `EduixMisfit` when there is nothing to speak."""

    def __init__(self, service: str, wsdl: str = "") -> None:
        self.service = service
        self.is_bundled = not wsdl
        self.name = wsdl or contract.wsdl_path(service).name
        documents = Documents(location_of(wsdl or str(contract.wsdl_path(service))))
        self._document = _loaded(documents)
        port = _port(self._document, contract.OPERATIONS[service])
        self.address = str(port.binding_options.get("address") or "")
        self.operations = tuple(str(one.name) for one in port.binding.all().values())
        self.types = self._document.types
        self.misfits: list[str] = []
        self.forms: dict[str, Form] = {}
        self._patterns: dict[str, Patterns] = {}
        for operation in contract.OPERATIONS[service]:
            self._add(operation, port)
        self._context = XmlParserContext(settings=_SETTINGS)
        self._schemas = Schemas(documents)
        self._schema: etree.XMLSchema | None = None
        self._schema_lock = threading.Lock()

    def _add(self, operation: str, port: Any) -> None:
        """Keep the form of one operation, or say why it has none."""
        try:
            binding = port.binding.get(operation)
        except ValueError:
            self.misfits.append(_("The WSDL has no operation %s.") % operation)
            return
        request, response = (_body(one) for one in (binding.input, binding.output))
        if request is None or response is None:
            self.misfits.append(
                _("%s is not document/literal with one element each way.") % operation
            )
            return
        space = etree.QName(request.qname).namespace
        self.forms[operation] = Form(
            name=operation,
            action=str(binding.soapaction or ""),
            request=request,
            response=response,
            headers=self._headers(operation, binding.input, space),
        )

    def _headers(self, operation: str, message: Any, space: str | None) -> dict[str, Any]:
        wanted = contract.HEADERS[self.service][operation]
        names = [wanted]
        if wanted == contract.AUTH_HEADER:
            names.append(contract.SESSION_HEADER)
        declared = {
            element.qname.localname: element for _name, element in message.header.type.elements
        }
        found = {
            name: element
            for name in names
            if (element := declared.get(name) or self._global(name, space)) is not None
        }
        if not found:
            self.misfits.append(
                _("%(operation)s has no header %(header)s.")
                % {"operation": operation, "header": wanted}
            )
        return found

    def _global(self, name: str, space: str | None) -> Any:
        """A global element by local name: that of the request's namespace before any other."""
        same = [one for one in self.types.elements if one.qname.localname == name]
        same.sort(key=lambda one: one.qname.namespace != space)
        return same[0] if same else None

    def header(self, operation: str, name: str, values: dict[str, Any]) -> etree._Element:
        """The SOAP header that authenticates this operation.

        A WSDL without authHeader takes the sessionIDHeader that would stand inside.
        """
        headers = self.forms[operation].headers
        if name not in headers and contract.SESSION_HEADER in headers:
            name, values = contract.SESSION_HEADER, values[contract.SESSION_HEADER]
        return _rendered(headers[name], values)[0]

    def envelope(
        self, operation: str, headers: dict[str, dict[str, Any]], values: dict[str, Any]
    ) -> etree._Element:
        """An envelope; raises one of `NOT_WRITTEN` when the values do not fit the types."""
        root = etree.Element(f"{ENVELOPE}Envelope", nsmap={"soap-env": ENVELOPE[1:-1]})
        if headers:
            parent = etree.SubElement(root, f"{ENVELOPE}Header")
            for name, inside in headers.items():
                parent.append(self.header(operation, name, inside))
        body = etree.SubElement(root, f"{ENVELOPE}Body")
        request = self.forms[operation].request
        request.render(body, request(**values))
        return root

    def filled(
        self, operation: str, headers: dict[str, dict[str, Any]], values: dict[str, Any]
    ) -> Filled:
        """The same from a pattern; raises `NoPattern` where only zeep can write it."""
        patterns = self._patterns.get(operation)
        if patterns is None:
            patterns = self._patterns[operation] = Patterns(partial(self.envelope, operation))
        return patterns.fill(headers, values)

    def problem(self, request: etree._Element) -> str:
        """The local name of the first element that the schema refuses; empty when it fits.

        One schema for all threads, one thread at a time: shared without a lock it loses the reason
        of some refusals, and one for each thread is compiled while others parse (`Schemas`).
        """
        with self._schema_lock:
            if self._schema is None:
                self._schema = self.compiled()
            if self._schema.validate(request):
                return ""
            log: Any = self._schema.error_log  # iterable, whatever its stubs say
            where = next((str(error.path or "") for error in log), "")
        name = where.rpartition("/")[2].rpartition(":")[2].partition("[")[0]
        return name if name.isalnum() else _last_named(request, where)

    def compiled(self) -> etree.XMLSchema:
        """The types as a schema; raises `EduixMisfit`."""
        return self._schemas.compile()

    def read(self, operation: str, response: etree._Element) -> Any:
        """zeep's object for an answer, whose elements are matched by local name.

        Raises one of `NOT_WRITTEN`.
        """
        element = self.forms[operation].response
        put_right(response, element)
        return element.parse(response, self.types, allow_none=True, context=self._context)


def _rendered(element: Any, values: dict[str, Any]) -> etree._Element:
    parent = etree.Element("parent")
    element.render(parent, element(**values))
    return parent


def _last_named(request: etree._Element, path: str) -> str:
    """The element at an XPath of libxml2, which writes `*[2]` where there is no prefix."""
    try:
        found: Any = request.getroottree().xpath(path)
    except etree.XPathError:
        return etree.QName(request).localname
    return etree.QName(found[0]).localname if found else etree.QName(request).localname


def _loaded(documents: Documents) -> Any:
    try:
        return zeep.wsdl.Document(documents.location, documents, settings=_SETTINGS)
    except EduixMisfit:
        raise
    except (*NOT_WRITTEN, etree.LxmlError, RecursionError) as problem:
        # zeep says it in many ways, and seldom in words that help; the name of the error does.
        raise EduixMisfit(
            _("The WSDL cannot be understood (%(kind)s: %(words)s).")
            % {"kind": type(problem).__name__, "words": str(problem)[:200]}
        ) from problem


def _port(document: Any, operations: tuple[str, ...]) -> Any:
    """The SOAP 1.1 port that knows most of our operations; https before http."""
    ports = [
        port
        for service in document.services.values()
        for port in service.ports.values()
        if type(port.binding) is Soap11Binding
    ]
    if not ports:
        raise EduixMisfit(_("The WSDL has no port for SOAP 1.1."))

    def rank(port: Any) -> tuple[int, bool]:
        known = sum(operation in port.binding._operations for operation in operations)
        return known, str(port.binding_options.get("address") or "").startswith("https:")

    return max(ports, key=rank)


def _body(message: Any) -> Any:
    """The one element of a message; None for rpc style, several parts, or none."""
    if not isinstance(message, DocumentMessage) or message._is_body_wrapped:
        return None
    element = message.body
    return element if getattr(element, "qname", None) is not None else None


def fields_of(element: Any) -> dict[str, Any]:
    """The elements inside, by local name in the order of the schema; empty for a value."""
    inside = getattr(element.type, "elements", None) or []
    return {one.qname.localname: one for _name, one in inside if getattr(one, "qname", None)}


def put_right(node: etree._Element, element: Any) -> None:
    """Bring an answer into the shape that its schema describes, by local names.

    Namespaces and order are the schema's; unknown elements go; an optional one that is empty counts
    as absent; white space around a value is dropped, and a zone behind a date.
    """
    fields = fields_of(element)
    node.attrib.pop(f"{_INSTANCE}type", "")
    if not fields:
        text = (node.text or "").strip()
        node.text = text[:10] if str(getattr(element.type, "name", "")) == "date" else text
        return
    places = {name: number for number, name in enumerate(fields)}
    for child in list(node):
        local = etree.QName(child).localname
        if local not in fields or (_is_empty(child) and fields[local].min_occurs == 0):
            node.remove(child)
            continue
        child.tag = str(fields[local].qname)
        put_right(child, fields[local])
    node[:] = sorted(node, key=lambda child: places[etree.QName(child).localname])


def _is_empty(node: etree._Element) -> bool:
    if str(node.get(f"{_INSTANCE}nil")).strip() in {"true", "1"}:
        return True
    return not len(node) and not (node.text or "").strip()


_lock = threading.Lock()
_dialects: dict[tuple[str, str], Dialect] = {}


def dialect_of(service: str, wsdl: str = "") -> Dialect:
    """The dialect of this process, read at its first use; raises `EduixMisfit`.

    A WSDL that could not be read is tried again at the next use.
    """
    with _lock:
        found = _dialects.get((service, wsdl))
        if found is None:
            found = _dialects[service, wsdl] = Dialect(service, wsdl)
        return found
