"""The schema of a service, taken from the WSDL that the sandbox serves."""

from __future__ import annotations

import re
import threading
from typing import Final

from lxml import etree
from lxml.etree import _Element

from backoffice.eduix.contract import wsdl_document

from .faults import incorrect

_SCHEMA: Final = "{http://www.w3.org/2001/XMLSchema}schema"
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")


class Schema:
    """Says what the field rules cannot: unknown elements, wrong order, too many of them."""

    def __init__(self, service: str) -> None:
        document = etree.fromstring(wsdl_document(service, address=""))
        # Written out and read again: alone, it needs the prefixes that the document declares.
        alone = etree.tostring(next(document.iter(_SCHEMA)))
        self._schema = etree.XMLSchema(etree.fromstring(alone))
        # One object keeps one error log: two threads would read each other's errors.
        self._lock = threading.Lock()

    def check(self, element: _Element) -> None:
        """Raises `Refusal` (6) when the element does not fit."""
        with self._lock:
            try:
                self._schema.assertValid(element)
            except etree.DocumentInvalid as problem:
                raise incorrect(_NAMESPACE.sub("", str(problem))) from problem
