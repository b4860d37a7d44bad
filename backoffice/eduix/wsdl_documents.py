"""The documents of a WSDL, from files or an address: bounded, no redirects, no DTDs, no detours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from django.utils.translation import gettext as _
from lxml import etree

from backoffice.eduix.errors import EduixError, EduixMisfit
from backoffice.eduix.exchange import Transport
from backoffice.eduix.schemas import compiled

WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP: Final = "{http://schemas.xmlsoap.org/wsdl/soap/}"
SCHEMA: Final = "{http://www.w3.org/2001/XMLSchema}"

COMPILE_TRIES: Final = 50  # a try takes some milliseconds, and rarely fails twice
_REFERENCES: Final = tuple(f"{SCHEMA}{name}" for name in ("import", "include", "redefine"))

MAX_BYTES: Final = 4 * 1024 * 1024  # of one document
MAX_DOCUMENTS: Final = 50
FETCH_SECONDS: Final = 15.0


def location_of(wsdl: str) -> str:
    """A file or address as the address that all relative references resolve against."""
    return wsdl if is_remote(wsdl) else Path(wsdl).expanduser().resolve().as_uri()


def is_remote(wsdl: str) -> bool:
    """Whether this WSDL is fetched over HTTP."""
    return urlsplit(wsdl).scheme in {"http", "https"}


class Documents:
    """Loads a WSDL and what it refers to; zeep takes it for its transport.

    Every error is `EduixMisfit` with a line that names the document.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.roots: dict[str, etree._Element] = {}
        self._origin = urlsplit(location)[:2]

    def load(self, url: Any) -> bytes:
        """The bytes of one document, checked; called by zeep for each reference."""
        address = str(url)
        root = self.roots.get(_plain(address))
        if root is None:
            if len(self.roots) >= MAX_DOCUMENTS:
                raise EduixMisfit(_("The WSDL refers to more than %d documents.") % MAX_DOCUMENTS)
            root = self.roots[_plain(address)] = self._root(address)
        return etree.tostring(root)

    def _root(self, address: str) -> etree._Element:
        name = _name(address)
        if address != self.location and urlsplit(address)[:2] != self._origin:
            raise EduixMisfit(
                _("The WSDL refers to %s, which lies elsewhere; save it beside the WSDL.") % name
            )
        data = _fetched(address) if is_remote(address) else _read(address)
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as problem:
            raise EduixMisfit(_("%s is no XML.") % name) from problem
        if root.getroottree().docinfo.internalDTD is not None:
            raise EduixMisfit(_("%s holds a DTD, which is refused.") % name)
        if address == self.location and root.tag != f"{WSDL}definitions":
            raise EduixMisfit(
                _("%(name)s is no WSDL 1.1: it begins with %(element)s.")
                % {"name": name, "element": etree.QName(root).localname}
            )
        if root.tag == f"{WSDL}definitions":
            _drop_headers_without_message(root)
        for reference in root.iter(*_REFERENCES):
            if reference.get(
                "schemaLocation"
            ):  # libxml2 wants an address, people write a file name
                reference.set("schemaLocation", _quoted(reference.get("schemaLocation", "")))
        return root


def _drop_headers_without_message(root: etree._Element) -> None:
    """A `soap:header` that names a message nobody wrote: the header's element is looked up."""
    if root.find(f"{WSDL}import") is not None:
        return  # the message may stand in another document
    known = {message.get("name") for message in root.iter(f"{WSDL}message")}
    for tag in (f"{SOAP}header", f"{SOAP}headerfault"):
        for header in list(root.iter(tag)):
            parent = header.getparent()
            if str(header.get("message")).rpartition(":")[2] not in known and parent is not None:
                parent.remove(header)


def _read(address: str) -> bytes:
    path = Path(url2pathname(urlsplit(address).path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise EduixMisfit(
            _("%(name)s cannot be read: %(reason)s.")
            % {"name": path, "reason": problem.strerror or type(problem).__name__}
        ) from problem
    return _not_too_large(data, str(path))


def _fetched(address: str) -> bytes:
    name = _name(address)
    transport = Transport(address, total_seconds=FETCH_SECONDS)
    try:
        answer = transport.get(max_bytes=MAX_BYTES)
    except EduixError as problem:
        raise EduixMisfit(
            _("%(name)s cannot be fetched: %(reason)s") % {"name": name, "reason": problem.text}
        ) from problem
    finally:
        transport.close()
    if 300 <= answer.status < 400:
        raise EduixMisfit(_("%s leads elsewhere; redirects are not followed.") % name)
    if answer.status != 200:
        raise EduixMisfit(
            _("%(name)s cannot be fetched: HTTP %(status)d.")
            % {"name": name, "status": answer.status}
        )
    return answer.body


def _not_too_large(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise EduixMisfit(
            _("%(name)s is larger than %(most)d bytes.") % {"name": name, "most": MAX_BYTES}
        )
    return data


def _plain(address: str) -> str:
    """One way of writing for one document: zeep and libxml2 quote differently."""
    return unquote(address)


def _quoted(address: str) -> str:
    return quote(unquote(address), safe=":/?&=@+,;~#")


def _name(address: str) -> str:
    """A document as a colleague knows it: its path or its address without a query."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return url2pathname(parts.path)
    return address.partition("?")[0]


class _FromMemory(etree.Resolver):
    """Gives libxml2 the documents that were loaded already, and nothing else."""

    def __init__(self, texts: dict[str, bytes]) -> None:
        self._texts = texts
        self.asked: set[str] = set()

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:
        """The text of a known address; raises for any other, so that nothing is fetched."""
        self.asked.add(_plain(system_url))
        text = self._texts.get(_plain(system_url))
        if text is None:
            raise EduixMisfit(_("The schema refers to %s, which is missing.") % system_url)
        return self.resolve_string(text, context, base_url=system_url)


class Schemas:
    """The types of a WSDL as one `etree.XMLSchema`, however many documents they stand in."""

    def __init__(self, documents: Documents) -> None:
        self._base = documents.location
        self._texts: dict[str, bytes] = {}
        inline: dict[str, list[str]] = {}
        top: list[tuple[str, str]] = []  # namespace, address
        for plain, root in documents.roots.items():
            address = _quoted(plain)
            if root.tag != f"{WSDL}definitions":
                self._texts[plain] = etree.tostring(root)
                continue
            for number, schema in enumerate(root.iterfind(f"{WSDL}types/{SCHEMA}schema")):
                space = schema.get("targetNamespace", "")
                if not space and schema.find(f"{SCHEMA}element") is None:
                    top += _imports(schema, address)
                    continue
                # A name in the same folder, so that relative references still resolve.
                name = f"{address}-types-{number}"
                self._texts[_plain(name)] = etree.tostring(schema)
                inline.setdefault(space, []).append(name)
        for number, (space, names) in enumerate(inline.items()):
            if len(names) > 1:  # libxml2 reads one document per namespace: one that includes all
                name = f"{self._base}-all-{number}"
                self._texts[_plain(name)] = _including(space, names)
                names = [name]
            top.append((space, names[0]))
        self._top = _importing(top)
        self._parts = {_plain(address) for _space, address in top}

    def compile(self) -> etree.XMLSchema:
        """The schema, complete. Raises `EduixMisfit`.

        While a schema is compiled lxml puts its own loader of documents in a place that all threads
        share, and any other thread that ends parsing puts the old one back: then parts are missing
        without a word. Who finds a part that nobody asked for begins again.
        """
        for _attempt in range(COMPILE_TRIES):
            memory = _FromMemory(self._texts)
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            parser.resolvers.add(memory)
            try:
                schema = compiled(etree.fromstring(self._top, parser, base_url=self._base))
            except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as problem:
                if self._parts <= memory.asked:
                    raise EduixMisfit(_("The schema in the WSDL is not valid.")) from problem
            else:
                if self._parts <= memory.asked:
                    return schema
        raise EduixMisfit(_("The schema in the WSDL is not valid."))


def _imports(schema: etree._Element, address: str) -> list[tuple[str, str]]:
    from zeep.loader import absolute_location  # the same resolution as zeep's own loading

    return [
        (one.get("namespace", ""), _quoted(absolute_location(one.get("schemaLocation"), address)))
        for one in schema.iterfind(f"{SCHEMA}import")
        if one.get("schemaLocation")
    ]


def _importing(top: list[tuple[str, str]]) -> bytes:
    """A schema in a namespace of its own that imports all others."""
    root = etree.Element(f"{SCHEMA}schema", targetNamespace="urn:everything")
    for space, address in top:
        one = etree.SubElement(root, f"{SCHEMA}import", schemaLocation=address)
        if space:
            one.set("namespace", space)
    return etree.tostring(root)


def _including(space: str, names: list[str]) -> bytes:
    root = etree.Element(f"{SCHEMA}schema")
    if space:
        root.set("targetNamespace", space)
    for name in names:
        etree.SubElement(root, f"{SCHEMA}include", schemaLocation=name)
    return etree.tostring(root)
